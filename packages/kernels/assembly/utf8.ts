// UTF-8 (RFC 3629). Whole 16-byte steps of ASCII are skipped; everything else goes through the vector classifier below,
// and a fault is located by the plain loop.
import { UTF8, fail, setPosition } from "./status";

/** Length of the well-formed character at `p`, 0 when there is none. */
function characterLength(p: usize, stop: usize): u32 {
  const a: u32 = load<u8>(p);
  if (a < 0x80) return 1;
  const left = stop - p;
  if (a < 0xc2 || left < 2) return 0;
  const b: u32 = load<u8>(p, 1);
  if (a < 0xe0) return (b & 0xc0) == 0x80 ? 2 : 0;
  if (left < 3) return 0;
  const c: u32 = load<u8>(p, 2);
  if (a < 0xf0) {
    const least: u32 = a == 0xe0 ? 0xa0 : 0x80;
    const most: u32 = a == 0xed ? 0x9f : 0xbf;
    return b >= least && b <= most && (c & 0xc0) == 0x80 ? 3 : 0;
  }
  if (a > 0xf4 || left < 4) return 0;
  const d: u32 = load<u8>(p, 3);
  const least: u32 = a == 0xf0 ? 0x90 : 0x80;
  const most: u32 = a == 0xf4 ? 0x8f : 0xbf;
  return b >= least && b <= most && (c & 0xc0) == 0x80 && (d & 0xc0) == 0x80 ? 4 : 0;
}

/** First byte of the first ill-formed character in [p, stop), or `stop`. */
function firstFault(p: usize, stop: usize): usize {
  while (p < stop) {
    while (p + 16 <= stop && !i8x16.bitmask(v128.load(p))) p += 16;
    if (p == stop) break;
    const length = characterLength(p, stop);
    if (length == 0) return p;
    p += length;
  }
  return p;
}

export function validateUtf8(bytes: usize, offsets: usize, count: u32): i32 {
  const start = load<u32>(offsets);
  const end = load<u32>(offsets + (<usize>count << 2));
  if (end < start) return fail(UTF8, 0);
  const stop = bytes + end;
  let p = bytes + start;
  while (p + 64 <= stop) {
    const any = v128.or(
      v128.or(v128.load(p), v128.load(p, 16)),
      v128.or(v128.load(p, 32), v128.load(p, 48)),
    );
    if (i8x16.bitmask(any)) break;
    p += 64;
  }
  while (p < stop && load<u8>(p) < 0x80) p++;
  if (p == stop) {
    setPosition(end);
    return 0;
  }
  const fault = firstFault(p, stop);
  if (fault != stop) return fail(UTF8, fault - bytes);
  // Valid as a whole: each value is valid when none starts inside a character.
  for (let i: u32 = 0; i < count; i++) {
    const offset = load<u32>(offsets + (<usize>i << 2));
    if (offset < end && (load<u8>(bytes + offset) & 0xc0) == 0x80) return fail(UTF8, offset);
  }
  setPosition(end);
  return 0;
}

// LZ4 block, written by a greedy search. The format wants the last 5 bytes as literals and no match in the last 12.
import { POSITIONS, hash4, matchLength } from "./matcher";
import { OUTPUT_FULL, fail } from "./status";

const MOST_DISTANCE: usize = 65535;

/** Room that `lz4Compress` asks for. */
export function lz4Bound(length: u32): f64 {
  return 16 + <f64>length + <f64>(length / 255);
}

function putLength(d: usize, length: u32): usize {
  while (length >= 255) {
    store<u8>(d++, 255);
    length -= 255;
  }
  store<u8>(d, length);
  return d + 1;
}

/** Literals, then (matched > 0) a match of `matched` bytes from `distance` back. */
function putSequence(d: usize, literals: usize, length: u32, distance: u32, matched: u32): usize {
  const extra = matched == 0 ? 0 : matched - 4;
  store<u8>(d++, (min<u32>(length, 15) << 4) | min<u32>(extra, 15));
  if (length >= 15) d = putLength(d, length - 15);
  if (length <= 16) v128.store(d, v128.load(literals));
  else memory.copy(d, literals, length);
  d += length;
  if (matched == 0) return d;
  store<u16>(d, distance);
  d += 2;
  return extra >= 15 ? putLength(d, extra - 15) : d;
}

export function lz4Compress(src: usize, srcLength: u32, out: usize, capacity: u32): i32 {
  if (<f64>capacity < lz4Bound(srcLength) || srcLength > 0x7e000000) return fail(OUTPUT_FULL, 0);
  const stop = src + srcLength;
  let d = out;
  let anchor = src;
  if (srcLength > 12) {
    memory.fill(POSITIONS, 0, 65536);
    const last = stop - 12;
    let p = src + 1;
    let misses: u32 = 64;
    while (p < last) {
      const slot = POSITIONS + (hash4(p) << 2);
      const candidate = src + load<u32>(slot);
      store<u32>(slot, <u32>(p - src));
      if (load<u32>(candidate) != load<u32>(p) || p - candidate > MOST_DISTANCE) {
        p += misses++ >> 6;
        continue;
      }
      const matched = 4 + matchLength(candidate + 4, p + 4, stop - 5);
      d = putSequence(d, anchor, <u32>(p - anchor), <u32>(p - candidate), matched);
      p += matched;
      anchor = p;
      misses = 64;
      if (p < last) store<u32>(POSITIONS + (hash4(p - 1) << 2), <u32>(p - 1 - src));
    }
  }
  d = putSequence(d, anchor, <u32>(stop - anchor), 0, 0);
  return <i32>(d - out);
}

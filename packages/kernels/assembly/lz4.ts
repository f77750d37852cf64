// LZ4 block format (lz4 doc/lz4_Block_format.md), read. Copies run in 16-byte steps: up to 16 bytes past the result,
// within SLACK, are overwritten.
import { CORRUPT, OUTPUT_FULL, TRUNCATED, fail, setPosition } from "./status";
import { copyMatch } from "./match";

let lengthEnd: usize = 0;

/** Adds the 255-bytes to `base`; lengthEnd is 0 when input ends or the length passes `most`. */
function extendLength(p: usize, stop: usize, base: u32, most: u32): u32 {
  let length = base;
  while (p < stop) {
    const byte: u32 = load<u8>(p++);
    length += byte;
    if (length > most) break;
    if (byte != 255) {
      lengthEnd = p;
      return length;
    }
  }
  lengthEnd = 0;
  return length;
}

export function lz4Decompress(src: usize, srcLength: u32, out: usize, capacity: u32): i32 {
  if (capacity > 0x7fffffff) return fail(OUTPUT_FULL, 0);
  const stop = src + srcLength;
  const outStop = out + capacity;
  let p = src;
  let d = out;
  while (p < stop) {
    const at = p;
    const token: u32 = load<u8>(p++);
    let length = token >> 4;
    if (length == 15) {
      length = extendLength(p, stop, 15, 0x7fffff00);
      if (lengthEnd == 0) return fail(TRUNCATED, at - src);
      p = lengthEnd;
    }
    if (length > <u32>(stop - p)) return fail(TRUNCATED, at - src);
    if (length > <u32>(outStop - d)) return fail(OUTPUT_FULL, at - src);
    if (length <= 16) v128.store(d, v128.load(p));
    else memory.copy(d, p, length);
    d += length;
    p += length;
    if (p == stop) {
      if ((token & 15) != 0) return fail(TRUNCATED, at - src);
      setPosition(srcLength);
      return <i32>(d - out);
    }
    if (stop - p < 2) return fail(TRUNCATED, at - src);
    const distance: u32 = load<u16>(p);
    p += 2;
    if (distance - 1 >= <u32>(d - out)) return fail(CORRUPT, at - src);
    length = token & 15;
    if (length == 15) {
      length = extendLength(p, stop, 15, 0x7fffff00);
      if (lengthEnd == 0) return fail(TRUNCATED, at - src);
      p = lengthEnd;
    }
    length += 4;
    if (length > <u32>(outStop - d)) return fail(OUTPUT_FULL, at - src);
    copyMatch(d, distance, length);
    d += length;
  }
  return fail(TRUNCATED, srcLength);
}

// Snappy raw block (google/snappy format_description.txt), read. Copies run in 16-byte steps: up to 31 bytes past the
// result, within SLACK, are overwritten.
import { CORRUPT, LENGTH, OUTPUT_FULL, TRUNCATED, fail, setPosition } from "./status";
import { copyMatch } from "./match";
import { readVarint32, varintEnd } from "./varint";

/** The size that a block claims. */
export function snappySize(src: usize, srcLength: u32): f64 {
  const size = readVarint32(src, src + srcLength);
  return varintEnd() == 0 ? fail(TRUNCATED, 0) : <f64>size;
}

export function snappyDecompress(src: usize, srcLength: u32, out: usize, capacity: u32): i32 {
  const stop = src + srcLength;
  const size = readVarint32(src, stop);
  let p = varintEnd();
  if (p == 0) return fail(TRUNCATED, 0);
  if (size > capacity || size > 0x7fffffff) return fail(OUTPUT_FULL, 0);
  let d = out;
  const outStop = out + size;
  while (p < stop) {
    const at = p;
    const tag: u32 = load<u8>(p++);
    if ((tag & 3) == 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const bytes = length - 60;
        if (stop - p < <usize>bytes) return fail(TRUNCATED, at - src);
        length = (load<u32>(p) & (0xffffffff >> (32 - (bytes << 3)))) + 1;
        if (length == 0) return fail(LENGTH, at - src);
        p += bytes;
      }
      if (length > <u32>(stop - p)) return fail(TRUNCATED, at - src);
      if (length > <u32>(outStop - d)) return fail(OUTPUT_FULL, at - src);
      if (length <= 16) v128.store(d, v128.load(p));
      else if (length <= 64) {
        v128.store(d, v128.load(p));
        v128.store(d, v128.load(p, 16), 16);
        if (length > 32) {
          v128.store(d, v128.load(p, 32), 32);
          v128.store(d, v128.load(p, 48), 48);
        }
      } else memory.copy(d, p, length);
      d += length;
      p += length;
      continue;
    }
    let length: u32;
    let distance: u32;
    if ((tag & 3) == 1) {
      if (p >= stop) return fail(TRUNCATED, at - src);
      length = ((tag >> 2) & 7) + 4;
      distance = ((tag >> 5) << 8) | <u32>load<u8>(p++);
    } else if ((tag & 3) == 2) {
      if (stop - p < 2) return fail(TRUNCATED, at - src);
      length = (tag >> 2) + 1;
      distance = load<u16>(p);
      p += 2;
    } else {
      if (stop - p < 4) return fail(TRUNCATED, at - src);
      length = (tag >> 2) + 1;
      distance = load<u32>(p);
      p += 4;
    }
    if (distance - 1 >= <u32>(d - out)) return fail(CORRUPT, at - src);
    if (length > <u32>(outStop - d)) return fail(OUTPUT_FULL, at - src);
    copyMatch(d, distance, length);
    d += length;
  }
  if (d != outStop) return fail(TRUNCATED, srcLength);
  setPosition(srcLength);
  return <i32>size;
}

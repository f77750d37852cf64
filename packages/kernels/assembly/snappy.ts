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
    // The three kinds of copy without branches: which one comes next is hard to predict.
    const short = (tag & 3) == 1;
    const bytes: u32 = (0x4210 >> ((tag & 3) << 2)) & 7;
    if (stop - p < <usize>bytes) return fail(TRUNCATED, at - src);
    const length: u32 = select<u32>(((tag >> 2) & 7) + 4, (tag >> 2) + 1, short);
    const low = load<u32>(p) & <u32>((<u64>1 << (bytes << 3)) - 1);
    const distance: u32 = low | select<u32>((tag >> 5) << 8, 0, short);
    p += bytes;
    if (distance - 1 >= <u32>(d - out)) return fail(CORRUPT, at - src);
    if (length > <u32>(outStop - d)) return fail(OUTPUT_FULL, at - src);
    copyMatch(d, distance, length);
    d += length;
  }
  if (d != outStop) return fail(TRUNCATED, srcLength);
  setPosition(srcLength);
  return <i32>size;
}

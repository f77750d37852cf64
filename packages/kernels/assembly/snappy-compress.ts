// Snappy raw block, written by a greedy search in blocks of 64 KiB.
import { POSITIONS, hash4, matchLength } from "./matcher";
import { OUTPUT_FULL, fail } from "./status";

const BLOCK_BYTES: u32 = 65536;

/** Room that `snappyCompress` asks for. */
export function snappyBound(length: u32): f64 {
  return 32 + <f64>length + <f64>(length / 6);
}

function putLiteral(d: usize, src: usize, length: u32): usize {
  const n = length - 1;
  if (n < 60) {
    store<u8>(d++, n << 2);
    if (length <= 16) {
      v128.store(d, v128.load(src));
      return d + length;
    }
  } else if (n < 256) {
    store<u8>(d, 60 << 2);
    store<u8>(d, n, 1);
    d += 2;
  } else {
    store<u8>(d, 61 << 2);
    store<u16>(d, n, 1);
    d += 3;
  }
  memory.copy(d, src, length);
  return d + length;
}

function putCopy(d: usize, distance: u32, length: u32): usize {
  while (length >= 68) {
    store<u8>(d, (63 << 2) | 2);
    store<u16>(d, distance, 1);
    d += 3;
    length -= 64;
  }
  if (length > 64) {
    store<u8>(d, (59 << 2) | 2);
    store<u16>(d, distance, 1);
    d += 3;
    length -= 60;
  }
  if (length < 12 && distance < 2048) {
    store<u8>(d, ((distance >> 8) << 5) | ((length - 4) << 2) | 1);
    store<u8>(d, distance, 1);
    return d + 2;
  }
  store<u8>(d, ((length - 1) << 2) | 2);
  store<u16>(d, distance, 1);
  return d + 3;
}

function compressBlock(src: usize, length: u32, out: usize): usize {
  const stop = src + length;
  let d = out;
  let anchor = src;
  if (length >= 16) {
    memory.fill(POSITIONS, 0, 32768);
    const last = stop - 8;
    let p = src + 1;
    let misses: u32 = 32;
    while (p <= last) {
      const slot = POSITIONS + (hash4(p) << 1);
      const candidate = src + load<u16>(slot);
      store<u16>(slot, <u16>(p - src));
      if (load<u32>(candidate) != load<u32>(p)) {
        // The longer nothing matches, the larger the steps: incompressible data pass quickly.
        p += misses++ >> 5;
        continue;
      }
      if (p > anchor) d = putLiteral(d, anchor, <u32>(p - anchor));
      const matched = 4 + matchLength(candidate + 4, p + 4, stop);
      d = putCopy(d, <u32>(p - candidate), matched);
      p += matched;
      anchor = p;
      misses = 32;
      if (p <= last) store<u16>(POSITIONS + (hash4(p - 1) << 1), <u16>(p - 1 - src));
    }
  }
  return anchor < stop ? putLiteral(d, anchor, <u32>(stop - anchor)) : d;
}

export function snappyCompress(src: usize, srcLength: u32, out: usize, capacity: u32): i32 {
  if (<f64>capacity < snappyBound(srcLength) || srcLength > 0x7fffffff) return fail(OUTPUT_FULL, 0);
  let d = out;
  let rest = srcLength;
  while (rest >= 128) {
    store<u8>(d++, rest | 128);
    rest >>>= 7;
  }
  store<u8>(d++, rest);
  for (let done: u32 = 0; done < srcLength; done += BLOCK_BYTES) {
    d = compressBlock(src + done, min<u32>(BLOCK_BYTES, srcLength - done), d);
  }
  return <i32>(d - out);
}

// What Snappy and LZ4 writers share: a hash table of 4-byte sequences and the length of a match.
/** 2^14 positions, 16 or 32 bits each. */
export const POSITIONS = memory.data(65536);
export const POSITION_BITS: u32 = 14;

// @ts-ignore: decorator
@inline
export function hash4(p: usize): u32 {
  return (load<u32>(p) * 0x9e3779b1) >>> (32 - POSITION_BITS);
}

/** How many bytes from `a` and `b` (a < b) on are equal, at most to `stop`; reads up to 7 bytes past it. */
export function matchLength(a: usize, b: usize, stop: usize): u32 {
  const start = b;
  while (b < stop) {
    const difference = load<u64>(a) ^ load<u64>(b);
    if (difference != 0) {
      b += <usize>(ctz(difference) >> 3);
      break;
    }
    a += 8;
    b += 8;
  }
  return <u32>(min<usize>(b, stop) - start);
}

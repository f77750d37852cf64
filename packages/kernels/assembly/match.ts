// Copies of what was just written, as in Snappy and LZ4: the source may overlap the target.

// lane i of row d: i % d, so that a swizzle of the last d bytes repeats them.
const PATTERNS = memory.data(256);
let ready: bool = false;

function preparePatterns(): void {
  for (let d: u32 = 1; d < 16; d++) {
    for (let i: u32 = 0; i < 16; i++) store<u8>(PATTERNS + (d << 4) + i, i % d);
  }
  ready = true;
}

/** Copies `length` bytes from `distance` back to `d`; writes up to 15 bytes past them. */
// @ts-ignore: decorator
@inline
export function copyMatch(d: usize, distance: u32, length: u32): void {
  const s = d - distance;
  if (distance >= 16) {
    v128.store(d, v128.load(s));
    for (let j: usize = 16; j < <usize>length; j += 16) v128.store(d + j, v128.load(s + j));
  } else copyPattern(d, distance, length);
}

function copyPattern(d: usize, distance: u32, length: u32): void {
  if (!ready) preparePatterns();
  const pattern = i8x16.swizzle(v128.load(d - distance), v128.load(PATTERNS + (distance << 4)));
  const step = 16 - (16 % distance);
  for (let j: u32 = 0; j < length; j += step) v128.store(d + j, pattern);
}

// CRC-32C of sixteen byte strings at once, one in each lane of a vector. A table look-up by a byte is linear, so it is
// the xor of two look-ups by its halves, and a look-up by four bits is one swizzle. About twice as fast as slicing, and
// unlike it without 16 KiB of tables in the cache.
import { crc32c } from "./crc32c";

export const LANES: u32 = 16;

/** For each byte of the CRC what the low halves give, then what the high halves give: 8 vectors. */
const NIBBLES: usize = memory.data(128, 16);
/** Two times 16 vectors, between which a block is transposed; the first also takes the states out. */
const BLOCK: usize = memory.data(256, 16);
const OTHER: usize = memory.data(256, 16);
let ready: bool = false;

function entry(n: u32): u32 {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
}

function makeNibbles(): void {
  for (let n: u32 = 0; n < 16; n++) {
    const low = entry(n);
    const high = entry(n << 4);
    for (let k: u32 = 0; k < 4; k++) {
      store<u8>(NIBBLES + <usize>(k * 16 + n), <u8>(low >>> (k * 8)));
      store<u8>(NIBBLES + <usize>(64 + k * 16 + n), <u8>(high >>> (k * 8)));
    }
  }
  ready = true;
}

// @ts-ignore: decorator
@inline
function lowHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Two steps of the four that transpose 16 × 16 bytes, for four of the sixteen vectors. */
// @ts-ignore: decorator
@inline
function interleaveTwice(a: v128, b: v128, c: v128, d: v128, to: usize): void {
  const ac = lowHalves(a, c);
  const ca = highHalves(a, c);
  const bd = lowHalves(b, d);
  const db = highHalves(b, d);
  v128.store(to, lowHalves(ac, bd));
  v128.store(to, highHalves(ac, bd), 16);
  v128.store(to, lowHalves(ca, db), 32);
  v128.store(to, highHalves(ca, db), 48);
}

/** Bytes [offset, offset + 16) of all strings, byte by byte, to BLOCK. */
// @ts-ignore: decorator
@inline
function transpose(starts: usize, offset: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    const at = starts + (i << 2);
    interleaveTwice(
      v128.load(<usize>load<u32>(at) + offset),
      v128.load(<usize>load<u32>(at, 16) + offset),
      v128.load(<usize>load<u32>(at, 32) + offset),
      v128.load(<usize>load<u32>(at, 48) + offset),
      OTHER + (i << 6),
    );
  }
  for (let i: usize = 0; i < 4; i++) {
    const at = OTHER + (i << 4);
    interleaveTwice(
      v128.load(at),
      v128.load(at, 64),
      v128.load(at, 128),
      v128.load(at, 192),
      BLOCK + (i << 6),
    );
  }
}

/**
 * CRCs of the sixteen strings at the addresses in `starts`, as long as `lengths` say, to `crcs`. Strings of nearly equal
 * length gain most: what the others have more than the shortest is done one by one.
 */
export function crc32cMany(starts: usize, lengths: usize, crcs: usize): void {
  if (!ready) makeNibbles();
  let shortest: u32 = 0xffffffff;
  for (let i: usize = 0; i < 64; i += 4) shortest = min(shortest, load<u32>(lengths + i));
  const stop = <usize>(shortest & ~15);
  const low0 = v128.load(NIBBLES);
  const low1 = v128.load(NIBBLES, 16);
  const low2 = v128.load(NIBBLES, 32);
  const low3 = v128.load(NIBBLES, 48);
  const high0 = v128.load(NIBBLES, 64);
  const high1 = v128.load(NIBBLES, 80);
  const high2 = v128.load(NIBBLES, 96);
  const high3 = v128.load(NIBBLES, 112);
  const mask = i8x16.splat(15);
  let c0 = i8x16.splat(-1);
  let c1 = c0;
  let c2 = c0;
  let c3 = c0;
  for (let offset: usize = 0; offset < stop; offset += 16) {
    transpose(starts, offset);
    for (let k: usize = 0; k < 256; k += 16) {
      const index = v128.xor(c0, v128.load(BLOCK + k));
      const low = v128.and(index, mask);
      const high = i8x16.shr_u(index, 4);
      c0 = v128.xor(c1, v128.xor(i8x16.swizzle(low0, low), i8x16.swizzle(high0, high)));
      c1 = v128.xor(c2, v128.xor(i8x16.swizzle(low1, low), i8x16.swizzle(high1, high)));
      c2 = v128.xor(c3, v128.xor(i8x16.swizzle(low2, low), i8x16.swizzle(high2, high)));
      c3 = v128.xor(i8x16.swizzle(low3, low), i8x16.swizzle(high3, high));
    }
  }
  v128.store(BLOCK, c0);
  v128.store(BLOCK, c1, 16);
  v128.store(BLOCK, c2, 32);
  v128.store(BLOCK, c3, 48);
  for (let i: usize = 0; i < 16; i++) {
    const state =
      <u32>load<u8>(BLOCK + i) |
      (<u32>load<u8>(BLOCK + i, 16) << 8) |
      (<u32>load<u8>(BLOCK + i, 32) << 16) |
      (<u32>load<u8>(BLOCK + i, 48) << 24);
    const start = <usize>load<u32>(starts + (i << 2));
    const length = <usize>load<u32>(lengths + (i << 2));
    store<u32>(crcs + (i << 2), crc32c(~state, start + stop, length - stop));
  }
}

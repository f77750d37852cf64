// BYTE_STREAM_SPLIT (Parquet Encodings.md, = 9): byte k of every value, for k = 0 .. width − 1.
import { COUNT, fail, setPosition } from "./status";

function split2(src: usize, out: usize, count: u32): u32 {
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) {
    const a = v128.load(src + i);
    const b = v128.load(src + count + i);
    v128.store(out, i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(out, i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
    out += 32;
  }
  return i;
}

// @ts-ignore: decorator
@inline
function low8(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function high8(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// @ts-ignore: decorator
@inline
function low16(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
}

// @ts-ignore: decorator
@inline
function high16(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
}

// @ts-ignore: decorator
@inline
function low32(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
}

// @ts-ignore: decorator
@inline
function high32(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
}

function split4(src: usize, out: usize, count: u32): u32 {
  const n = <usize>count;
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) {
    const p = src + i;
    const a = v128.load(p);
    const b = v128.load(p + n);
    const c = v128.load(p + 2 * n);
    const d = v128.load(p + 3 * n);
    const ab = low8(a, b);
    const cd = low8(c, d);
    v128.store(out, low16(ab, cd));
    v128.store(out, high16(ab, cd), 16);
    const ab2 = high8(a, b);
    const cd2 = high8(c, d);
    v128.store(out, low16(ab2, cd2), 32);
    v128.store(out, high16(ab2, cd2), 48);
    out += 64;
  }
  return i;
}

// @ts-ignore: decorator
@inline
function join8(ab: v128, cd: v128, ef: v128, gh: v128, out: usize): void {
  const abcd = low16(ab, cd);
  const efgh = low16(ef, gh);
  v128.store(out, low32(abcd, efgh));
  v128.store(out, high32(abcd, efgh), 16);
  const abcd2 = high16(ab, cd);
  const efgh2 = high16(ef, gh);
  v128.store(out, low32(abcd2, efgh2), 32);
  v128.store(out, high32(abcd2, efgh2), 48);
}

function split8(src: usize, out: usize, count: u32): u32 {
  const n = <usize>count;
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) {
    const p = src + i;
    const a = v128.load(p);
    const b = v128.load(p + n);
    const c = v128.load(p + 2 * n);
    const d = v128.load(p + 3 * n);
    const e = v128.load(p + 4 * n);
    const f = v128.load(p + 5 * n);
    const g = v128.load(p + 6 * n);
    const h = v128.load(p + 7 * n);
    join8(low8(a, b), low8(c, d), low8(e, f), low8(g, h), out);
    join8(high8(a, b), high8(c, d), high8(e, f), high8(g, h), out + 64);
    out += 128;
  }
  return i;
}

export function byteStreamSplit(src: usize, srcLength: u32, width: u32, out: usize, count: u32): i32 {
  if (<u64>count * width != <u64>srcLength) return fail(COUNT, srcLength);
  let done: u32 = 0;
  if (width == 2) done = split2(src, out, count);
  else if (width == 4) done = split4(src, out, count);
  else if (width == 8) done = split8(src, out, count);
  for (let k: u32 = 0; k < width; k++) {
    const stream = src + <usize>k * count;
    let o = out + <usize>done * width + k;
    for (let i = done; i < count; i++) {
      store<u8>(o, load<u8>(stream + i));
      o += width;
    }
  }
  setPosition(srcLength);
  return <i32>srcLength;
}

// DELTA_BINARY_PACKED (Parquet Encodings.md, = 5): blocks of zigzag minimum delta, miniblock bit widths, miniblocks.
// Arithmetic wraps around. A block may have any number of miniblocks of any multiple of 8 values, and the last
// miniblock may lack the bytes of its padding.
import { BIT_WIDTH, CORRUPT, COUNT, LENGTH, OVERFLOW, TRUNCATED, fail, setPosition } from "./status";
import { bitsAt, packedBytes, unpack32 } from "./unpack";
import { readVarint32, readVarint64, unzigzag, varintEnd } from "./varint";

let miniblocks: u32 = 0;
let perMiniblock: u32 = 0;
let total: u32 = 0;
let first: i64 = 0;
let bodyStart: usize = 0;
let failedAt: usize = 0;

/** Header: block size, miniblocks per block, total count, first value. */
function readHeader(src: usize, stop: usize): i32 {
  let p = src;
  const block = readVarint32(p, stop);
  failedAt = p;
  if ((p = varintEnd()) == 0) return TRUNCATED;
  miniblocks = readVarint32(p, stop);
  failedAt = p;
  if ((p = varintEnd()) == 0) return TRUNCATED;
  if (block == 0 || miniblocks == 0 || block % miniblocks != 0) return CORRUPT;
  perMiniblock = block / miniblocks;
  if (perMiniblock % 8 != 0) return CORRUPT;
  total = readVarint32(p, stop);
  failedAt = p;
  if ((p = varintEnd()) == 0) return TRUNCATED;
  if (total > 0x7fffffff) return CORRUPT;
  first = unzigzag(readVarint64(p, stop));
  failedAt = p;
  if ((p = varintEnd()) == 0) return TRUNCATED;
  bodyStart = p;
  return 0;
}

/** Values in the stream, without decoding them. */
export function deltaCount(src: usize, srcLength: u32): i32 {
  const status = readHeader(src, src + srcLength);
  return status < 0 ? fail(status, failedAt - src) : <i32>total;
}

/** Unpacks one miniblock into T and adds it up from `value`; returns the last value. */
// @ts-ignore: decorator
@inline
function addUp<T>(p: usize, width: u32, minimum: i64, value: T, out: usize, count: u32): T {
  let o = out;
  const least = <T>minimum;
  if (width == 0) {
    for (let i: u32 = 0; i < count; i++) {
      value = <T>(value + least);
      store<T>(o, value);
      o += sizeof<T>();
    }
    return value;
  }
  if (sizeof<T>() == 4 && width <= 32) {
    unpack32(p, width, out, count);
    let i: u32 = 0;
    const step = i32x4.splat(<i32>minimum);
    let last = i32x4.splat(<i32>value);
    for (; i + 4 <= count; i += 4) {
      let v = i32x4.add(v128.load(o), step);
      v = i32x4.add(v, i8x16.shuffle(v, i32x4.splat(0), 16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
      v = i32x4.add(v, i8x16.shuffle(v, i32x4.splat(0), 16, 16, 16, 16, 16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7));
      v = i32x4.add(v, last);
      v128.store(o, v);
      last = i8x16.shuffle(v, v, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15);
      o += 16;
    }
    value = <T>i32x4.extract_lane(last, 0);
    for (; i < count; i++) {
      value = <T>(value + least + load<T>(o));
      store<T>(o, value);
      o += sizeof<T>();
    }
    return value;
  }
  let bit: u64 = 0;
  if (width <= 56) {
    const mask: u64 = (<u64>1 << width) - 1;
    for (let i: u32 = 0; i < count; i++) {
      value = <T>(value + least + <T>((load<u64>(p + <usize>(bit >> 3)) >> (bit & 7)) & mask));
      bit += width;
      store<T>(o, value);
      o += sizeof<T>();
    }
    return value;
  }
  for (let i: u32 = 0; i < count; i++) {
    value = <T>(value + least + <T>bitsAt(p, bit, width));
    bit += width;
    store<T>(o, value);
    o += sizeof<T>();
  }
  return value;
}

// @ts-ignore: decorator
@inline
function decode<T>(src: usize, srcLength: u32, out: usize, count: u32): i32 {
  const stop = src + srcLength;
  const status = readHeader(src, stop);
  if (status < 0) return fail(status, failedAt - src);
  if (total != count) return fail(COUNT, 0);
  let p = bodyStart;
  if (count > 0) store<T>(out, <T>first);
  let value = <T>first;
  let o = out + sizeof<T>();
  let left = count > 0 ? count - 1 : 0;
  while (left > 0) {
    const minimum = unzigzag(readVarint64(p, stop));
    const widths = varintEnd();
    if (widths == 0) return fail(TRUNCATED, p - src);
    if (<usize>miniblocks > stop - widths) return fail(TRUNCATED, widths - src);
    p = widths + miniblocks;
    for (let m: u32 = 0; m < miniblocks && left > 0; m++) {
      const width: u32 = load<u8>(widths + m);
      if (width > 64) return fail(BIT_WIDTH, widths + m - src);
      const wanted = min<u32>(left, perMiniblock);
      const available = stop - p;
      if (packedBytes(wanted, width) > <u64>available) return fail(TRUNCATED, p - src);
      value = addUp<T>(p, width, minimum, value, o, wanted);
      o += <usize>wanted * sizeof<T>();
      left -= wanted;
      const bytes = packedBytes(perMiniblock, width);
      p = bytes > <u64>available ? stop : p + <usize>bytes;
    }
  }
  setPosition(p - src);
  return <i32>(p - src);
}

export function deltaBinaryPacked32(src: usize, srcLength: u32, out: usize, count: u32): i32 {
  return decode<i32>(src, srcLength, out, count);
}

export function deltaBinaryPacked64(src: usize, srcLength: u32, out: usize, count: u32): i32 {
  return decode<i64>(src, srcLength, out, count);
}

/** Sum of `count` lengths; LENGTH when one is negative, OVERFLOW above 2^31 − 1. */
export function sumLengths(lengths: usize, count: u32): i32 {
  let sum: i64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const length = load<i32>(lengths + (<usize>i << 2));
    if (length < 0) return LENGTH;
    sum += length;
  }
  return sum > 0x7fffffff ? OVERFLOW : <i32>sum;
}

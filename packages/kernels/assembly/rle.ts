// RLE / bit-packing hybrid (Parquet Encodings.md, RLE = 3). A bit-packed run is padded to 8 values; the last one may
// lack the bytes of its padding. Runs of no values are legal. A width of 0 takes no input: every value is 0.
import { fillBits, moveBits, countBits } from "./bits";
import { BIT_WIDTH, CORRUPT, INDEX, LEVEL, TRUNCATED, fail, setPosition, setValid } from "./status";
import { packedBytes, unpack32, unpack8 } from "./unpack";
import { readVarint32, varintEnd } from "./varint";

// The run that `readRun` found.
let packed: bool = false;
/** Values of the run that are wanted. */
let length: u32 = 0;
/** Value of a repeated run. */
let repeated: u32 = 0;
/** First byte of the packed values. */
let body: usize = 0;
/** First byte after the run. */
let next: usize = 0;

function readRun(p: usize, stop: usize, width: u32, wanted: u32): i32 {
  const header = readVarint32(p, stop);
  const q = varintEnd();
  if (q == 0) return p + 5 <= stop ? CORRUPT : TRUNCATED;
  const available = stop - q;
  packed = (header & 1) != 0;
  body = q;
  if (packed) {
    const groups = header >> 1;
    length = <u64>groups * 8 > <u64>wanted ? wanted : groups * 8;
    if (packedBytes(length, width) > <u64>available) return TRUNCATED;
    const bytes = <u64>groups * width;
    next = bytes > <u64>available ? stop : q + <usize>bytes;
    return 0;
  }
  const run = header >> 1;
  length = run > wanted ? wanted : run;
  const bytes: u32 = (width + 7) >> 3;
  if (<usize>bytes > available) return TRUNCATED;
  let value: u32 = 0;
  for (let k: u32 = 0; k < bytes; k++) value |= <u32>load<u8>(q + k) << (k << 3);
  repeated = value;
  next = q + bytes;
  return 0;
}

function fill32(out: usize, value: u32, count: u32): void {
  const four = i32x4.splat(value);
  let o = out;
  const stop = out + (<usize>count << 2);
  for (; o + 16 <= stop; o += 16) v128.store(o, four);
  for (; o < stop; o += 4) store<u32>(o, value);
}

/** Largest of `count` unsigned 32-bit values, 0 when there are none. */
export function max32(src: usize, count: u32): u32 {
  let p = src;
  const stop = src + (<usize>count << 2);
  let most = i32x4.splat(0);
  for (; p + 16 <= stop; p += 16) most = i32x4.max_u(most, v128.load(p));
  let value = max<u32>(
    max<u32>(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max<u32>(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
  );
  for (; p < stop; p += 4) value = max<u32>(value, load<u32>(p));
  return value;
}

export function rleIndices(src: usize, srcLength: u32, width: u32, bound: u32, out: usize, count: u32): i32 {
  if (width > 32) return fail(BIT_WIDTH, 0);
  if (width == 0) {
    if (bound == 0 && count > 0) return fail(INDEX, 0);
    memory.fill(out, 0, <usize>count << 2);
    setPosition(srcLength);
    return <i32>srcLength;
  }
  const stop = src + srcLength;
  let p = src;
  let left = count;
  let o = out;
  while (left > 0) {
    const status = readRun(p, stop, width, left);
    if (status < 0) return fail(status, p - src);
    if (packed) {
      const largest = unpack32(body, width, o, length);
      if (length > 0 && largest >= bound) return fail(INDEX, p - src);
    } else {
      if (length > 0 && repeated >= bound) return fail(INDEX, p - src);
      fill32(o, repeated, length);
    }
    o += <usize>length << 2;
    left -= length;
    p = next;
  }
  setPosition(p - src);
  return <i32>(p - src);
}

export function rleIntegers(src: usize, srcLength: u32, width: u32, out: usize, count: u32): i32 {
  if (width > 32) return fail(BIT_WIDTH, 0);
  const stop = src + srcLength;
  let p = src;
  let left = width == 0 ? 0 : count;
  if (width == 0) memory.fill(out, 0, <usize>count << 2);
  let o = out;
  while (left > 0) {
    const status = readRun(p, stop, width, left);
    if (status < 0) return fail(status, p - src);
    if (packed) unpack32(body, width, o, length);
    else fill32(o, repeated, length);
    o += <usize>length << 2;
    left -= length;
    p = next;
  }
  setPosition(p - src);
  return <i32>(p - src);
}

/** Counts the levels equal to `maxLevel`; false, with the position, when one is above it. */
export function scanLevels(levels: usize, count: u32, maxLevel: u32): bool {
  const top = i8x16.splat(<u8>maxLevel);
  let i: u32 = 0;
  let atMax: u32 = 0;
  let over: v128 = i8x16.splat(0);
  for (; i + 16 <= count; i += 16) {
    const v = v128.load(levels + i);
    over = v128.or(over, i8x16.gt_u(v, top));
    atMax += popcnt(i8x16.bitmask(i8x16.eq(v, top)));
  }
  let bad = v128.any_true(over);
  for (; i < count; i++) {
    const v: u32 = load<u8>(levels + i);
    if (v > maxLevel) bad = true;
    if (v == maxLevel) atMax++;
  }
  setValid(atMax);
  if (!bad) return true;
  i = 0;
  while (<u32>load<u8>(levels + i) <= maxLevel) i++;
  setPosition(i);
  return false;
}

export function rleLevels(src: usize, srcLength: u32, width: u32, maxLevel: u32, out: usize, count: u32): i32 {
  if (width > 8) return fail(BIT_WIDTH, 0);
  const stop = src + srcLength;
  let p = src;
  let left = width == 0 ? 0 : count;
  if (width == 0) memory.fill(out, 0, count);
  let o = out;
  while (left > 0) {
    const status = readRun(p, stop, width, left);
    if (status < 0) return fail(status, p - src);
    if (packed) unpack8(body, width, o, length);
    else memory.fill(o, <u8>repeated, length);
    o += length;
    left -= length;
    p = next;
  }
  if (!scanLevels(out, count, maxLevel)) return LEVEL;
  setPosition(p - src);
  return <i32>(p - src);
}

export function rleBits(src: usize, srcLength: u32, out: usize, index: u32, count: u32): i32 {
  const stop = src + srcLength;
  let p = src;
  let done: u32 = 0;
  while (done < count) {
    const status = readRun(p, stop, 1, count - done);
    if (status < 0) return fail(status, p - src);
    if (packed) moveBits(body, 0, out, index + done, length);
    else {
      if (length > 0 && repeated > 1) return fail(LEVEL, p - src);
      fillBits(out, index + done, length, repeated);
    }
    done += length;
    p = next;
  }
  setValid(countBits(out, index, count));
  setPosition(p - src);
  return <i32>(p - src);
}

/** Deprecated encoding BIT_PACKED = 4: most significant bit first, no runs. */
export function bitPackedLevels(src: usize, srcLength: u32, width: u32, maxLevel: u32, out: usize, count: u32): i32 {
  if (width > 8) return fail(BIT_WIDTH, 0);
  const bytes = packedBytes(count, width);
  if (bytes > <u64>srcLength) return fail(TRUNCATED, srcLength);
  const mask: u32 = (1 << width) - 1;
  let bit: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const p = src + <usize>(bit >> 3);
    const window = (<u32>load<u8>(p) << 8) | <u32>load<u8>(p, 1);
    store<u8>(out + i, (window >> (16 - <u32>(bit & 7) - width)) & mask);
    bit += width;
  }
  if (!scanLevels(out, count, maxLevel)) return LEVEL;
  setPosition(<usize>bytes);
  return <i32>bytes;
}

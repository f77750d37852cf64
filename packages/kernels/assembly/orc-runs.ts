// ORC run-length encodings of integers (specification v1, "Run Length Encoding"). The decoder keeps its place in a state
// block, so that a stream can be read in pieces that cut runs anywhere, and go on when more of it has come.
//
// State, INTEGER_STATE_BYTES: u32 pos, u32 end (addresses), u32 next, u32 count, u32 done, u32 0, then up to 512 decoded
// int64.
import { BIT_WIDTH, LENGTH, TRUNCATED, fail } from "./status";
import { readVarint64, unzigzag, varintEnd } from "./varint";

const BUFFER: usize = 24;

/** Bits per value of a 5-bit width code ("Direct" and later tables). */
function widthOf(code: u32): u32 {
  if (code < 24) return code + 1;
  if (code < 28) return 26 + (code - 24) * 2;
  return code == 28 ? 40 : code == 29 ? 48 : code == 30 ? 56 : 64;
}

/** The smallest storable width of at least `bits`. */
function closestWidth(bits: u32): u32 {
  if (bits <= 24) return bits == 0 ? 1 : bits;
  if (bits <= 32) return (bits + 1) & ~1;
  return bits <= 40 ? 40 : bits <= 48 ? 48 : bits <= 56 ? 56 : 64;
}

// @ts-ignore: decorator
@inline
function bitsAt(src: usize, bit: u64, width: u64): u64 {
  const p = src + <usize>(bit >> 3);
  const shift = bit & 7;
  const high = bswap<u64>(load<u64>(p)) << shift;
  if (shift + width <= 64) return high >> (64 - width);
  return (high | (<u64>load<u8>(p, 8) >> (8 - shift))) >> (64 - width);
}

/** Unpacks big-endian bit-packed values; the bytes behind `src` have been checked. */
function unpack(src: usize, width: u64, count: u32, out: usize): void {
  let bit: u64 = 0;
  for (let i: u32 = 0; i < count; i++, bit += width) store<u64>(out + (<usize>i << 3), bitsAt(src, bit, width));
}

// @ts-ignore: decorator
@inline
function packedBytes(width: u32, count: u32): usize {
  return <usize>((width * count + 7) >> 3);
}

function bigEndian(p: usize, bytes: u32): u64 {
  let value: u64 = 0;
  for (let i: u32 = 0; i < bytes; i++) value = (value << 8) | <u64>load<u8>(p + i);
  return value;
}

let runEnd: usize = 0;

function shortRepeat(p: usize, stop: usize, isSigned: bool, out: usize): i32 {
  const header: u32 = load<u8>(p++);
  const bytes = ((header >> 3) & 7) + 1;
  const count = (header & 7) + 3;
  if (p + bytes > stop) return TRUNCATED;
  const raw = bigEndian(p, bytes);
  const value = isSigned ? <u64>unzigzag(raw) : raw;
  for (let i: u32 = 0; i < count; i++) store<u64>(out + (<usize>i << 3), value);
  runEnd = p + bytes;
  return <i32>count;
}

function direct(p: usize, stop: usize, isSigned: bool, out: usize): i32 {
  const header = (<u32>load<u8>(p) << 8) | <u32>load<u8>(p, 1);
  const width = widthOf((header >> 9) & 31);
  const count = (header & 511) + 1;
  p += 2;
  const bytes = packedBytes(width, count);
  if (p + bytes > stop) return TRUNCATED;
  unpack(p, width, count, out);
  if (isSigned) {
    for (let q = out, last = out + (<usize>count << 3); q < last; q += 8) store<u64>(q, <u64>unzigzag(load<u64>(q)));
  }
  runEnd = p + bytes;
  return <i32>count;
}

function patchedBase(p: usize, stop: usize, out: usize): i32 {
  if (p + 4 > stop) return TRUNCATED;
  const header = (<u32>load<u8>(p) << 8) | <u32>load<u8>(p, 1);
  const width = widthOf((header >> 9) & 31);
  const count = (header & 511) + 1;
  const third: u32 = load<u8>(p, 2);
  const fourth: u32 = load<u8>(p, 3);
  const baseBytes = (third >> 5) + 1;
  const patchWidth = widthOf(third & 31);
  const gapWidth = (fourth >> 5) + 1;
  const patches = fourth & 31;
  if (patchWidth + gapWidth > 64) return BIT_WIDTH;
  p += 4;
  const entryWidth = closestWidth(patchWidth + gapWidth);
  const dataBytes = packedBytes(width, count);
  const patchBytes = packedBytes(entryWidth, patches);
  if (p + baseBytes + dataBytes + patchBytes > stop) return TRUNCATED;
  // The base is sign and magnitude, unlike every other number of the format.
  const raw = bigEndian(p, baseBytes);
  const sign: u64 = (<u64>1) << (<u64>baseBytes * 8 - 1);
  const base: i64 = raw & sign ? -(<i64>(raw & ~sign)) : <i64>raw;
  p += baseBytes;
  unpack(p, width, count, out);
  p += dataBytes;
  let index: u32 = 0;
  const mask: u64 = (((<u64>1) << <u64>patchWidth) - 1);
  for (let i: u32 = 0; i < patches; i++) {
    const entry = bitsAt(p, <u64>i * entryWidth, entryWidth);
    const patch = entry & mask;
    const gap = <u32>((entry >> <u64>patchWidth) & (((<u64>1) << <u64>gapWidth) - 1));
    index += gap;
    // A gap of 255 without a patch only bridges a distance that one entry cannot hold.
    if (patch == 0) continue;
    if (index >= count) return LENGTH;
    if (width >= 64) return BIT_WIDTH;
    const at = out + (<usize>index << 3);
    store<u64>(at, load<u64>(at) | (patch << <u64>width));
  }
  for (let q = out, last = out + (<usize>count << 3); q < last; q += 8) store<i64>(q, load<i64>(q) + base);
  runEnd = p + patchBytes;
  return <i32>count;
}

function delta(p: usize, stop: usize, isSigned: bool, out: usize): i32 {
  const header = (<u32>load<u8>(p) << 8) | <u32>load<u8>(p, 1);
  const code = (header >> 9) & 31;
  const count = (header & 511) + 1;
  const rawBase = readVarint64(p + 2, stop);
  if (varintEnd() == 0) return TRUNCATED;
  const step = unzigzag(readVarint64(varintEnd(), stop));
  if (varintEnd() == 0) return TRUNCATED;
  p = varintEnd();
  let value: i64 = isSigned ? unzigzag(rawBase) : <i64>rawBase;
  store<i64>(out, value);
  if (code == 0) {
    for (let i: u32 = 1; i < count; i++) store<i64>(out + (<usize>i << 3), (value += step));
    runEnd = p;
    return <i32>count;
  }
  const width = widthOf(code);
  const packed = count > 2 ? count - 2 : 0;
  const bytes = packedBytes(width, packed);
  if (p + bytes > stop) return TRUNCATED;
  if (count > 1) store<i64>(out, (value += step), 8);
  let bit: u64 = 0;
  for (let i: u32 = 0; i < packed; i++, bit += width) {
    const change = <i64>bitsAt(p, bit, width);
    value = step < 0 ? value - change : value + change;
    store<i64>(out + ((<usize>i + 2) << 3), value);
  }
  runEnd = p + bytes;
  return <i32>count;
}

function runV2(p: usize, stop: usize, isSigned: bool, out: usize): i32 {
  if (p >= stop) return TRUNCATED;
  const kind = load<u8>(p) >> 6;
  if (kind == 0) return shortRepeat(p, stop, isSigned, out);
  if (p + 2 > stop) return TRUNCATED;
  if (kind == 1) return direct(p, stop, isSigned, out);
  return kind == 2 ? patchedBase(p, stop, out) : delta(p, stop, isSigned, out);
}

function runV1(p: usize, stop: usize, isSigned: bool, out: usize): i32 {
  if (p >= stop) return TRUNCATED;
  const control = <i32>load<i8>(p++);
  if (control >= 0) {
    if (p >= stop) return TRUNCATED;
    const step = <i64>load<i8>(p++);
    const raw = readVarint64(p, stop);
    if (varintEnd() == 0) return TRUNCATED;
    let value: i64 = isSigned ? unzigzag(raw) : <i64>raw;
    const count = control + 3;
    for (let i = 0; i < count; i++, value += step) store<i64>(out + (<usize>i << 3), value);
    runEnd = varintEnd();
    return count;
  }
  const count = -control;
  for (let i = 0; i < count; i++) {
    const raw = readVarint64(p, stop);
    if (varintEnd() == 0) return TRUNCATED;
    p = varintEnd();
    store<i64>(out + (<usize>i << 3), isSigned ? unzigzag(raw) : <i64>raw);
  }
  runEnd = p;
  return count;
}

/** The next `count` integers of a stream as int64. After TRUNCATED the state says how many there were, and stays good. */
export function orcIntegers(state: usize, version: u32, isSigned: u32, out: usize, count: u32): i32 {
  const stop = <usize>load<u32>(state, 4);
  let done: u32 = 0;
  while (done < count) {
    const next = load<u32>(state, 8);
    const held = load<u32>(state, 12) - next;
    if (held > 0) {
      const taken = min(held, count - done);
      memory.copy(out + (<usize>done << 3), state + BUFFER + (<usize>next << 3), <usize>taken << 3);
      store<u32>(state, next + taken, 8);
      done += taken;
      continue;
    }
    const p = <usize>load<u32>(state);
    const whole = count - done >= 512;
    const target = whole ? out + (<usize>done << 3) : state + BUFFER;
    const run = version == 1 ? runV1(p, stop, isSigned != 0, target) : runV2(p, stop, isSigned != 0, target);
    if (run < 0) {
      store<u32>(state, done, 16);
      return fail(run, stop > p ? stop - p : 0);
    }
    store<u32>(state, <u32>runEnd);
    if (whole) done += run;
    else {
      store<u32>(state, 0, 8);
      store<u32>(state, run, 12);
    }
  }
  return <i32>count;
}

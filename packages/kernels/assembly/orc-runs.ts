// ORC run-length encodings (specification v1, "Run Length Encoding"). Every decoder keeps its place in a state block, so
// that a stream can be read in pieces that cut runs anywhere.
//
// Integer state, INTEGER_STATE_BYTES: u32 pos, u32 end (addresses), u32 next, u32 count, then up to 512 decoded int64.
// Byte state, 32 bytes: u32 pos, u32 end, u32 left, u32 literal, u32 value, u32 bits, u32 bitsLeft.
import { BIT_WIDTH, CORRUPT, LENGTH, OVERFLOW, TRUNCATED, fail, setValid } from "./status";
import { readVarint64, unzigzag, varintEnd } from "./varint";
import { putBits } from "./bits";

const BUFFER: usize = 16;

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

/** The next `count` integers of a stream as int64. */
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
    if (run < 0) return fail(run, stop > p ? stop - p : 0);
    store<u32>(state, <u32>runEnd);
    if (whole) done += run;
    else {
      store<u32>(state, 0, 8);
      store<u32>(state, run, 12);
    }
  }
  return <i32>count;
}

/** The next byte of a byte-RLE stream, or a negative status. */
// @ts-ignore: decorator
@inline
function nextByte(state: usize, stop: usize): i32 {
  let left = load<u32>(state, 8);
  let p = <usize>load<u32>(state);
  if (left == 0) {
    if (p + 2 > stop) return TRUNCATED;
    const control = <i32>load<i8>(p++);
    if (control >= 0) {
      left = control + 3;
      store<u32>(state, 0, 12);
      store<u32>(state, <u32>load<u8>(p++), 16);
    } else {
      left = -control;
      store<u32>(state, 1, 12);
    }
  }
  store<u32>(state, left - 1, 8);
  if (load<u32>(state, 12) == 0) {
    store<u32>(state, <u32>p);
    return <i32>load<u32>(state, 16);
  }
  if (p >= stop) return TRUNCATED;
  const byte = <i32>load<u8>(p++);
  store<u32>(state, <u32>p);
  return byte;
}

/** The next `count` bytes of a byte-RLE stream. */
export function orcBytes(state: usize, out: usize, count: u32): i32 {
  const stop = <usize>load<u32>(state, 4);
  for (let i: u32 = 0; i < count; i++) {
    const byte = nextByte(state, stop);
    if (byte < 0) return fail(byte, 0);
    store<u8>(out + i, byte);
  }
  return <i32>count;
}

/** The next `count` bits of a boolean stream (most significant first) as a bitmap from bit 0. */
export function orcBooleans(state: usize, out: usize, count: u32): i32 {
  const stop = <usize>load<u32>(state, 4);
  let bits = load<u32>(state, 20);
  let left = load<u32>(state, 24);
  let set: u32 = 0;
  for (let i: u32 = 0; i < count; ) {
    if (left == 0) {
      const byte = nextByte(state, stop);
      if (byte < 0) return fail(byte, 0);
      bits = <u32>byte;
      left = 8;
    }
    const taken = min(left, min<u32>(8 - (i & 7), count - i));
    let value: u32 = 0;
    for (let k: u32 = 0; k < taken; k++) value |= ((bits >> (left - 1 - k)) & 1) << k;
    left -= taken;
    putBits(out, i, value, taken);
    set += popcnt(value);
    i += taken;
  }
  store<u32>(state, bits, 20);
  store<u32>(state, left, 24);
  setValid(set);
  return <i32>count;
}

/** int64 → int32, int16 or int8. */
export function narrowFrom64(src: usize, count: u32, bytes: u32, out: usize): i32 {
  const shift: i64 = 64 - <i64>bytes * 8;
  for (let i: u32 = 0; i < count; i++) {
    const value = load<i64>(src + (<usize>i << 3));
    if ((value << shift) >> shift != value) return fail(OVERFLOW, i);
    if (bytes == 4) store<i32>(out + (<usize>i << 2), <i32>value);
    else if (bytes == 2) store<i16>(out + (<usize>i << 1), <i16>value);
    else store<i8>(out + i, <i8>value);
  }
  return <i32>count;
}

/** `count` int64 lengths → count + 1 int32 offsets from `base` on. Returns the last; LENGTH (negative), OVERFLOW. */
export function lengthsToOffsets(src: usize, count: u32, base: u32, out: usize): i32 {
  let total: i64 = base;
  store<i32>(out, <i32>base);
  for (let i: u32 = 0; i < count; i++) {
    const length = load<i64>(src + (<usize>i << 3));
    if (length < 0) return fail(LENGTH, i);
    total += length;
    if (length > 0x7fffffff || total > 0x7fffffff) return fail(OVERFLOW, i);
    store<i32>(out + ((<usize>i + 1) << 2), <i32>total);
  }
  return <i32>total;
}

const DIGITS: i64 = 38;

/**
 * `count` zigzag varints of up to 128 bits, each scaled from scales[i] to `scale` → 16-byte decimals. Returns bytes
 * consumed; TRUNCATED, OVERFLOW (position: values) when a value does not fit 128 bits or loses digits.
 */
export function orcDecimals(src: usize, srcLength: u32, scales: usize, scale: i32, out: usize, count: u32): i32 {
  let p = src;
  const stop = src + srcLength;
  for (let i: u32 = 0; i < count; i++) {
    let low: u64 = 0;
    let high: u64 = 0;
    let shift: u64 = 0;
    for (;;) {
      if (p >= stop) return fail(TRUNCATED, p - src);
      const byte: u64 = load<u8>(p++);
      const part = byte & 127;
      if (shift < 64) {
        low |= part << shift;
        if (shift > 57) high |= part >> (64 - shift);
      } else if (shift < 126) high |= part << (shift - 64);
      else {
        if (shift > 126 || part > 3) return fail(OVERFLOW, i);
        high |= part << 62;
      }
      shift += 7;
      if (byte < 128) break;
    }
    const sign: u64 = 0 - (low & 1);
    low = ((low >> 1) | (high << 63)) ^ sign;
    high = (high >> 1) ^ sign;
    const missing = <i64>scale - load<i64>(scales + (<usize>i << 3));
    if (missing != 0) {
      if (missing > DIGITS || missing < -DIGITS) {
        if ((low | high) != 0) return fail(OVERFLOW, i);
      } else if (missing > 0) {
        for (let k: i64 = 0; k < missing; k++) if (!timesTen(low, high)) return fail(OVERFLOW, i);
        else { low = resultLow; high = resultHigh; }
      } else {
        for (let k: i64 = 0; k < -missing; k++) if (!overTen(low, high)) return fail(OVERFLOW, i);
        else { low = resultLow; high = resultHigh; }
      }
    }
    const at = out + (<usize>i << 4);
    store<u64>(at, low);
    store<u64>(at, high, 8);
  }
  return <i32>(p - src);
}

let resultLow: u64 = 0;
let resultHigh: u64 = 0;

function negate(low: u64, high: u64): void {
  resultLow = 0 - low;
  resultHigh = ~high + (low == 0 ? 1 : 0);
}

/** Magnitude × 10 with the sign kept; false when it passes 127 bits. */
function timesTen(low: u64, high: u64): bool {
  const isNegative = <i64>high < 0;
  if (isNegative) { negate(low, high); low = resultLow; high = resultHigh; }
  const a = (low & 0xffffffff) * 10;
  const b = (low >> 32) * 10 + (a >> 32);
  const c = (high & 0xffffffff) * 10 + (b >> 32);
  const d = (high >> 32) * 10 + (c >> 32);
  if (d >> 31 != 0) return false;
  resultLow = (b << 32) | (a & 0xffffffff);
  resultHigh = (d << 32) | (c & 0xffffffff);
  if (isNegative) negate(resultLow, resultHigh);
  return true;
}

/** Divides by 10; false when a digit would be lost. */
function overTen(low: u64, high: u64): bool {
  const isNegative = <i64>high < 0;
  if (isNegative) { negate(low, high); low = resultLow; high = resultHigh; }
  let rest: u64 = 0;
  const d = high >> 32; const qd = d / 10; rest = d % 10;
  const c = (rest << 32) | (high & 0xffffffff); const qc = c / 10; rest = c % 10;
  const b = (rest << 32) | (low >> 32); const qb = b / 10; rest = b % 10;
  const a = (rest << 32) | (low & 0xffffffff); const qa = a / 10; rest = a % 10;
  if (rest != 0) return false;
  resultLow = (qb << 32) | qa;
  resultHigh = (qd << 32) | qc;
  if (isNegative) negate(resultLow, resultHigh);
  return true;
}

/**
 * Seconds since `epochSeconds` and encoded nanoseconds → int64 ns since 1970, without a time zone. OVERFLOW (position:
 * values). The last three bits of the nanoseconds tell how many zeros were cut; Java writers round seconds of negative
 * times towards zero (ORC-763).
 */
export function orcTimestamps(seconds: usize, nanos: usize, epochSeconds: i64, out: usize, count: u32): i32 {
  for (let i: u32 = 0; i < count; i++) {
    // Arrow's writer cuts times before 1970 towards zero, which leaves negative nanoseconds.
    const encoded = load<i64>(nanos + (<usize>i << 3));
    let nano = encoded >> 3;
    const zeros = encoded & 7;
    if (nano > 999999999 || nano < -999999999) return fail(CORRUPT, i);
    if (zeros != 0) for (let k: i64 = 0; k <= zeros; k++) nano *= 10;
    if (nano > 999999999 || nano < -999999999) return fail(CORRUPT, i);
    let second = load<i64>(seconds + (<usize>i << 3));
    if (second > 1 << 36 || second < -(1 << 36)) return fail(OVERFLOW, i);
    second += epochSeconds;
    if (second < 0 && nano > 999999) second -= 1;
    // ±9,223,372,036 s is what 64 bits of nanoseconds hold.
    if (second > 9223372035 || second < -9223372036) return fail(OVERFLOW, i);
    if (second == -9223372036 && nano < 0) return fail(OVERFLOW, i);
    store<i64>(out + (<usize>i << 3), second * 1000000000 + nano);
  }
  return <i32>count;
}

/**
 * seconds[i] += epochSeconds, then the offset of the zone at that instant: `offsets[k]` (int32) holds from
 * `transitions[k]` (int64, ascending) on, and offsets[0] before the second one too. OVERFLOW (position: values).
 */
export function orcZoneShift(
  seconds: usize,
  count: u32,
  epochSeconds: i64,
  transitions: usize,
  offsets: usize,
  transitionCount: u32,
): i32 {
  let last: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = seconds + (<usize>i << 3);
    const stored = load<i64>(at);
    if (stored > 1 << 36 || stored < -(1 << 36)) return fail(OVERFLOW, i);
    const instant = stored + epochSeconds;
    const fits =
      instant >= load<i64>(transitions + (<usize>last << 3)) &&
      (last + 1 == transitionCount || instant < load<i64>(transitions + ((<usize>last + 1) << 3)));
    if (!fits) {
      let low: u32 = 0;
      let high = transitionCount - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (load<i64>(transitions + (<usize>middle << 3)) <= instant) low = middle;
        else high = middle - 1;
      }
      last = low;
    }
    store<i64>(at, instant + <i64>load<i32>(offsets + (<usize>last << 2)));
  }
  return <i32>count;
}

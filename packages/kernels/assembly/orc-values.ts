// What ORC's integers, varints and seconds become: narrow integers, offsets, decimals, timestamps.
import { CORRUPT, LENGTH, OVERFLOW, TRUNCATED, fail, setValid } from "./status";

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

/** What no number of nanoseconds within a second is. */
const NO_NANOS: i64 = i64.MAX_VALUE;

/** Encoded nanoseconds: the last three bits tell how many zeros were cut. */
// @ts-ignore: decorator
@inline
function nanosOf(encoded: i64): i64 {
  let nano = encoded >> 3;
  const zeros = encoded & 7;
  if (nano > 999999999 || nano < -999999999) return NO_NANOS;
  if (zeros != 0) for (let k: i64 = 0; k <= zeros; k++) nano *= 10;
  return nano > 999999999 || nano < -999999999 ? NO_NANOS : nano;
}

/** Java writers round seconds of times before 1970 towards zero when there are milliseconds (ORC-763). */
// @ts-ignore: decorator
@inline
function wholeSecond(second: i64, nano: i64): i64 {
  return second < 0 && nano > 999999 ? second - 1 : second;
}

/**
 * Seconds since `epochSeconds` and encoded nanoseconds → int64 ns since 1970. Seconds that `orcZoneShift` made
 * (`isShifted`) are whole already. OVERFLOW, CORRUPT (position: values).
 */
export function orcTimestamps(
  seconds: usize,
  nanos: usize,
  epochSeconds: i64,
  isShifted: u32,
  out: usize,
  count: u32,
): i32 {
  for (let i: u32 = 0; i < count; i++) {
    // Arrow's writer cuts times before 1970 towards zero, which leaves negative nanoseconds.
    const nano = nanosOf(load<i64>(nanos + (<usize>i << 3)));
    if (nano == NO_NANOS) return fail(CORRUPT, i);
    let second = load<i64>(seconds + (<usize>i << 3));
    if (second > 1 << 36 || second < -(1 << 36)) return fail(OVERFLOW, i);
    second += epochSeconds;
    if (isShifted == 0) second = wholeSecond(second, nano);
    // ±9,223,372,036 s is what 64 bits of nanoseconds hold.
    if (second > 9223372035 || second < -9223372036) return fail(OVERFLOW, i);
    if (second == -9223372036 && nano < 0) return fail(OVERFLOW, i);
    store<i64>(out + (<usize>i << 3), second * 1000000000 + nano);
  }
  return <i32>count;
}

/**
 * seconds[i], made whole by its nanoseconds, += epochSeconds, then the offset of the zone at that instant: `offsets[k]`
 * (int32) holds from `transitions[k]` (int64, ascending) on, and offsets[0] before the second one too. OVERFLOW, CORRUPT
 * (position: values).
 */
export function orcZoneShift(
  seconds: usize,
  nanos: usize,
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
    const nano = nanosOf(load<i64>(nanos + (<usize>i << 3)));
    if (nano == NO_NANOS) return fail(CORRUPT, i);
    const instant = wholeSecond(stored + epochSeconds, nano);
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

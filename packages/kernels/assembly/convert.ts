// Physical values that Arrow keeps in another width.
import { OVERFLOW, fail } from "./status";

const JULIAN_DAY_OF_EPOCH: i64 = 2_440_588;
const NANOSECONDS_PER_DAY: i64 = 86_400_000_000_000;

// @ts-ignore: decorator
@inline
function narrow<T>(src: usize, count: u32, out: usize): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const value = load<i32>(src + (<usize>i << 2));
    const kept = <T>value;
    if (<i32>kept != value) return fail(OVERFLOW, i);
    store<T>(out + <usize>i * sizeof<T>(), kept);
  }
  return <i32>count;
}

export function narrowToInt8(src: usize, count: u32, out: usize): i32 {
  return narrow<i8>(src, count, out);
}

export function narrowToUint8(src: usize, count: u32, out: usize): i32 {
  return narrow<u8>(src, count, out);
}

export function narrowToInt16(src: usize, count: u32, out: usize): i32 {
  return narrow<i16>(src, count, out);
}

export function narrowToUint16(src: usize, count: u32, out: usize): i32 {
  return narrow<u16>(src, count, out);
}

/** 64-bit integers times `multiplier`, then divided by `divisor` and rounded down. */
export function rescale(src: usize, count: u32, multiplier: u32, divisor: u32, out: usize): i32 {
  if (multiplier == 0 || divisor == 0) return fail(OVERFLOW, 0);
  const most = i64.MAX_VALUE / <i64>multiplier;
  const by = <i64>divisor;
  for (let i: u32 = 0; i < count; i++) {
    const p = src + (<usize>i << 3);
    const value = load<i64>(p);
    if (multiplier != 1 && (value > most || value < -most)) return fail(OVERFLOW, i);
    const product = value * <i64>multiplier;
    let quotient = product / by;
    if (product % by < 0) quotient--;
    store<i64>(out + (<usize>i << 3), quotient);
  }
  return <i32>count;
}

/** INT96: 8 bytes nanoseconds of the day, 4 bytes Julian day, to units of `unitNanoseconds` since 1970, rounded down. */
export function int96ToTimestamp(src: usize, count: u32, unitNanoseconds: u32, out: usize): i32 {
  const unit = <i64>unitNanoseconds;
  if (unit <= 0) return fail(OVERFLOW, 0);
  const unitsPerDay = NANOSECONDS_PER_DAY / unit;
  const mostDays = i64.MAX_VALUE / unitsPerDay + 1;
  for (let i: u32 = 0; i < count; i++) {
    const nanoseconds = load<i64>(src);
    const days = <i64>load<i32>(src, 8) - JULIAN_DAY_OF_EPOCH;
    let units = nanoseconds / unit;
    if (nanoseconds % unit < 0) units--;
    if (days > mostDays || days < -mostDays) return fail(OVERFLOW, i);
    // In two halves of a day: the product alone may pass the range that the sum stays in.
    const half = days / 2;
    const first = half * unitsPerDay;
    const second = (days - half) * unitsPerDay;
    const a = first + units;
    if (((first ^ a) & (units ^ a)) < 0) return fail(OVERFLOW, i);
    const sum = a + second;
    if (((a ^ sum) & (second ^ sum)) < 0) return fail(OVERFLOW, i);
    store<i64>(out, sum);
    src += 12;
    out += 8;
  }
  return <i32>count;
}


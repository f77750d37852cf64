// Big-endian two's complement (Parquet DECIMAL on FIXED_LEN_BYTE_ARRAY and BYTE_ARRAY) to Arrow's 16 or 32 bytes,
// little endian. A value of more bytes than the result has must be a sign extension.
import { bitAt } from "./bits";
import { CORRUPT, LENGTH, OVERFLOW, fail } from "./status";

/** One value of 1 or more bytes; false when it does not fit. */
function convert(src: usize, width: u32, out: usize, outWidth: u32): bool {
  const sign: u8 = load<i8>(src) < 0 ? 255 : 0;
  let p = src;
  let length = width;
  while (length > outWidth) {
    if (load<u8>(p) != sign) return false;
    p++;
    length--;
  }
  if ((load<u8>(p) ^ sign) & 128) return false;
  for (let k: u32 = 0; k < length; k++) store<u8>(out + k, load<u8>(p + length - 1 - k));
  for (let k = length; k < outWidth; k++) store<u8>(out + k, sign);
  return true;
}

/** Lanes of a swizzle that reverses `width` (1 to 16) bytes; lanes above become 0. */
// @ts-ignore: decorator
@inline
function reversal(width: u32): v128 {
  const lanes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return i8x16.sub(i8x16.splat(<i8>(width - 1)), lanes);
}

// @ts-ignore: decorator
@inline
function aboveWidth(width: u32): v128 {
  const lanes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return i8x16.ge_u(lanes, i8x16.splat(<i8>width));
}

export function decimalFixed(src: usize, width: u32, out: usize, outWidth: u32, count: u32): i32 {
  if (width == 0) return fail(LENGTH, 0);
  if (outWidth == 16 && width <= 16) {
    const order = reversal(width);
    const above = aboveWidth(width);
    for (let i: u32 = 0; i < count; i++) {
      const v = i8x16.swizzle(v128.load(src), order);
      const sign = i8x16.splat(load<i8>(src) >> 7);
      v128.store(out, v128.or(v, v128.and(sign, above)));
      src += width;
      out += 16;
    }
    return <i32>count;
  }
  if (outWidth != 16 && outWidth != 32) return fail(CORRUPT, 0);
  for (let i: u32 = 0; i < count; i++) {
    if (!convert(src, width, out, outWidth)) return fail(OVERFLOW, i);
    src += width;
    out += outWidth;
  }
  return <i32>count;
}

export function decimalStrings(
  bytes: usize,
  offsets: usize,
  validity: usize,
  index: u32,
  count: u32,
  out: usize,
  outWidth: u32,
): i32 {
  if (outWidth != 16 && outWidth != 32) return fail(CORRUPT, 0);
  for (let i: u32 = 0; i < count; i++) {
    if (validity != 0 && !bitAt(validity, index + i)) {
      memory.fill(out, 0, outWidth);
    } else {
      const start = load<u32>(offsets);
      const end = load<u32>(offsets, 4);
      if (end <= start) return fail(LENGTH, i);
      if (!convert(bytes + start, end - start, out, outWidth)) return fail(OVERFLOW, i);
    }
    offsets += 4;
    out += outWidth;
  }
  return <i32>count;
}

export function decimalFrom32(src: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const value = <i64>load<i32>(src);
    store<i64>(out, value);
    store<i64>(out, value >> 63, 8);
    src += 4;
    out += 16;
  }
}

export function decimalFrom64(src: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const value = load<i64>(src);
    store<i64>(out, value);
    store<i64>(out, value >> 63, 8);
    src += 8;
    out += 16;
  }
}

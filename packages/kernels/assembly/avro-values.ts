// Values of Avro whose bytes are not those of Arrow: numbers promoted to another kind, decimals, uuids, durations.
import { DECIMAL_EMPTY, DECIMAL_RANGE, DURATION, ENDS, UUID, at, end, int, length, long, refuse, take, value } from "./avro-cursor";

/** int (0), long (1) or float (2) → long (1), float (2) or double (3) at `out`. */
export function promote(node: usize, from: u32, to: u32, out: usize): bool {
  if (from == 2) {
    const p = at();
    if (!take(node, 4)) return false;
    store<f64>(out, <f64>load<f32>(p));
    return true;
  }
  if (!(from == 0 ? int(node) : long(node))) return false;
  if (to == 1) store<i64>(out, value());
  else if (to == 2) store<f32>(out, <f32>value());
  else store<f64>(out, <f64>value());
  return true;
}

/** Big-endian two's complement of `size` bytes (or, when negative, of a length that stands before) → `width` bytes. */
export function decimal(node: usize, size: i32, width: u32, out: usize): bool {
  let bytes = <u32>size;
  if (size < 0) {
    if (!length(node)) return false;
    bytes = <u32>value();
  }
  const start = at();
  if (!take(node, bytes)) return false;
  if (bytes == 0) return refuse(DECIMAL_EMPTY, node, 0);
  const sign: u32 = load<u8>(start) & 128 ? 255 : 0;
  const last = start + bytes - 1;
  const kept = min(bytes, width);
  for (let i: u32 = 0; i < kept; i++) store<u8>(out + i, load<u8>(last - i));
  memory.fill(out + kept, <u8>sign, width - kept);
  if (bytes <= width) return true;
  if ((load<u8>(out + width - 1) & 128 ? <u32>255 : <u32>0) != sign) return refuse(DECIMAL_RANGE, node, <i64>width * 8);
  for (let p = start; p < last + 1 - width; p++) {
    if (<u32>load<u8>(p) != sign) return refuse(DECIMAL_RANGE, node, <i64>width * 8);
  }
  return true;
}

/** The value of a hexadecimal digit, or a number above 15. */
// @ts-ignore: decorator
@inline
function digit(code: u32): u32 {
  if (code - 48 < 10) return code - 48;
  const letter = (code | 32) - 97;
  return letter < 6 ? letter + 10 : 16;
}

/** 36 characters of RFC 9562 → 16 bytes. */
export function uuid(node: usize, out: usize): bool {
  if (!length(node)) return false;
  const size = <u32>value();
  const start = at();
  if (size != 36) return refuse(UUID, node, <i64>size);
  take(node, size);
  let p = start;
  for (let i: u32 = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      if (load<u8>(p++) != 45) return refuse(UUID, node, <i64>size);
    }
    const high = digit(load<u8>(p));
    const low = digit(load<u8>(p, 1));
    if ((high | low) > 15) return refuse(UUID, node, <i64>size);
    store<u8>(out + i, (high << 4) | low);
    p += 2;
  }
  return true;
}

/** Months, days and milliseconds (u32 each) → months, days (i32 each) and nanoseconds (i64). */
export function duration(node: usize, out: usize): bool {
  const p = at();
  if (end() - p < 12) return refuse(ENDS, node, 12);
  take(node, 12);
  const months = load<u32>(p);
  const days = load<u32>(p, 4);
  if ((months | days) >> 31) return refuse(DURATION, node, <i64>max(months, days));
  store<u32>(out, months);
  store<u32>(out, days, 4);
  store<i64>(out, <i64>load<u32>(p, 8) * 1000000, 8);
  return true;
}

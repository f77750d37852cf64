// Dense values into the slots of a nullable column: slot i takes the next value when bit i is set, else zeros.
// Eight slots at a time: all valid and all null are plain copies and fills.
import { byteAt, countBits } from "./bits";
import { COUNT, fail, setValid } from "./status";

// @ts-ignore: decorator
@inline
function spread<T>(validity: usize, index: u32, count: u32, src: usize, out: usize): void {
  let s = src;
  let o = out;
  const whole = count & ~7;
  for (let i: u32 = 0; i < whole; i += 8) {
    let mask = byteAt(validity, index + i);
    if (mask == 255) {
      for (let k: usize = 0; k < 8; k++) store<T>(o + k * sizeof<T>(), load<T>(s + k * sizeof<T>()));
      s += 8 * sizeof<T>();
    } else if (mask == 0) {
      memory.fill(o, 0, 8 * sizeof<T>());
    } else {
      for (let k: usize = 0; k < 8; k++) {
        const bit = mask & 1;
        store<T>(o + k * sizeof<T>(), <T>(load<T>(s) & (<T>0 - <T>bit)));
        s += <usize>bit * sizeof<T>();
        mask >>= 1;
      }
    }
    o += 8 * sizeof<T>();
  }
  if (whole == count) return;
  let mask = byteAt(validity, index + whole);
  for (let i = whole; i < count; i++) {
    const bit = mask & 1;
    store<T>(o, <T>(load<T>(s) & (<T>0 - <T>bit)));
    s += <usize>bit * sizeof<T>();
    o += sizeof<T>();
    mask >>= 1;
  }
}

// @ts-ignore: decorator
@inline
function counted(validity: usize, index: u32, count: u32, srcCount: u32): i32 {
  const valid = countBits(validity, index, count);
  setValid(valid);
  return valid == srcCount ? <i32>valid : fail(COUNT, valid);
}

export function spread1(validity: usize, index: u32, count: u32, src: usize, srcCount: u32, out: usize): i32 {
  const valid = counted(validity, index, count, srcCount);
  if (valid >= 0) spread<u8>(validity, index, count, src, out);
  return valid;
}

export function spread2(validity: usize, index: u32, count: u32, src: usize, srcCount: u32, out: usize): i32 {
  const valid = counted(validity, index, count, srcCount);
  if (valid >= 0) spread<u16>(validity, index, count, src, out);
  return valid;
}

export function spread4(validity: usize, index: u32, count: u32, src: usize, srcCount: u32, out: usize): i32 {
  const valid = counted(validity, index, count, srcCount);
  if (valid >= 0) spread<u32>(validity, index, count, src, out);
  return valid;
}

export function spread8(validity: usize, index: u32, count: u32, src: usize, srcCount: u32, out: usize): i32 {
  const valid = counted(validity, index, count, srcCount);
  if (valid >= 0) spread<u64>(validity, index, count, src, out);
  return valid;
}

export function spread16(validity: usize, index: u32, count: u32, src: usize, srcCount: u32, out: usize): i32 {
  return spreadFixed(validity, index, count, src, srcCount, 16, out);
}

export function spread32(validity: usize, index: u32, count: u32, src: usize, srcCount: u32, out: usize): i32 {
  return spreadFixed(validity, index, count, src, srcCount, 32, out);
}

/** Any width; runs of 8 valid or 8 null slots are one copy or fill. */
export function spreadFixed(
  validity: usize,
  index: u32,
  count: u32,
  src: usize,
  srcCount: u32,
  width: u32,
  out: usize,
): i32 {
  const valid = counted(validity, index, count, srcCount);
  if (valid < 0) return valid;
  let s = src;
  let o = out;
  for (let i: u32 = 0; i < count; i += 8) {
    const slots = min<u32>(8, count - i);
    let mask = byteAt(validity, index + i) & ((1 << slots) - 1);
    if (mask == 255) {
      memory.copy(o, s, width << 3);
      s += width << 3;
      o += width << 3;
      continue;
    }
    for (let k: u32 = 0; k < slots; k++) {
      if (mask & 1) {
        memory.copy(o, s, width);
        s += width;
      } else memory.fill(o, 0, width);
      o += width;
      mask >>= 1;
    }
  }
  return valid;
}

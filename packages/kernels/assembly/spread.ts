// Dense values into the slots of a nullable column: slot i takes the next value when bit i is set, else zeros.
// Eight slots at a time: all valid and all null are plain copies and fills.
import { byteAt, countBits } from "./bits";
import { COUNT, fail, setValid } from "./status";

// For 4 bits of validity the byte order that brings the next dense 4-byte values to their lanes; 255 gives zeros.
const ORDER4 = memory.data(16 * 16);
// The same for 2 bits and 8-byte values.
const ORDER8 = memory.data(4 * 16);
let ready: bool = false;

function prepareOrders(): void {
  memory.fill(ORDER4, 255, 16 * 16);
  memory.fill(ORDER8, 255, 4 * 16);
  for (let mask: u32 = 0; mask < 16; mask++) {
    for (let lane: u32 = 0; lane < 4; lane++) {
      if (!((mask >> lane) & 1)) continue;
      const from = popcnt(mask & ((1 << lane) - 1)) * 4;
      for (let k: u32 = 0; k < 4; k++) store<u8>(ORDER4 + mask * 16 + lane * 4 + k, from + k);
      if (mask >= 4) continue;
      for (let k: u32 = 0; k < 8; k++) store<u8>(ORDER8 + mask * 16 + lane * 8 + k, from * 2 + k);
    }
  }
  ready = true;
}

/** Whole groups of 8 slots of 4 bytes; returns the next dense value. */
function spreadLanes4(validity: usize, index: u32, whole: u32, s: usize, o: usize): usize {
  if (!ready) prepareOrders();
  for (let i: u32 = 0; i < whole; i += 8) {
    const mask = byteAt(validity, index + i);
    if (mask == 255) {
      v128.store(o, v128.load(s));
      v128.store(o, v128.load(s, 16), 16);
      s += 32;
    } else {
      const low = mask & 15;
      const high = mask >> 4;
      v128.store(o, i8x16.swizzle(v128.load(s), v128.load(ORDER4 + (low << 4))));
      s += popcnt(low) << 2;
      v128.store(o, i8x16.swizzle(v128.load(s), v128.load(ORDER4 + (high << 4))), 16);
      s += popcnt(high) << 2;
    }
    o += 32;
  }
  return s;
}

/** Whole groups of 8 slots of 8 bytes; returns the next dense value. */
function spreadLanes8(validity: usize, index: u32, whole: u32, s: usize, o: usize): usize {
  if (!ready) prepareOrders();
  for (let i: u32 = 0; i < whole; i += 8) {
    let mask = byteAt(validity, index + i);
    if (mask == 255) {
      for (let k: usize = 0; k < 64; k += 16) v128.store(o + k, v128.load(s + k));
      s += 64;
    } else {
      for (let k: usize = 0; k < 64; k += 16) {
        const two = mask & 3;
        v128.store(o + k, i8x16.swizzle(v128.load(s), v128.load(ORDER8 + (two << 4))));
        s += popcnt(two) << 3;
        mask >>= 2;
      }
    }
    o += 64;
  }
  return s;
}

// @ts-ignore: decorator
@inline
function spread<T>(validity: usize, index: u32, count: u32, src: usize, out: usize): void {
  let s = src;
  let o = out;
  const whole = count & ~7;
  if (sizeof<T>() == 4 || sizeof<T>() == 8) {
    s = sizeof<T>() == 4
      ? spreadLanes4(validity, index, whole, src, out)
      : spreadLanes8(validity, index, whole, src, out);
    o += <usize>whole * sizeof<T>();
  } else for (let i: u32 = 0; i < whole; i += 8) {
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

// Definition and repetition levels (one byte each) to Arrow's validity bitmaps and list offsets.
import { putBits } from "./bits";
import { CORRUPT, OUTPUT_FULL, OVERFLOW, fail, setPosition, setValid } from "./status";

/** 16 levels at or above `threshold`, as bits. */
// @ts-ignore: decorator
@inline
function reached(levels: usize, threshold: v128): u32 {
  return i8x16.bitmask(i8x16.ge_u(v128.load(levels), threshold));
}

export function levelsToValidity(levels: usize, count: u32, threshold: u32, out: usize, index: u32): i32 {
  const least = i8x16.splat(<u8>threshold);
  let valid: u32 = 0;
  let i: u32 = 0;
  if ((index & 7) == 0) {
    const target = out + (index >> 3);
    for (; i + 16 <= count; i += 16) {
      const mask = reached(levels + i, least);
      store<u16>(target + (i >> 3), <u16>mask);
      valid += popcnt(mask);
    }
  }
  for (; i < count; i += 8) {
    const width = min<u32>(8, count - i);
    const mask = reached(levels + i, least) & ((1 << width) - 1);
    putBits(out, index + i, mask, width);
    valid += popcnt(mask);
  }
  setValid(valid);
  return <i32>valid;
}

export function levelsToSlots(
  repetition: usize,
  definition: usize,
  count: u32,
  maxRepetition: u32,
  slotLevel: u32,
  validLevel: u32,
  out: usize,
  index: u32,
  capacity: u32,
): i32 {
  const least = i8x16.splat(<u8>slotLevel);
  const enough = i8x16.splat(<u8>validLevel);
  const most = i8x16.splat(<u8>maxRepetition);
  let slots: u32 = 0;
  let valid: u32 = 0;
  for (let i: u32 = 0; i < count; i += 16) {
    let taken = reached(definition + i, least);
    if (repetition != 0) taken &= i8x16.bitmask(i8x16.le_u(v128.load(repetition + i), most));
    if (count - i < 16) taken &= (1 << (count - i)) - 1;
    if (taken == 0) continue;
    let value = reached(definition + i, enough);
    let width = popcnt(taken);
    if (width > capacity - slots) return fail(OUTPUT_FULL, i);
    if (taken != 0xffff) value = compress(value, taken);
    valid += popcnt(value & ((1 << width) - 1));
    if (width > 8) {
      putBits(out, index + slots, value, 8);
      slots += 8;
      width -= 8;
      value >>= 8;
    }
    putBits(out, index + slots, value, width);
    slots += width;
  }
  setPosition(count);
  setValid(valid);
  return <i32>slots;
}

/** The bits of `value` where `mask` is set, packed to the low end. */
function compress(value: u32, mask: u32): u32 {
  let result: u32 = 0;
  let bit: u32 = 1;
  while (mask != 0) {
    const low = mask & (0 - mask);
    if (value & low) result |= bit;
    bit <<= 1;
    mask ^= low;
  }
  return result;
}

export function levelsToLists(
  repetition: usize,
  definition: usize,
  count: u32,
  elementRepetition: u32,
  slotLevel: u32,
  validLevel: u32,
  elementLevel: u32,
  offsets: usize,
  out: usize,
  index: u32,
  capacity: u32,
): i32 {
  let lists: u32 = 0;
  let valid: u32 = 0;
  let o = offsets;
  let items = load<i32>(o);
  for (let i: u32 = 0; i < count; i++) {
    const r: u32 = load<u8>(repetition + i);
    const d: u32 = load<u8>(definition + i);
    if (d < slotLevel || r > elementRepetition) continue;
    if (r == elementRepetition) {
      if (index + lists == 0 || d < elementLevel) return fail(CORRUPT, i);
      if (items == i32.MAX_VALUE) return fail(OVERFLOW, i);
      store<i32>(o, ++items);
      continue;
    }
    if (lists == capacity) return fail(OUTPUT_FULL, i);
    const present: u32 = d >= validLevel ? 1 : 0;
    if (out != 0) putBits(out, index + lists, present, 1);
    valid += present;
    lists++;
    if (d >= elementLevel) {
      if (items == i32.MAX_VALUE) return fail(OVERFLOW, i);
      items++;
    }
    o += 4;
    store<i32>(o, items);
  }
  setPosition(count);
  setValid(valid);
  return <i32>lists;
}

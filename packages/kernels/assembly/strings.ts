// Byte arrays to Arrow's offsets and bytes. `bytes` is the base of the value bytes of a column and `used` how many of
// them are taken; offsets[0] is written as `used` and offsets[i + 1] as the end of slot i, so pages follow one another.
// Values are stored in steps of 16 bytes: up to 32 bytes past the last one, within SLACK, are overwritten.
import { bitAt, countBits } from "./bits";
import { copyOver } from "./copy";
import { COUNT, LENGTH, OUTPUT_FULL, OVERFLOW, TRUNCATED, fail, setPosition } from "./status";

/** Slots of which `valueCount` are valid, as the bitmap says; no bitmap (0) means all. */
// @ts-ignore: decorator
@inline
export function slotsFit(validity: usize, index: u32, count: u32, valueCount: u32): bool {
  return (validity == 0 ? count : countBits(validity, index, count)) == valueCount;
}

export function plainStrings(
  src: usize,
  srcLength: u32,
  valueCount: u32,
  validity: usize,
  index: u32,
  count: u32,
  bytes: usize,
  used: u32,
  capacity: u32,
  offsets: usize,
): i32 {
  if (!slotsFit(validity, index, count, valueCount)) return fail(COUNT, 0);
  if (capacity > 0x7fffffff) return fail(OVERFLOW, 0);
  const allValid = valueCount == count;
  const stop = src + srcLength;
  let p = src;
  let end = used;
  let o = offsets;
  store<u32>(o, end);
  for (let i: u32 = 0; i < count; i++) {
    o += 4;
    if (allValid || bitAt(validity, index + i)) {
      // Within SLACK even at the end; one branch for all that may be wrong.
      const length = load<u32>(p);
      if (i32(<u64>length + 4 > <u64>(stop - p)) | i32(length > capacity - end)) {
        if (stop - p < 4) return fail(TRUNCATED, p - src);
        return fail(length > <u32>(stop - p - 4) ? LENGTH : OUTPUT_FULL, p - src);
      }
      p += 4;
      copyOver(bytes + end, p, length);
      p += length;
      end += length;
    }
    store<u32>(o, end);
  }
  setPosition(p - src);
  return <i32>end;
}

export function plainStringTable(src: usize, srcLength: u32, count: u32, table: usize): i32 {
  const stop = src + srcLength;
  let p = src;
  let longest: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (stop - p < 4) return fail(TRUNCATED, p - src);
    const length = load<u32>(p);
    if (length > <u32>(stop - p - 4)) return fail(LENGTH, p - src);
    p += 4;
    store<u32>(table, <u32>p);
    store<u32>(table, length, 4);
    table += 8;
    longest = max<u32>(longest, length);
    p += length;
  }
  setPosition(p - src);
  return <i32>longest;
}

export function gatheredBytes(indices: usize, count: u32, table: usize): f64 {
  let total: u64 = 0;
  const stop = indices + (<usize>count << 2);
  for (let p = indices; p < stop; p += 4) total += <u64>load<u32>(table + (<usize>load<u32>(p) << 3), 4);
  return <f64>total;
}

export function gatherStrings(
  indices: usize,
  valueCount: u32,
  table: usize,
  validity: usize,
  index: u32,
  count: u32,
  bytes: usize,
  used: u32,
  capacity: u32,
  offsets: usize,
): i32 {
  if (!slotsFit(validity, index, count, valueCount)) return fail(COUNT, 0);
  if (capacity > 0x7fffffff) return fail(OVERFLOW, 0);
  const allValid = valueCount == count;
  let p = indices;
  let end = used;
  let o = offsets;
  store<u32>(o, end);
  for (let i: u32 = 0; i < count; i++) {
    o += 4;
    if (allValid || bitAt(validity, index + i)) {
      const entry = table + (<usize>load<u32>(p) << 3);
      p += 4;
      const length = load<u32>(entry, 4);
      if (length > capacity - end) return fail(OUTPUT_FULL, i);
      copyOver(bytes + end, load<u32>(entry), length);
      end += length;
    }
    store<u32>(o, end);
  }
  setPosition(count);
  return <i32>end;
}

/** Offsets of dense values to those of slots: a null slot is empty. `base` is added to every offset. */
export function spreadOffsets(
  validity: usize,
  index: u32,
  count: u32,
  dense: usize,
  denseCount: u32,
  base: i32,
  offsets: usize,
): i32 {
  if (!slotsFit(validity, index, count, denseCount)) return fail(COUNT, 0);
  let p = dense;
  let value = load<i32>(p) + base;
  store<i32>(offsets, value);
  for (let i: u32 = 0; i < count; i++) {
    offsets += 4;
    if (validity == 0 || bitAt(validity, index + i)) {
      p += 4;
      value = load<i32>(p) + base;
    }
    store<i32>(offsets, value);
  }
  return value;
}

/** out[i] = src[i] + delta. In place when both are the same. */
export function addToOffsets(src: usize, count: u32, delta: i32, out: usize): void {
  const four = i32x4.splat(delta);
  let i: usize = 0;
  const stop = <usize>count << 2;
  for (; i + 16 <= stop; i += 16) v128.store(out + i, i32x4.add(v128.load(src + i), four));
  for (; i < stop; i += 4) store<i32>(out + i, load<i32>(src + i) + delta);
}

/** Whether every value of count + 1 offsets is `width` long; else the index of the first that is not. */
export function checkUniform(offsets: usize, count: u32, width: u32): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const p = offsets + (<usize>i << 2);
    if (load<u32>(p, 4) - load<u32>(p) != width) return fail(LENGTH, i);
  }
  return 0;
}

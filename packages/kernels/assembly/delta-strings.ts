// DELTA_LENGTH_BYTE_ARRAY (= 6): delta-packed lengths, then the bytes of all values.
// DELTA_BYTE_ARRAY (= 7): delta-packed prefix lengths, then the suffixes as DELTA_LENGTH_BYTE_ARRAY.
// Slots, `bytes`, `used` and `offsets` as in strings.ts.
import { bitAt } from "./bits";
import { copyOver } from "./copy";
import { deltaBinaryPacked32, sumLengths } from "./delta";
import { COUNT, LENGTH, OUTPUT_FULL, OVERFLOW, TRUNCATED, fail, position, setPosition } from "./status";
import { slotsFit } from "./strings";

export function deltaLengthStrings(
  src: usize,
  srcLength: u32,
  valueCount: u32,
  lengths: usize,
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
  const start = deltaBinaryPacked32(src, srcLength, lengths, valueCount);
  if (start < 0) return start;
  const size = sumLengths(lengths, valueCount);
  if (size < 0) return fail(size, start);
  if (<u32>size > srcLength - <u32>start) return fail(TRUNCATED, srcLength);
  if (<u32>size > capacity - used) return fail(OUTPUT_FULL, size);
  memory.copy(bytes + used, src + start, size);
  const allValid = valueCount == count;
  let p = lengths;
  let end = used;
  store<u32>(offsets, end);
  for (let i: u32 = 0; i < count; i++) {
    offsets += 4;
    if (allValid || bitAt(validity, index + i)) {
      end += load<u32>(p);
      p += 4;
    }
    store<u32>(offsets, end);
  }
  setPosition(start + size);
  return <i32>end;
}

/**
 * First pass over DELTA_BYTE_ARRAY: prefix lengths to lengths[0, count), suffix lengths to lengths[count, 2·count).
 * Returns the bytes all values take; position() is where the suffix bytes start.
 */
export function deltaByteArrayLengths(src: usize, srcLength: u32, valueCount: u32, lengths: usize): f64 {
  const prefixes = deltaBinaryPacked32(src, srcLength, lengths, valueCount);
  if (prefixes < 0) return prefixes;
  const suffixLengths = lengths + (<usize>valueCount << 2);
  const suffixes = deltaBinaryPacked32(src + prefixes, srcLength - prefixes, suffixLengths, valueCount);
  if (suffixes < 0) return fail(suffixes, prefixes + position());
  const start = prefixes + suffixes;
  const suffixBytes = sumLengths(suffixLengths, valueCount);
  if (suffixBytes < 0) return fail(suffixBytes, prefixes);
  if (<u32>suffixBytes > srcLength - <u32>start) return fail(TRUNCATED, srcLength);
  let previous: u64 = 0;
  let size: u64 = 0;
  for (let i: u32 = 0; i < valueCount; i++) {
    const prefix = <u64>load<u32>(lengths + (<usize>i << 2));
    if (prefix > previous) return fail(LENGTH, i);
    previous = prefix + load<u32>(suffixLengths + (<usize>i << 2));
    size += previous;
  }
  setPosition(start);
  return <f64>size;
}

/** Second pass: `suffixStart` and `lengths` come from the first, whose result is the room that `bytes` needs. */
export function deltaByteArrayValues(
  src: usize,
  srcLength: u32,
  suffixStart: u32,
  valueCount: u32,
  lengths: usize,
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
  if (suffixStart > srcLength) return fail(TRUNCATED, srcLength);
  const allValid = valueCount == count;
  let prefixes = lengths;
  let suffixes = lengths + (<usize>valueCount << 2);
  let p = src + suffixStart;
  const stop = src + srcLength;
  let previous = used;
  let previousLength: u32 = 0;
  let end = used;
  store<u32>(offsets, end);
  for (let i: u32 = 0; i < count; i++) {
    offsets += 4;
    if (allValid || bitAt(validity, index + i)) {
      const prefix = load<u32>(prefixes);
      const suffix = load<u32>(suffixes);
      prefixes += 4;
      suffixes += 4;
      if (prefix > previousLength || suffix > <u32>(stop - p)) return fail(LENGTH, p - src);
      if (prefix > capacity - end || suffix > capacity - end - prefix) return fail(OUTPUT_FULL, p - src);
      const out = bytes + end;
      copyOver(out, bytes + previous, prefix);
      copyOver(out + prefix, p, suffix);
      p += suffix;
      previous = end;
      previousLength = prefix + suffix;
      end += previousLength;
    }
    store<u32>(offsets, end);
  }
  setPosition(p - src);
  return <i32>end;
}

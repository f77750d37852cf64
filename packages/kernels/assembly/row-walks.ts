// Walks over repetition and definition levels of Parquet, one byte each, for readers that take a page in several steps.
import { CORRUPT, OVERFLOW, fail, setPosition } from "./status";

/**
 * How many of the first `count` levels belong to at most `rows` more rows: stops before row number rows + 1 starts.
 * Levels before the first 0 belong to a row that started earlier. position(): rows that start within.
 */
export function rowBoundary(repetition: usize, count: u32, rows: u32): i32 {
  const zero = i8x16.splat(0);
  let found: u32 = 0;
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) {
    const starts: u32 = popcnt(i8x16.bitmask(i8x16.eq(v128.load(repetition + i), zero)));
    if (found + starts > rows) break;
    found += starts;
  }
  for (; i < count; i++) {
    if (load<u8>(repetition + i) != 0) continue;
    if (found == rows) break;
    found++;
  }
  setPosition(found);
  return <i32>i;
}

/**
 * Starts of lists: for every level pair that is a slot of the list (r <= slotRepetition and d >= slotLevel), the number of
 * items before it, counted from `items`, goes to `offsets` (Int32, room for `count`). The first pairs may continue a list
 * that started before. @returns lists started, or CORRUPT; position(): items after the last pair.
 */
export function listStarts(
  repetition: usize,
  definition: usize,
  count: u32,
  slotRepetition: u32,
  slotLevel: u32,
  elementLevel: u32,
  items: u32,
  offsets: usize,
): i32 {
  const own = i8x16.splat(<u8>slotRepetition);
  const item = i8x16.splat(<u8>(slotRepetition + 1));
  const element = i8x16.splat(<u8>elementLevel);
  let o = offsets;
  let i: u32 = 0;
  while (i < count) {
    if (i + 16 <= count) {
      const r = v128.load(repetition + i);
      if (!v128.any_true(i8x16.le_u(r, own))) {
        // Sixteen pairs inside one list: there are only items to count.
        if (!i8x16.all_true(i8x16.ge_u(v128.load(definition + i), element))) return fail(CORRUPT, i);
        items += popcnt(i8x16.bitmask(i8x16.eq(r, item)));
        i += 16;
        continue;
      }
    }
    const stop = min<u32>(i + 16, count);
    for (; i < stop; i++) {
      const r: u32 = load<u8>(repetition + i);
      const d: u32 = load<u8>(definition + i);
      if (r <= slotRepetition) {
        if (d < slotLevel) continue;
        store<u32>(o, items);
        o += 4;
        items += u32(d >= elementLevel);
      } else if (d < elementLevel) return fail(CORRUPT, i);
      else items += u32(r == slotRepetition + 1);
    }
    if (items > <u32>i32.MAX_VALUE) return fail(OVERFLOW, i);
  }
  if (items > <u32>i32.MAX_VALUE) return fail(OVERFLOW, i);
  setPosition(items);
  return <i32>((o - offsets) >> 2);
}

/** Int32 to Int64. */
export function widenOffsets(src: usize, count: u32, out: usize): void {
  let i: u32 = 0;
  for (; i + 4 <= count; i += 4) {
    const four = v128.load(src + (<usize>i << 2));
    v128.store(out + (<usize>i << 3), i64x2.extend_low_i32x4_s(four));
    v128.store(out + (<usize>i << 3), i64x2.extend_high_i32x4_s(four), 16);
  }
  for (; i < count; i++) store<i64>(out + (<usize>i << 3), <i64>load<i32>(src + (<usize>i << 2)));
}

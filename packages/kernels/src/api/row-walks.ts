/** For readers that take a Parquet page in several steps: walks over its repetition levels (one byte each), offsets. */
export interface RowWalkKernels {
  /**
   * How many of `count` levels belong to at most `rows` more rows; levels before the first 0 belong to the row before.
   * `position()` is the rows that start within.
   */
  rowBoundary(repetition: number, count: number, rows: number): number;
  /**
   * For every slot of a list (repetition ≤ slotRepetition, definition ≥ slotLevel), how many items came before it,
   * counted from `items`, as int32 to `offsets` (room for `count`). The first levels may continue a list. Returns the
   * lists that start; `position()` is the items after the last level. CORRUPT (position: levels) when a repeated level
   * is empty, OVERFLOW past 2^31 − 1 items.
   */
  listStarts(
    repetition: number,
    definition: number,
    count: number,
    slotRepetition: number,
    slotLevel: number,
    elementLevel: number,
    items: number,
    offsets: number,
  ): number;
  /** `count` int32 at `src` → int64 at `out`. */
  widenOffsets(src: number, count: number, out: number): void;
}

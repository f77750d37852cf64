/** Rows picked by index, and lanes woven into blocks: out[i × stride] = src[i]. */
export interface ShuffleKernels {
  /** Bit i of `out` = bit indices[i] of `bits`. Indices are not checked. Returns how many are 1. */
  gatherBits(indices: number, count: number, bits: number, out: number): number;
  /** Bits `at`, `at` + stride, … of `out`, which are 0, become bits [from, from + count); 0 for `bits` is all ones. */
  weaveBits(bits: number, from: number, count: number, out: number, at: number, stride: number): number;
  /**
   * `runCount` runs of (src, count, width, out), four int32 each: value i of a run, `width` bytes long, goes to
   * out + i × stride × width. One call for all columns of a block: calls cost more than short runs.
   */
  weaveRuns(runs: number, runCount: number, stride: number): void;
  /**
   * (address, length) of each string, 8 bytes an entry, at every `stride`-th entry of `table`. offsets[0] stands for the
   * address `bytes`, behind which lie `size` bytes. 0; LENGTH (position: values).
   */
  weaveStrings(offsets: number, count: number, bytes: number, size: number, table: number, stride: number): number;
  /** Strings of a table end to end, offsets from 0. Returns their bytes; OUTPUT_FULL, OVERFLOW (position: values). */
  concatStrings(table: number, count: number, bytes: number, capacity: number, offsets: number): number;
}

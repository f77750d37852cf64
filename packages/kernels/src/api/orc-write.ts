/** Bytes that `orcWriteIntegers` takes at most: a value alone in a run has a header of two bytes, a repeat one of one. */
export function orcIntegersBound(count: number): number {
  return count * 10 + 64;
}

/** What writing ORC needs. @see ORC specification v1, "Run Length Encoding", version 2 */
export interface OrcWriteKernels {
  /** `count` int64 → runs at `out`, which has room for `orcIntegersBound(count)`. Returns the bytes written. */
  orcWriteIntegers(src: number, count: number, isSigned: number, out: number): number;
}

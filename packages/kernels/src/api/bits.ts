/** Bitmaps, least significant bit first; bits before `index` in its byte are kept, bits after the last become 0. */
export interface BitKernels {
  /** Bits [srcIndex, srcIndex + count) of `src` → bits [index, …) of `out`. Returns count; TRUNCATED. */
  copyBits(src: number, srcLength: number, srcIndex: number, out: number, index: number, count: number): number;
  /**
   * `srcCount` dense bits from bit `srcIndex` → `count` slots, 0 where validity has 0. Returns the valid slots; COUNT
   * when they are not `srcCount`. The caller has checked that the dense bits exist.
   */
  spreadBits(
    validity: number,
    validityIndex: number,
    count: number,
    src: number,
    srcIndex: number,
    srcCount: number,
    out: number,
    index: number,
  ): number;
}

/**
 * RLE / bit-packing hybrid. All return the bytes consumed, or TRUNCATED, CORRUPT (run header), BIT_WIDTH; the position
 * is the first byte of the run at fault. A width of 0 takes no input and gives zeros.
 */
export interface RleKernels {
  /** `count` unsigned values of `width` 0–32 bits → int32 at `out`. INDEX when one is not below `bound`. */
  rleIndices(src: number, srcLength: number, width: number, bound: number, out: number, count: number): number;
  /** The same without a bound. */
  rleIntegers(src: number, srcLength: number, width: number, out: number, count: number): number;
  /**
   * `count` levels of `width` 0–8 bits → one byte each at `out`. `validCount()` is how many equal `maxLevel`; LEVEL
   * (position: values) when one is above it.
   */
  rleLevels(src: number, srcLength: number, width: number, maxLevel: number, out: number, count: number): number;
  /**
   * Values of one bit → bits [index, index + count) of the bitmap `out`: booleans, or definition levels whose maximum
   * is 1 as a validity bitmap. `validCount()` is how many are set; LEVEL when a repeated value is above 1.
   */
  rleBits(src: number, srcLength: number, out: number, index: number, count: number): number;
  /** The deprecated BIT_PACKED levels (most significant bit first); else as `rleLevels`. */
  bitPackedLevels(src: number, srcLength: number, width: number, maxLevel: number, out: number, count: number): number;
}

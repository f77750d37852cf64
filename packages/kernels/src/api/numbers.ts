/** Integers, decimals and timestamps. */
export interface NumberKernels {
  /** Values that a DELTA_BINARY_PACKED stream claims. TRUNCATED, CORRUPT. */
  deltaCount(src: number, srcLength: number): number;
  /**
   * DELTA_BINARY_PACKED → `count` int32 or int64. Returns bytes consumed; TRUNCATED, CORRUPT (header), BIT_WIDTH (above
   * 64), COUNT when the stream claims another number of values.
   */
  deltaBinaryPacked32(src: number, srcLength: number, out: number, count: number): number;
  deltaBinaryPacked64(src: number, srcLength: number, out: number, count: number): number;
  /**
   * `count` big-endian values of `width` bytes → little endian of `outWidth` 16 or 32 bytes. Returns count; OVERFLOW
   * (position: values) when a wider value does not fit, LENGTH for width 0.
   */
  decimalFixed(src: number, width: number, out: number, outWidth: number, count: number): number;
  /** The same from slots of byte arrays (null → 0). LENGTH (position: values) for an empty or backward valid value. */
  decimalStrings(
    bytes: number,
    offsets: number,
    validity: number,
    index: number,
    count: number,
    out: number,
    outWidth: number,
  ): number;
  /** int32 → 16-byte decimals. */
  decimalFrom32(src: number, count: number, out: number): void;
  /** int64 → 16-byte decimals. */
  decimalFrom64(src: number, count: number, out: number): void;
  /** int32 → the narrower type. Returns count; OVERFLOW (position: values) when a value is out of its range. */
  narrowToInt8(src: number, count: number, out: number): number;
  narrowToUint8(src: number, count: number, out: number): number;
  narrowToInt16(src: number, count: number, out: number): number;
  narrowToUint16(src: number, count: number, out: number): number;
  /**
   * INT96 → int64 in units of `unitNanoseconds` (1, 1000, 10^6 or 10^9) since 1970, rounded down. Returns count;
   * OVERFLOW (position: values) when one does not fit.
   */
  int96ToTimestamp(src: number, count: number, unitNanoseconds: number, out: number): number;
  /**
   * int64 times `multiplier`, divided by `divisor` and rounded down. Returns count; OVERFLOW (position: values) when a product
   * passes ±(2^63 − 1).
   */
  rescale(src: number, count: number, multiplier: number, divisor: number, out: number): number;
}

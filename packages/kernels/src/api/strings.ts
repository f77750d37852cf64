/**
 * Byte arrays → Arrow's offsets and bytes.
 *
 * `valueCount` dense values go into `count` slots by a validity bitmap from bit `index` on (`validity` 0: all valid);
 * COUNT when the bitmap has another number of set bits. `bytes` is the base of the column's value bytes, `used` how many
 * are taken, `capacity` how many exist (< 2^31, else OVERFLOW). `offsets` points at the entry of the first slot: it is
 * written as `used`, then each slot's end. Returns the new `used`; OUTPUT_FULL past `capacity`. Up to 32 bytes past the
 * result (not past capacity + SLACK) are overwritten, so columns are filled in ascending order.
 */
export interface StringKernels {
  /**
   * PLAIN: u32 length before each value. Needs at most srcLength − 4 × valueCount bytes. `position()` is the bytes
   * consumed. TRUNCATED, LENGTH.
   */
  plainStrings(
    src: number,
    srcLength: number,
    valueCount: number,
    validity: number,
    index: number,
    count: number,
    bytes: number,
    used: number,
    capacity: number,
    offsets: number,
  ): number;
  /**
   * A PLAIN dictionary page → `table` of `count` pairs (u32 address, u32 length), which point into `src`. Returns the
   * longest length; `position()` is the bytes consumed. TRUNCATED, LENGTH.
   */
  plainStringTable(src: number, srcLength: number, count: number, table: number): number;
  /** Bytes that `gatherStrings` will write for `count` indices. */
  gatheredBytes(indices: number, count: number, table: number): number;
  /** table[indices[j]] for each valid slot; indices as in `gather4`. OUTPUT_FULL (position: slots). */
  gatherStrings(
    indices: number,
    valueCount: number,
    table: number,
    validity: number,
    index: number,
    count: number,
    bytes: number,
    used: number,
    capacity: number,
    offsets: number,
  ): number;
  /**
   * DELTA_LENGTH_BYTE_ARRAY. `lengths` is scratch for valueCount int32. `position()` is the bytes consumed. Needs at
   * most srcLength bytes. Faults of DELTA_BINARY_PACKED, LENGTH, OUTPUT_FULL (position: bytes needed).
   */
  deltaLengthStrings(
    src: number,
    srcLength: number,
    valueCount: number,
    lengths: number,
    validity: number,
    index: number,
    count: number,
    bytes: number,
    used: number,
    capacity: number,
    offsets: number,
  ): number;
  /**
   * DELTA_BYTE_ARRAY, first pass: decodes the lengths into `lengths` (scratch for 2 × valueCount int32) and checks them.
   * Returns the bytes that the values take (may exceed 2^31: check it before allocating); `position()` is then the
   * `suffixStart` of the second pass. Faults of DELTA_BINARY_PACKED, LENGTH (a prefix longer than the value before it).
   */
  deltaByteArrayLengths(src: number, srcLength: number, valueCount: number, lengths: number): number;
  /** Second pass over the same source and lengths. */
  deltaByteArrayValues(
    src: number,
    srcLength: number,
    suffixStart: number,
    valueCount: number,
    lengths: number,
    validity: number,
    index: number,
    count: number,
    bytes: number,
    used: number,
    capacity: number,
    offsets: number,
  ): number;
  /** denseCount + 1 offsets → count + 1 offsets of slots (null: empty), `base` added. Returns the last; COUNT. */
  spreadOffsets(
    validity: number,
    index: number,
    count: number,
    dense: number,
    denseCount: number,
    base: number,
    offsets: number,
  ): number;
  /** out[i] = src[i] + delta for `count` int32; in place when both are the same. */
  addToOffsets(src: number, count: number, delta: number, out: number): void;
  /** 0 when all `count` values of count + 1 offsets are `width` long; LENGTH (position: values). */
  checkUniform(offsets: number, count: number, width: number): number;
  /**
   * 0 when the bytes from offsets[0] to offsets[count] are UTF-8 and no value starts inside a character; UTF8 with the
   * position counted from `bytes`. The offsets must ascend.
   */
  validateUtf8(bytes: number, offsets: number, count: number): number;
}

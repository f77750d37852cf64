type WordDictionary = (
  src: number,
  count: number,
  slots: number,
  mask: number,
  values: number,
  used: number,
  limit: number,
  out: number,
) => number;
type WordRehash = (values: number, count: number, slots: number, mask: number) => void;

/**
 * What writing Parquet needs. A dictionary is a table of `mask + 1` int32 slots (a power of two, all 0 at first) and the
 * distinct values in order of appearance; the caller owns both and keeps `limit` at half the slots or below.
 */
export interface ParquetWriteKernels {
  /**
   * The index of each of `count` values of 4 bytes → int32 at `out`. `values` holds `used` of them and has room for
   * `limit`. Returns how many were taken: fewer than `count` when the next one is new and the table has `limit` already.
   * `validCount()` is how many distinct values there are now.
   */
  dictionary4: WordDictionary;
  /** The same for values of 8 bytes. */
  dictionary8: WordDictionary;
  /**
   * The same for bytes [starts[i], ends[i]) of `data`. The table also keeps `hashes` (int32, room for `limit`), `offsets`
   * (int32, `limit` + 1, the first one 0) and `bytes` of `capacity`; it stops too when a new value does not fit into
   * these. LENGTH (position: values) for a value outside of `data`.
   */
  dictionaryBytes(
    data: number,
    dataLength: number,
    starts: number,
    ends: number,
    count: number,
    slots: number,
    mask: number,
    hashes: number,
    offsets: number,
    bytes: number,
    capacity: number,
    used: number,
    limit: number,
    out: number,
  ): number;
  /** Enters `count` distinct values into an empty table. */
  dictionaryRehash4: WordRehash;
  dictionaryRehash8: WordRehash;
  /** The same from hashes. */
  dictionaryRehashBytes(hashes: number, count: number, slots: number, mask: number): void;
  /**
   * `count` int32 values below 2^width, width 0–32 → the RLE / bit-packing hybrid. Returns the size, at most
   * `hybridBound(count, width)`.
   */
  encodeIndices(src: number, count: number, width: number, out: number): number;
  /** The same from one byte each. */
  encodeLevels(src: number, count: number, width: number, out: number): number;
  /** How often each of the 256 levels occurs → 256 int32 at `out`, which has room for 512. */
  countLevels(src: number, count: number, out: number): void;
  /**
   * Bytes [starts[i], ends[i]) of `data` → PLAIN byte arrays. Returns the size; LENGTH (position: values) for a value
   * outside of `data`, OUTPUT_FULL past `capacity`.
   */
  encodePlainStrings(
    data: number,
    dataLength: number,
    starts: number,
    ends: number,
    count: number,
    out: number,
    capacity: number,
  ): number;
}

/** The most bytes that `encodeIndices` and `encodeLevels` write, 8 bytes of overshoot included. */
export function hybridBound(count: number, width: number): number {
  // Every group of eight may be a run of its own, or packed behind a header of its own.
  return Math.ceil(count / 8) * (width + 10) + 16;
}

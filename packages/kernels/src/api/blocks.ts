/** Compressed blocks and checksums inside the arena. */
export interface BlockKernels {
  /** The size a Snappy block claims (up to 2^32 − 1); TRUNCATED. */
  snappySize(src: number, srcLength: number): number;
  /**
   * Returns the size of the result, at most `capacity`; TRUNCATED, CORRUPT, LENGTH, OUTPUT_FULL (also when more is
   * claimed than `capacity`). Up to 31 bytes past the result are overwritten, within SLACK.
   */
  snappyDecompress(src: number, srcLength: number, out: number, capacity: number): number;
  /** One LZ4 block; as `snappyDecompress`. */
  lz4Decompress(src: number, srcLength: number, out: number, capacity: number): number;
  /** One LZO1X stream with its end marker; as `snappyDecompress`. */
  lzoDecompress(src: number, srcLength: number, out: number, capacity: number): number;
  /** Room that `snappyCompress` asks for. */
  snappyBound(length: number): number;
  /** Returns the compressed size; OUTPUT_FULL when `capacity` is below `snappyBound(srcLength)`. */
  snappyCompress(src: number, srcLength: number, out: number, capacity: number): number;
  /** Room that `lz4Compress` asks for. */
  lz4Bound(length: number): number;
  /** One LZ4 block; OUTPUT_FULL when `capacity` is below `lz4Bound(srcLength)`. */
  lz4Compress(src: number, srcLength: number, out: number, capacity: number): number;
  /** CRC-32 (IEEE) going on from `previous` (0 to begin). The result is signed: `>>> 0`. */
  crc32(src: number, srcLength: number, previous: number): number;
}

// Record batches of magic 2: https://kafka.apache.org/documentation/#recordbatch
/** Bytes from the start of a batch. */
export const at = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** baseOffset and batchLength, which batchLength does not count. */
export const LOG_OVERHEAD_BYTES = 12;
/** Length, attributes, timestamp delta, offset delta, key length, value length, number of headers: one byte each. */
export const MIN_RECORD_BYTES = 7;

/** Bits of the attributes. */
export const attribute = { codec: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 } as const;
export const codecs = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

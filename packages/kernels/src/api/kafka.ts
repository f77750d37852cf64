/** Records of Kafka's batches into column buffers. */
export interface KafkaKernels {
  /**
   * The records of [src, end), uncompressed, in their common form: no headers, no null value, keys all null or none, one record
   * for each offset from the base on. Their number, which the context says; or −1: then the batch is for a decoder that knows
   * all forms and faults. Outputs have room for so many values, keys and values for `end − src` bytes each, SLACK behind each.
   */
  kafkaRecords(context: number, src: number, end: number): number;
}

/** Places of the 64-bit words of the context of `kafkaRecords`. */
export const kafkaContext = {
  count: 0,
  baseOffset: 1,
  baseTimestamp: 2,
  /** 1: every record has the base timestamp. */
  appendTime: 3,
  /** Bytes of the columns so far: what the ends begin with. */
  keyBase: 4,
  valueBase: 5,
  /** Addresses: int64, int64, int32 ends, int32 ends, bytes, bytes. */
  offsets: 6,
  timestamps: 7,
  keyEnds: 8,
  valueEnds: 9,
  keys: 10,
  values: 11,
  /** Answered: 0 or `count`. */
  nullKeys: 12,
  words: 13,
} as const;

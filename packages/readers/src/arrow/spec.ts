/** Numbers of the Arrow IPC format (arrow.apache.org/docs/format/Columnar.html; Message.fbs, Schema.fbs, File.fbs). */

/** The first and last bytes of a file. */
export const FILE_MAGIC = "ARROW1";
/** The first four bytes of every message. */
export const CONTINUATION = 0xffffffff;

/** union MessageHeader */
export const MessageKind = { SCHEMA: 1, DICTIONARY: 2, RECORD_BATCH: 3 } as const;

/** enum MetadataVersion: before V5 unions had a validity bitmap. */
export const METADATA_V5 = 4;

/** A null count that the writer did not take: the bitmap tells, and no bitmap means none. */
export const UNKNOWN_NULLS = -1;

/** union Type */
export const TypeId = {
  NULL: 1,
  INT: 2,
  FLOAT: 3,
  BINARY: 4,
  UTF8: 5,
  BOOL: 6,
  DECIMAL: 7,
  DATE: 8,
  TIME: 9,
  TIMESTAMP: 10,
  INTERVAL: 11,
  LIST: 12,
  STRUCT: 13,
  UNION: 14,
  FIXED_SIZE_BINARY: 15,
  FIXED_SIZE_LIST: 16,
  MAP: 17,
  DURATION: 18,
  LARGE_BINARY: 19,
  LARGE_UTF8: 20,
  LARGE_LIST: 21,
} as const;

/** Types that Arrow has and `Column` has not. */
export const unsupportedTypes: Readonly<Record<number, string>> = {
  22: "RunEndEncoded",
  23: "BinaryView",
  24: "Utf8View",
  25: "ListView",
  26: "LargeListView",
};

/** enum CompressionType */
export const compressionNames: readonly string[] = ["LZ4_FRAME", "ZSTD"];

/** One record batch, or the values of one dictionary, as its message describes it. */
export interface BatchLayout {
  readonly rows: number;
  /** (length, null count) per array, depth first. */
  readonly nodes: readonly number[];
  /** (offset in the body, length) per buffer, in the same order. */
  readonly buffers: readonly number[];
  /** Bytes [start, end) of the object. */
  readonly start: number;
  readonly end: number;
}

export interface DictionaryLayout extends BatchLayout {
  readonly id: number;
}

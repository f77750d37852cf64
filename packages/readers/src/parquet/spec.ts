/**
 * Constants and on-disk types of Apache Parquet, named as in parquet.thrift of apache/parquet-format 2.12.
 *
 * Sections cited: "Thrift" is parquet.thrift, "Encodings" is Encodings.md, "LogicalTypes" is LogicalTypes.md.
 */

/** First and last four bytes of a file. */
export const MAGIC = "PAR1";
/** Last four bytes of a file whose footer is encrypted. */
export const MAGIC_ENCRYPTED = "PARE";
/** Length of the footer (4 bytes, little endian) and the magic. */
export const TRAILER_BYTES = 8;

/** Thrift: `enum Type`. */
export const Physical = {
  BOOLEAN: 0,
  INT32: 1,
  INT64: 2,
  INT96: 3,
  FLOAT: 4,
  DOUBLE: 5,
  BYTE_ARRAY: 6,
  FIXED_LEN_BYTE_ARRAY: 7,
} as const;

/** Thrift: `enum FieldRepetitionType`. */
export const Repetition = { REQUIRED: 0, OPTIONAL: 1, REPEATED: 2 } as const;

/** Thrift: `enum ConvertedType`, the annotations before LogicalType. */
export const Converted = {
  UTF8: 0,
  MAP: 1,
  MAP_KEY_VALUE: 2,
  LIST: 3,
  ENUM: 4,
  DECIMAL: 5,
  DATE: 6,
  TIME_MILLIS: 7,
  TIME_MICROS: 8,
  TIMESTAMP_MILLIS: 9,
  TIMESTAMP_MICROS: 10,
  UINT_8: 11,
  UINT_16: 12,
  UINT_32: 13,
  UINT_64: 14,
  INT_8: 15,
  INT_16: 16,
  INT_32: 17,
  INT_64: 18,
  JSON: 19,
  BSON: 20,
  INTERVAL: 21,
} as const;

/** Thrift: field ids of `union LogicalType`. */
export const Logical = {
  STRING: 1,
  MAP: 2,
  LIST: 3,
  ENUM: 4,
  DECIMAL: 5,
  DATE: 6,
  TIME: 7,
  TIMESTAMP: 8,
  INTEGER: 10,
  UNKNOWN: 11,
  JSON: 12,
  BSON: 13,
  UUID: 14,
  FLOAT16: 15,
  VARIANT: 16,
  GEOMETRY: 17,
  GEOGRAPHY: 18,
} as const;

/** Thrift: `enum Encoding`. */
export const Encoding = {
  PLAIN: 0,
  PLAIN_DICTIONARY: 2,
  RLE: 3,
  BIT_PACKED: 4,
  DELTA_BINARY_PACKED: 5,
  DELTA_LENGTH_BYTE_ARRAY: 6,
  DELTA_BYTE_ARRAY: 7,
  RLE_DICTIONARY: 8,
  BYTE_STREAM_SPLIT: 9,
} as const;

/** Thrift: `enum CompressionCodec`. */
export const Compression = {
  UNCOMPRESSED: 0,
  SNAPPY: 1,
  GZIP: 2,
  LZO: 3,
  BROTLI: 4,
  LZ4: 5,
  ZSTD: 6,
  LZ4_RAW: 7,
} as const;

/** Thrift: `enum PageType`. */
export const PageType = { DATA_PAGE: 0, INDEX_PAGE: 1, DICTIONARY_PAGE: 2, DATA_PAGE_V2: 3 } as const;

/** Key of the footer's metadata that holds the Arrow schema: base64 of an encapsulated IPC message. */
export const ARROW_SCHEMA_KEY = "ARROW:schema";

/** What our writer calls itself in `created_by`, which reads "<name> version <x.y.z>". */
export const OUR_NAME = "ingest";

/** The name of `value` in one of the tables above, or "NAME 17" for a number that the specification does not know. */
export function nameOf(table: Readonly<Record<string, number>>, value: number, what: string): string {
  for (const [name, number] of Object.entries(table)) if (number === value) return name;
  return `${what} ${value}`;
}

/** Thrift: `union LogicalType`; `id` is one of `Logical` or a number this version does not know. */
export interface LogicalType {
  readonly id: number;
  /** DECIMAL. */
  readonly scale?: number;
  readonly precision?: number;
  /** TIME and TIMESTAMP. */
  readonly isAdjustedToUtc?: boolean;
  readonly unit?: "ms" | "us" | "ns";
  /** GEOMETRY and GEOGRAPHY; `algorithm` of the latter only. */
  readonly crs?: string | undefined;
  readonly algorithm?: number | undefined;
  /** INTEGER. */
  readonly bitWidth?: number;
  readonly isSigned?: boolean;
}

/** Thrift: `struct SchemaElement`, one node of the flattened schema tree. */
export interface SchemaElement {
  readonly name: string;
  /** One of `Physical`; undefined for groups. */
  readonly type: number | undefined;
  readonly typeLength: number | undefined;
  readonly repetition: number | undefined;
  /** Undefined for leaves. */
  readonly numChildren: number | undefined;
  readonly converted: number | undefined;
  readonly scale: number | undefined;
  readonly precision: number | undefined;
  readonly fieldId: number | undefined;
  readonly logical: LogicalType | undefined;
}

/** Thrift: `struct ColumnChunk` with its `ColumnMetaData`; what decoding needs of it. */
export interface ColumnChunk {
  readonly type: number;
  readonly codec: number;
  readonly encodings: readonly number[];
  readonly numValues: number;
  readonly totalUncompressedSize: number;
  readonly totalCompressedSize: number;
  readonly dataPageOffset: number;
  /** Undefined or 0 when there is no dictionary page. */
  readonly dictionaryPageOffset: number | undefined;
  /** `struct Statistics` as it is stored; see statistics.ts. */
  readonly statistics?: Uint8Array | undefined;
  /** `struct ColumnIndex`, `struct OffsetIndex` and the bloom filter, where there are some (indexes.ts, bloom.ts). */
  readonly columnIndex?: StoredSpan | undefined;
  readonly offsetIndex?: StoredSpan | undefined;
  readonly bloomFilter?: StoredSpan | undefined;
  readonly encrypted: boolean;
  /** Set when the bytes lie in another file. */
  readonly filePath: string | undefined;
}

/** Bytes of the file. Writers before 2023 left the length of bloom filters out. */
export interface StoredSpan {
  readonly offset: number;
  readonly length: number | undefined;
}

/** Thrift: `struct RowGroup`. */
export interface RowGroup {
  readonly numRows: number;
  /** One per leaf of the schema, in its order. */
  readonly columns: readonly ColumnChunk[];
}

/** Thrift: `struct FileMetaData`, the footer. Row counts are those of the row groups: they decide. */
export interface FileMetadata {
  readonly createdBy: string | undefined;
  /** The schema tree, flattened depth first; the first element is the root. */
  readonly elements: readonly SchemaElement[];
  readonly rowGroups: readonly RowGroup[];
  readonly keyValues: Readonly<Record<string, string>>;
  /** Whether min_value and max_value of a leaf follow the order of its type (`union ColumnOrder`); empty: they do not. */
  readonly typeOrdered: readonly boolean[];
}

/** Thrift: `struct PageHeader` with whichever page-specific header it carries. */
export interface PageHeader {
  readonly type: number;
  readonly uncompressedSize: number;
  readonly compressedSize: number;
  /** CRC-32 of the page's bytes as stored, without this header. */
  readonly crc: number | undefined;
  readonly data: DataPageHeader | undefined;
  readonly dataV2: DataPageHeaderV2 | undefined;
  readonly dictionary: DictionaryPageHeader | undefined;
}

/** Thrift: `struct DataPageHeader`. */
export interface DataPageHeader {
  readonly numValues: number;
  readonly encoding: number;
  readonly definitionLevelEncoding: number;
  readonly repetitionLevelEncoding: number;
}

/** Thrift: `struct DataPageHeaderV2`. */
export interface DataPageHeaderV2 {
  readonly numValues: number;
  readonly numNulls: number;
  readonly numRows: number;
  readonly encoding: number;
  readonly definitionLevelsByteLength: number;
  readonly repetitionLevelsByteLength: number;
  readonly isCompressed: boolean;
}

/** Thrift: `struct DictionaryPageHeader`. */
export interface DictionaryPageHeader {
  readonly numValues: number;
  readonly encoding: number;
}

/**
 * Constants and on-disk structures of ORC specification v1 (https://orc.apache.org/specification/ORCv1/), field numbers
 * in footer.ts. Everything is plain data.
 */

/** "File Tail": the postscript's last field, and the first bytes of the file. */
export const MAGIC = "ORC";

/** What `compressionBlockSize` means when a writer left it out. */
export const DEFAULT_BLOCK_BYTES: number = 256 * 1024;

/** Each compressed chunk starts with its length and whether it is stored as it is. */
export const CHUNK_HEADER_BYTES = 3;

/** 2015-01-01 00:00:00 UTC, from which timestamps are counted, in seconds since 1970. */
export const TIMESTAMP_BASE_SECONDS = 1_420_070_400;

/** The last day of the Julian calendar is the day before this one (1582-10-15), in days since 1970. */
export const GREGORIAN_START_DAYS = -141_427;

/** "Compression", by CompressionKind. */
export const compressionKinds = ["none", "zlib", "snappy", "lzo", "lz4", "zstd", "brotli"] as const;
export type CompressionKind = (typeof compressionKinds)[number];

/** "Schema": Type.Kind. */
export const typeKinds = [
  "boolean",
  "byte",
  "short",
  "int",
  "long",
  "float",
  "double",
  "string",
  "binary",
  "timestamp",
  "list",
  "map",
  "struct",
  "union",
  "decimal",
  "date",
  "varchar",
  "char",
  "timestampInstant",
  "geometry",
  "geography",
] as const;
type OrcTypeKind = (typeof typeKinds)[number];

/** "Stripe Footer": Stream.Kind of the streams that hold rows; the others are skipped. */
export const streamKinds = { present: 0, data: 1, length: 2, dictionaryData: 3, secondary: 5 } as const;
export type StreamName = keyof typeof streamKinds;

/** Those that say what the row groups of a stripe hold and where they begin. */
export const indexStreamKinds = { rowIndex: 6, bloomFilter: 7, bloomFilterUtf8: 8 } as const;

/** "Stripe Footer": ColumnEncoding.Kind. */
export const encodingKinds = ["direct", "dictionary", "directV2", "dictionaryV2"] as const;
type EncodingKind = (typeof encodingKinds)[number];

/** Which calendar dates before 1582-10-15 were written in; 0 is not said. */
export const calendars = ["unknown", "julian", "proleptic"] as const;
type Calendar = (typeof calendars)[number];

export interface Postscript {
  readonly footerBytes: number;
  readonly metadataBytes: number;
  readonly compression: CompressionKind;
  /** A chunk never expands beyond it. */
  readonly blockBytes: number;
  /** [major, minor]; [0, 11] when it is not said. */
  readonly version: readonly [major: number, minor: number];
  /** Counts the writer's mistakes that were corrected (WriterVersion); 0 when it is not said. */
  readonly writerVersion: number;
}

export interface OrcType {
  readonly kind: OrcTypeKind;
  /** Indices of types, each larger than this type's own. */
  readonly subtypes: readonly number[];
  /** One for each subtype of a struct. */
  readonly fieldNames: readonly string[];
  readonly precision: number;
  readonly scale: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface StripeInformation {
  readonly offset: number;
  readonly indexBytes: number;
  readonly dataBytes: number;
  readonly footerBytes: number;
  readonly rows: number;
}

/** `Footer.writer` of the Apache C++ library, which is pyarrow's too. */
export const CPP_WRITER = 1;

export interface Footer {
  readonly types: readonly OrcType[];
  readonly stripes: readonly StripeInformation[];
  /** User metadata; bytes that are not UTF-8 are shown with replacement characters. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly rows: number;
  /** 0 Java, 1 C++, 2 Presto, 3 Go, 4 Trino, 5 CUDF. */
  readonly writer: number;
  /** As it is written; "" when it is not said. */
  readonly softwareVersion: string;
  /** Rows of a row group; 0 without a row index. */
  readonly rowIndexStride: number;
  readonly calendar: Calendar;
  readonly encrypted: boolean;
}

export interface StreamInformation {
  readonly kind: number;
  readonly column: number;
  /** Bytes from the start of the object. */
  readonly start: number;
  readonly end: number;
}

export interface ColumnEncoding {
  readonly kind: EncodingKind;
  readonly dictionarySize: number;
}

export interface StripeFooter {
  readonly streams: readonly StreamInformation[];
  /** One for each type. */
  readonly encodings: readonly ColumnEncoding[];
  /** IANA name; undefined when the writer did not say (read as UTC). */
  readonly timeZone: string | undefined;
}

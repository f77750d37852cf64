/**
 * Constants and on-disk structures of the Avro 1.12 specification
 * (https://avro.apache.org/docs/1.12.0/specification/). Everything is plain data.
 */

/** "Object Container Files": the first four bytes. */
export const MAGIC: Uint8Array = Uint8Array.of(0x4f, 0x62, 0x6a, 1);

/** Ends the header and every block. */
export const SYNC_BYTES = 16;

/** File metadata: the schema as JSON. */
export const SCHEMA_KEY = "avro.schema";
/** File metadata: the codec's name; absent means "null". */
export const CODEC_KEY = "avro.codec";

/** "Required Codecs" and "Optional Codecs", by the name in the header. */
export const codecNames = ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"] as const;
export type AvroCodec = (typeof codecNames)[number];

export type PrimitiveKind = "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string";

/** "Logical Types" that change how a value is read; unknown or invalid ones are left out. */
export type LogicalType =
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "uuid" | "date" | "time-millis" | "time-micros" | "duration" }
  | { readonly kind: "timestamp-millis" | "timestamp-micros" | "timestamp-nanos" }
  | { readonly kind: "local-timestamp-millis" | "local-timestamp-micros" | "local-timestamp-nanos" };

export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
  /** As JSON, not checked yet; undefined: there is none (null is one). Integers past 2^53 are bigints. */
  readonly default?: unknown;
  /** Names that the field had in earlier schemas. */
  readonly aliases?: readonly string[] | undefined;
}

/** The name of a type with its namespace, and the ones it had in earlier schemas. */
interface Named {
  readonly name: string;
  readonly aliases?: readonly string[] | undefined;
}

/** A schema with its names resolved. A named type that contains itself is `recursive` where it is met again. */
export type AvroType =
  | { readonly kind: PrimitiveKind; readonly logical?: LogicalType | undefined }
  | (Named & { readonly kind: "fixed"; readonly size: number; readonly logical?: LogicalType | undefined })
  /** `default`: the symbol that stands for those the reader does not know. */
  | (Named & { readonly kind: "enum"; readonly symbols: readonly string[]; readonly default?: string | undefined })
  | (Named & { readonly kind: "record"; readonly fields: readonly AvroField[] })
  | { readonly kind: "array" | "map"; readonly items: AvroType }
  | { readonly kind: "union"; readonly branches: readonly AvroType[] }
  | { readonly kind: "recursive"; readonly name: string };

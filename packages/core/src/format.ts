import type { Columns } from "./columns.ts";
import type { Limits } from "./limits.ts";
import type { Predicate } from "./predicate/types.ts";
import type { Schema } from "./schema.ts";
import type { ByteSource, ReadOptions } from "./source.ts";

export type FormatName = "parquet" | "orc" | "avro" | "tfrecord" | "arrow";

/** Bytes [start, end) of an object. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * The smallest piece of an object that decodes alone: a Parquet row group, an ORC stripe, a run of Avro blocks or of
 * TFRecord records. Plain data.
 */
export interface Fragment<P = unknown> {
  readonly url: string;
  /** 0-based within the object. */
  readonly ordinal: number;
  /** Exact, or undefined for a row format without an index. */
  readonly rows: number | undefined;
  /** Bytes that reading the selected columns fetches. */
  readonly sizeBytes: number;
  /** What only the format itself understands. */
  readonly plan: P;
}

/** One run of blocks or records: bytes [start, end) of the object holding exactly `rows` rows. */
export interface IndexedFragment extends ByteSpan {
  readonly rows: number;
}

/** Where the fragments of one row-format object lie: a manifest of one object. Stale when size or etag differ. */
export interface ObjectIndex {
  readonly version: 1;
  readonly format: FormatName;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly fragments: readonly IndexedFragment[];
}

/** What to read. Plain data. */
export interface Select {
  /** Paths of columns, each a list of field names from the root; undefined is all. Order is the output's. */
  readonly columns?: readonly (readonly string[])[] | undefined;
  /**
   * Rows for which this is true. A plan may leave out fragments that have none, or ignore it: the driver always filters
   * exactly.
   */
  readonly where?: Predicate | undefined;
  /** A declared schema, for formats whose files carry none (TFRecord). */
  readonly declared?: unknown;
  /** Exact fragments of a row format; without it such an object is one fragment of unknown rows. */
  readonly index?: ObjectIndex | undefined;
  readonly dictionary: "decode" | "preserve";
  /** "us": all timestamps in microseconds; undefined: as they are stored, those of no unit in nanoseconds. */
  readonly timestampUnit?: "us" | undefined;
  /** Whether Parquet's INT96 timestamps, which do not say, are instants ("utc") or wall clocks ("naive", the default). */
  readonly int96?: "utc" | "naive" | undefined;
  readonly limits: Limits;
}

/** A decoder's request: bytes it wants next, answered by `next(bytes)` in the same order. */
export interface Need {
  readonly need: readonly ByteSpan[];
  /** For each span an array of the decoder's, at least as long, that the answer may be written to (`RangeOptions`). */
  readonly into?: readonly Uint8Array[] | undefined;
}

/** Rows that a decoder passed over undecoded: none of them passes `select.where`. They count as rows of the fragment. */
export interface Passed {
  readonly passedRows: number;
}

export interface DecodeOptions {
  readonly select: Select;
  /** Rows [from, to) of the fragment; all when undefined. */
  readonly rows?: readonly [from: number, to: number] | undefined;
  /** A slab ends at so many rows … */
  readonly batchRows: number;
  /** … or at so many bytes, whichever comes first. */
  readonly batchBytes: number;
  /** As `ByteSource.nearby`, of the source that answers. */
  readonly nearby?: boolean | undefined;
}

/** A push decoder: yields rows, rows that it passed over, or the ranges it needs next. Pure and synchronous. */
export type Decoder = Generator<Columns | Need | Passed, void, Uint8Array[]>;

/**
 * What a format folder exports. Only `readMetadata` and `prepare` await; the rest is pure, so that it can be fuzzed,
 * measured and moved to a worker. `M` and `P` survive structuredClone.
 */
export interface Format<M, P> {
  readonly name: FormatName;
  readMetadata(source: ByteSource, select: Select, options?: ReadOptions): Promise<M>;
  /** Loads kernels and codecs that decoding this object needs, once per thread. */
  prepare(metadata: M): Promise<void>;
  toSchema(metadata: M, select: Select): Schema;
  /** Only row formats have one: reads the whole object once and says where its fragments lie. */
  buildIndex?(source: ByteSource, metadata: M, select: Select, options?: ReadOptions): Promise<ObjectIndex>;
  plan(metadata: M, select: Select): Fragment<P>[];
  decode(fragment: Fragment<P>, metadata: M, options: DecodeOptions): Decoder;
}

import type { ByteSource, DataType, Field, FormatName, Key, ReadOptions, Select } from "@ingest-ts/core";

/** What a file says of itself and how it is laid out. No row is decoded. */
export interface Inspection {
  readonly url: string;
  readonly format: FormatName;
  readonly sizeBytes: number;
  /** Undefined when only reading the file would tell. */
  readonly rows: number | undefined;
  /** The program that wrote it, if it says so. */
  readonly writer: string | undefined;
  /** Facts of the whole file in the format's own words, in the order in which they are shown. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** User metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Columns as they are read; undefined when one has no Arrow type. */
  readonly fields: readonly Field[] | undefined;
  /** Row groups, stripes, record batches; of row formats the whole, or with `pages` blocks and runs of records. */
  readonly fragments: readonly InspectedFragment[];
}

export interface InspectedFragment {
  readonly ordinal: number;
  readonly rows: number | undefined;
  /** Bytes [start, end) of the file. */
  readonly start: number;
  readonly end: number;
  /** Stored columns, nested ones by their leaves; empty for row formats. */
  readonly columns: readonly InspectedColumn[];
}

export interface InspectedColumn {
  readonly path: readonly string[];
  /** Of the values, in the format's words. */
  readonly physical: string;
  /** As what it is read; decides what `min` and `max` mean. */
  readonly type: DataType;
  readonly codec: string;
  readonly encodings: readonly string[];
  readonly storedBytes: number;
  /** Before compression, when the format says so. */
  readonly plainBytes: number | undefined;
  /** Slots, with nulls and what lists hold. */
  readonly values: number | undefined;
  readonly nulls: number | undefined;
  /** Bounds, perhaps wider than the values; undefined when there are none that can be believed. */
  readonly min: Key | undefined;
  readonly max: Key | undefined;
  /** What else is stored to find values by, for example "column index". */
  readonly indexes: readonly string[];
  readonly pages: readonly InspectedPage[] | undefined;
}

/** A page, or a stream of ORC. */
export interface InspectedPage {
  readonly kind: string;
  readonly offset: number;
  /** With its header. */
  readonly storedBytes: number;
  readonly plainBytes: number | undefined;
  readonly values: number | undefined;
  readonly encoding: string | undefined;
  readonly crc: boolean | undefined;
}

export interface InspectOptions extends ReadOptions {
  readonly select: Select;
  /** Down to pages (Parquet), streams (ORC), blocks (Avro), runs of records (TFRecord). Reads more of the file. */
  readonly pages: boolean;
}

/** An inspection but for what `toSchema` says. */
export type StoredLayout = Omit<Inspection, "fields">;

/** What each format contributes. */
export type InspectFormat<M> = (source: ByteSource, metadata: M, options: InspectOptions) => Promise<StoredLayout>;

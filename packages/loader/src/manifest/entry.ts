import type { FormatName, ObjectIndex, Schema } from "@ingest-ts/core";

/** What a manifest knows of one object: enough to plan, count and order its rows without opening it. */
export interface ObjectEntry {
  /** Relative to the data set, with `/`. */
  readonly name: string;
  readonly sizeBytes: number;
  /** As it was when the object was read: another one now makes the entry stale. */
  readonly etag: string;
  readonly format: FormatName;
  /** Of the last 64 KiB; a copy keeps it. */
  readonly digest: string;
  readonly schema: Schema;
  /** Exact rows of each fragment, in file order. */
  readonly fragmentRows: readonly number[];
  /** Bytes that reading all columns of each fragment fetches. */
  readonly fragmentBytes: readonly number[];
  /** The same for each top-level column alone, by fragment; undefined where columns are not stored apart, or too many. */
  readonly columnBytes?: readonly (readonly number[])[] | undefined;
  /** Where the fragments of a row format lie; undefined for formats whose footer says so. */
  readonly index?: ObjectIndex | undefined;
}

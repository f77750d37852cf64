import type { Slab } from "@ingest-ts/core";

/** Turns rows into bytes of one output format, as they come. */
export interface RowWriter {
  write(slab: Slab): Promise<void>;
  /** After the last rows. */
  finish(): Promise<void>;
  /** Instead of `finish`, after a failure: makes what was written visibly incomplete, where the format can. */
  cut?(): Promise<void>;
}

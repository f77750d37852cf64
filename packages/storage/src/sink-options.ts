import type { ReadOptions } from "@ingest-ts/core";

/** How an output is written. */
export interface SinkOptions extends ReadOptions {
  /** Its first 4 MiB can be patched until it is closed; on S3 that holds the first part back in memory. */
  readonly patchable?: boolean | undefined;
}

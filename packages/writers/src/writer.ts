import type { Columns } from "@ingest-ts/core";

/** What a finished writer wrote. */
export interface Written {
  readonly rows: number;
  /** Of the whole object. */
  readonly sizeBytes: number;
}

/**
 * Takes rows and appends one object to a sink. Calls are awaited one by one. After an error of `write` or `finish` only
 * `abort` does anything.
 */
export interface TableWriter {
  /**
   * Adds rows that follow the writer's schema; their buffers may be changed once the promise resolves.
   *
   * @throws OptionsError when they do not follow it, or hold a value that the format cannot hold exactly.
   */
  write(columns: Columns): Promise<void>;
  /** Writes what is left and closes the sink: the object becomes visible. */
  finish(): Promise<Written>;
  /** Gives up: aborts the sink, so that nothing is left behind. Harmless after `finish` and when repeated. */
  abort(): Promise<void>;
}

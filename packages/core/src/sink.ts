/**
 * Where a writer appends bytes. Nothing is visible under the final name before `close`; `abort` leaves nothing behind.
 */
export interface ByteSink {
  /** The sink may keep the bytes until the promise resolves; the caller does not change them before. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Replaces bytes that were written, before `seal` or `close`: for a header that is known at the end only. Sinks that
   * cannot have none; some hold the first megabytes back for it when they are made for it (`patchable`), and no more.
   */
  patch?(position: number, bytes: Uint8Array): Promise<void>;
  /**
   * Hands over what is gathered in memory, so that a sink can wait for `close` at little cost; only `close` and `abort`
   * may follow. Nothing becomes visible. Sinks that gather nothing have none.
   */
  seal?(): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

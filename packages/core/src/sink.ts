/**
 * Where a writer appends bytes. Nothing is visible under the final name before `close`; `abort` leaves nothing behind.
 */
export interface ByteSink {
  /** The sink may keep the bytes until the promise resolves; the caller does not change them before. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

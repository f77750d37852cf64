/** The three wrappings of deflate data: RFC 1952, RFC 1950, RFC 1951. */
export type DeflateFormat = "gzip" | "zlib" | "deflateRaw";

/** What a runtime brings along; undefined where it does not. Everything is synchronous and may throw anything. */
export interface Platform {
  /**
   * At most `limit` bytes, else it throws. `chunkBytes` is how much output to expect. More than `trailing` bytes (default
   * 0) behind the end are an error where the runtime tells; gzip may have several members.
   */
  inflate(format: DeflateFormat, bytes: Uint8Array, limit: number, chunkBytes: number, trailing?: number): Uint8Array;
  deflate(format: DeflateFormat, bytes: Uint8Array, level: number | undefined): Uint8Array;
  readonly brotliDecompress?: ((bytes: Uint8Array, limit: number, chunkBytes: number) => Uint8Array) | undefined;
  readonly brotliCompress?: ((bytes: Uint8Array, level: number | undefined) => Uint8Array) | undefined;
  readonly zstdDecompress?: ((bytes: Uint8Array, limit: number) => Uint8Array) | undefined;
  readonly zstdCompress?: ((bytes: Uint8Array, level: number | undefined) => Uint8Array) | undefined;
  readonly crc32?: ((bytes: Uint8Array, previous: number) => number) | undefined;
}

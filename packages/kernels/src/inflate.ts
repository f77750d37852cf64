import { zlibInflate, zlibInflateInit2, zlibInflateReset, Z_NO_FLUSH, ZStream } from "pako";
import { CodecError } from "./codecs/codec-error.ts";
import type { DeflateFormat } from "./codecs/platform.ts";

export { CodecError } from "./codecs/codec-error.ts";
export type { DeflateFormat } from "./codecs/platform.ts";

const Z_STREAM_END = 1;
const Z_NEED_DICT = 2;
const Z_BUF_ERROR = -5;

/** What zlib's inflateInit2 calls windowBits: 15 for 32 KiB, plus 16 for gzip's wrapping, negative for none. */
const windowBits: Record<DeflateFormat, number> = { gzip: 31, zlib: 15, deflateRaw: -15 };

/** Decompresses a stream piece by piece, synchronously and in bounded memory. */
export interface Inflater {
  /**
   * Yields what `chunk` decompresses to, in fresh pieces of at most `pieceBytes`. Nothing else may be pushed before the
   * generator is exhausted.
   *
   * @throws CodecError for corrupt data, a wrong checksum or size in a trailer, and bytes after the end (gzip: bytes
   * that are no further member).
   */
  push(chunk: Uint8Array): Generator<Uint8Array, void, void>;
  /** Call after the last chunk. @throws CodecError when the data end too early. */
  finish(): void;
}

/**
 * For whole files that are too large for one buffer. About 300 MB of output per CPU-second; `decompress` uses native
 * code and is faster. gzip may have several members; their CRC-32 and sizes, and zlib's Adler-32, are checked.
 */
export function createInflater(format: DeflateFormat, pieceBytes: number = 256 * 1024): Inflater {
  const stream = new ZStream();
  zlibInflateInit2(stream, windowBits[format]);
  let ended = false;
  let started = false;

  /** Inflates until the piece is full (true) or the input is used up (false). */
  function fill(): boolean {
    while (stream.avail_out > 0) {
      if (ended) {
        if (stream.avail_in === 0) return false;
        if (format !== "gzip") throw new CodecError(format, "bytes follow the end of the data");
        zlibInflateReset(stream);
        ended = false;
      }
      started = true;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      if (status === Z_BUF_ERROR) return false;
      if (status === Z_NEED_DICT) throw new CodecError(format, "the data need a preset dictionary");
      if (status < 0) throw new CodecError(format, stream.msg === "" ? `zlib status ${status}` : stream.msg);
      ended = status === Z_STREAM_END;
    }
    return true;
  }

  return {
    *push(chunk) {
      stream.input = chunk;
      stream.next_in = 0;
      stream.avail_in = chunk.length;
      for (let more = chunk.length > 0; more; ) {
        if (stream.avail_out === 0) {
          stream.output = new Uint8Array(pieceBytes);
          stream.next_out = 0;
          stream.avail_out = pieceBytes;
        }
        const from = stream.next_out;
        more = fill();
        if (stream.next_out > from) yield stream.output.subarray(from, stream.next_out);
      }
    },
    finish() {
      if (!ended) throw new CodecError(format, started ? "the data end too early" : "there are no data");
    },
  };
}

import { checkLimit, FormatError, type Limits } from "@ingest-ts/core";
import { CodecError, type CodecName, decompressUpTo } from "@ingest-ts/kernels/codecs";
import { CHUNK_HEADER_BYTES, type CompressionKind, type Postscript } from "./spec.ts";

/** The codec of each compression. */
export const codecs: Readonly<Record<CompressionKind, CodecName | undefined>> = {
  none: undefined,
  zlib: "deflateRaw",
  snappy: "snappy",
  lzo: "lzo",
  lz4: "lz4Raw",
  zstd: "zstd",
  brotli: "brotli",
};

function expand(codec: CodecName, chunk: Uint8Array, blockBytes: number, offset: number): Uint8Array {
  try {
    return decompressUpTo(codec, chunk, blockBytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new FormatError(`a ${codec} chunk of ${chunk.length} bytes does not decompress: ${error.message}`, {
      where: { offset },
      remedy: "The file is corrupt; write it again.",
      cause: error,
    });
  }
}

/**
 * The content of one stream or footer ("Compression"): every chunk decompressed, laid end to end.
 *
 * @param offset of `bytes` in the object, for errors
 */
export function readChunks(bytes: Uint8Array, postscript: Postscript, limits: Limits, offset: number): Uint8Array {
  const codec = codecs[postscript.compression];
  if (codec === undefined) return bytes;
  checkLimit(limits, "pageBytes", postscript.blockBytes, "a compression block");
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let at = 0; at < bytes.length; ) {
    if (at + CHUNK_HEADER_BYTES > bytes.length) {
      throw new FormatError("a chunk header is cut off", { where: { offset: offset + at } });
    }
    const header = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    const start = at + CHUNK_HEADER_BYTES;
    const end = start + (header >> 1);
    if (end > bytes.length) {
      throw new FormatError(`a chunk of ${header >> 1} bytes passes the end of its stream`, {
        where: { offset: offset + at },
      });
    }
    const chunk = bytes.subarray(start, end);
    const part = (header & 1) === 1 ? chunk : expand(codec, chunk, postscript.blockBytes, offset + at);
    parts.push(part);
    total += part.length;
    at = end;
  }
  if (parts.length === 1) return parts[0] as Uint8Array;
  const out = new Uint8Array(total);
  let filled = 0;
  for (const part of parts) {
    out.set(part, filled);
    filled += part.length;
  }
  return out;
}

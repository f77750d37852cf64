import { checkLimit, FormatError, type Limits } from "@ingest-ts/core";
import type { Kernels } from "@ingest-ts/kernels";
import {
  blockRoom,
  CodecError,
  type CodecName,
  decompressBlockTo,
  decompressUpTo,
  isBlockCodec,
} from "@ingest-ts/kernels/codecs";
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

/** The three bytes before a chunk: its length without them, and whether it is stored as it is. */
export function readChunkHeader(bytes: Uint8Array, at: number): { sizeBytes: number; isOriginal: boolean } {
  const header = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return { sizeBytes: header >> 1, isOriginal: (header & 1) === 1 };
}

/** Room that is taken for content before its size is known; it is kept as long as the stream is read. */
const MOST_ROOM_BYTES = 1024 * 1024;

/** Runs `body`; a codec's complaint becomes a FormatError that names the chunk. */
function atChunk<T>(chunk: Uint8Array, offset: number, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new FormatError(`a chunk of ${chunk.length} bytes does not decompress: ${error.message}`, {
      where: { offset },
      remedy: "The file is corrupt; write it again.",
      cause: error,
    });
  }
}

/**
 * The content of one compressed chunk.
 *
 * @param offset of the chunk in the object, for errors
 */
export function decompressChunk(
  chunk: Uint8Array,
  { compression, blockBytes }: Postscript,
  limits: Limits,
  offset: number,
): Uint8Array {
  checkLimit(limits, "pageBytes", blockBytes, "a compression block");
  return atChunk(chunk, offset, () => decompressUpTo(codecs[compression] as CodecName, chunk, blockBytes));
}

/** How a chunk is decompressed inside of the arena. */
export interface ChunkInArena {
  /** What its content may take. */
  readonly roomBytes: number;
  /** Decompresses to `out`, a place with room for it. Returns the size. */
  readonly to: (out: number) => number;
}

/**
 * A compressed chunk that can go straight into the arena; undefined for codecs that cannot.
 *
 * @param offset of the chunk in the object, for errors
 */
export function chunkInArena(
  chunk: Uint8Array,
  { compression, blockBytes }: Postscript,
  limits: Limits,
  offset: number,
  kernels: Kernels,
): ChunkInArena | undefined {
  const codec = codecs[compression];
  if (codec === undefined || !isBlockCodec(codec)) return undefined;
  checkLimit(limits, "pageBytes", blockBytes, "a compression block");
  const roomBytes = atChunk(chunk, offset, () => blockRoom(codec, chunk, blockBytes));
  if (roomBytes > MOST_ROOM_BYTES) return undefined;
  return {
    roomBytes,
    to: (out) => atChunk(chunk, offset, () => decompressBlockTo(codec, chunk, kernels, out, roomBytes)),
  };
}

/**
 * The content of a footer or index ("Compression"): every chunk decompressed, laid end to end.
 *
 * @param offset of `bytes` in the object, for errors
 */
export function readChunks(bytes: Uint8Array, postscript: Postscript, limits: Limits, offset: number): Uint8Array {
  if (postscript.compression === "none") return bytes;
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let at = 0; at < bytes.length; ) {
    if (at + CHUNK_HEADER_BYTES > bytes.length) {
      throw new FormatError("a chunk header is cut off", { where: { offset: offset + at } });
    }
    const { sizeBytes, isOriginal } = readChunkHeader(bytes, at);
    const start = at + CHUNK_HEADER_BYTES;
    const end = start + sizeBytes;
    if (end > bytes.length) {
      throw new FormatError(`a chunk of ${sizeBytes} bytes passes the end of its stream`, {
        where: { offset: offset + at },
      });
    }
    const chunk = bytes.subarray(start, end);
    const part = isOriginal ? chunk : decompressChunk(chunk, postscript, limits, offset + at);
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

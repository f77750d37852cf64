import * as zlib from "node:zlib";
import type { DeflateFormat, Platform } from "./platform.ts";
import { zstdFrames } from "./zstd-frames.ts";

interface Options {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
  readonly info: true;
}
/** What node:zlib answers with `info: true`, which its types leave out. */
interface Result {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}
type Run = (bytes: Uint8Array, options: Options) => Result;
type Zstd = (bytes: Uint8Array, options: { readonly params?: Record<number, number> } | Options) => unknown;

const inflaters: Record<DeflateFormat, Run> = {
  gzip: zlib.gunzipSync as unknown as Run,
  zlib: zlib.inflateSync as unknown as Run,
  deflateRaw: zlib.inflateRawSync as unknown as Run,
};
const deflaters: Record<DeflateFormat, typeof zlib.gzipSync> = {
  gzip: zlib.gzipSync,
  zlib: zlib.deflateSync,
  deflateRaw: zlib.deflateRawSync,
};

/** Since Node 22.15. */
const native = zlib as unknown as { readonly zstdDecompressSync?: Zstd; readonly zstdCompressSync?: Zstd };
const ZSTD_COMPRESSION_LEVEL = 100;

/** A Buffer differs from other arrays in its `slice`. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function run(decompress: Run, bytes: Uint8Array, limit: number, chunkBytes: number, trailing: number = 0): Uint8Array {
  // A chunk that the output fills exactly makes zlib allocate a second one: leave room.
  const options = {
    maxOutputLength: Math.max(1, limit),
    chunkSize: Math.max(64, chunkBytes + 64),
    info: true,
  } as const;
  let result: Result;
  try {
    result = decompress(bytes, options);
  } catch (error) {
    const tooMuch = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    throw tooMuch ? new Error(`there are more than ${limit} bytes`) : error;
  }
  const rest = bytes.length - result.engine.bytesWritten;
  if (rest > trailing) throw new Error(`${rest} bytes follow the end of the data`);
  return plain(result.buffer);
}

const LATER_CHUNK_BYTES = 64 * 1024;

/** node:zlib reads one frame a call. */
function everyFrame(decompress: Run, bytes: Uint8Array, limit: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const frame of zstdFrames(bytes)) {
    const left = limit - length;
    const part = run(decompress, frame, left, parts.length === 0 ? left : Math.min(left, LATER_CHUNK_BYTES));
    parts.push(part);
    length += part.length;
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : plain(Buffer.concat(parts));
}

function levelOption(level: number | undefined): zlib.ZlibOptions {
  return level === undefined ? {} : { level };
}

const zstdDecompressSync = native.zstdDecompressSync;
const zstdCompressSync = native.zstdCompressSync;

/** Node's own codecs, native code all of them. */
export const platform: Platform = {
  inflate: (format, bytes, limit, chunkBytes, trailing) => run(inflaters[format], bytes, limit, chunkBytes, trailing),
  deflate: (format, bytes, level) => plain(deflaters[format](bytes, levelOption(level))),
  brotliDecompress: (bytes, limit, chunkBytes) =>
    run(zlib.brotliDecompressSync as unknown as Run, bytes, limit, chunkBytes),
  brotliCompress: (bytes, level) =>
    plain(
      zlib.brotliCompressSync(bytes, {
        params: {
          [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
          ...(level === undefined ? {} : { [zlib.constants.BROTLI_PARAM_QUALITY]: level }),
        },
      }),
    ),
  zstdDecompress:
    zstdDecompressSync === undefined
      ? undefined
      : (bytes, limit) => everyFrame((data, options) => zstdDecompressSync(data, options) as Result, bytes, limit),
  zstdCompress:
    zstdCompressSync === undefined
      ? undefined
      : (bytes, level) =>
          plain(
            zstdCompressSync(
              bytes,
              level === undefined ? {} : { params: { [ZSTD_COMPRESSION_LEVEL]: level } },
            ) as Uint8Array,
          ),
  crc32: (bytes, previous) => zlib.crc32(bytes, previous),
};

import { platform } from "#codecs";
import { acquireKernels, type Kernels, loadKernels } from "../kernels.ts";
import { type BlockCodec, compressBlock, decompressBlock, type ReadableBlockCodec } from "./blocks.ts";
import { CodecError, toCodecError } from "./codec-error.ts";
import { decompressOptional, type OptionalCodec, prepareOptional } from "./optional.ts";
import type { DeflateFormat } from "./platform.ts";
import { prepareZstd, zstdCompress, zstdDecompress } from "./zstd.ts";
import { zstdBound } from "./zstd-frames.ts";

export type { ReadableBlockCodec } from "./blocks.ts";
export { CodecError } from "./codec-error.ts";

/**
 * | name | bytes | where |
 * | --- | --- | --- |
 * | snappy | raw block | kernel |
 * | lz4Raw | one LZ4 block | kernel |
 * | lz4Hadoop | Hadoop's framing of LZ4 blocks; a bare block is read too | kernel |
 * | lzo | one LZO1X stream; reading only | kernel |
 * | gzip | RFC 1952, any number of members | node:zlib, else pako |
 * | zlib, deflateRaw | RFC 1950, RFC 1951 | node:zlib, else pako |
 * | zstd | RFC 8878, any number of frames | node:zlib since Node 22.15, else zstddec and @bokuweb/zstd-wasm |
 * | brotli | RFC 7932 | node:zlib only |
 * | bzip2 | one or more streams | optional peer seek-bzip; reading only |
 * | xz | one stream | optional peer @napi-rs/lzma; reading only |
 */
export type CodecName = WritableCodec | ReadableBlockCodec | OptionalCodec;

/** The codecs that can also be written. */
export type WritableCodec = BlockCodec | DeflateFormat | "zstd" | "brotli";

/** Most output bytes per input byte, by the format. */
const maxRatio: Record<CodecName, number> = {
  snappy: 22,
  lz4Raw: 256,
  lz4Hadoop: 256,
  lzo: 256,
  gzip: 1033,
  zlib: 1033,
  deflateRaw: 1033,
  zstd: 2 ** 17 / 3,
  brotli: Number.POSITIVE_INFINITY,
  bzip2: Number.POSITIVE_INFINITY,
  xz: Number.POSITIVE_INFINITY,
};

/** Whether a codec is one of our kernels, which work inside of the arena. */
export function isBlockCodec(codec: CodecName): codec is ReadableBlockCodec {
  return codec === "snappy" || codec === "lz4Raw" || codec === "lz4Hadoop" || codec === "lzo";
}

/**
 * Loads what the named codecs need; once per thread, then everything below is synchronous.
 *
 * @param use "read" spares the writer's library where zstd is not native.
 */
export async function prepareCodecs(
  names: Iterable<CodecName>,
  use: "read" | "write" | "both" = "both",
): Promise<void> {
  await loadKernels();
  for (const name of names) {
    if (name === "zstd") await prepareZstd(use);
    else if (name === "bzip2" || name === "xz") await prepareOptional(name);
  }
}

/**
 * Refuses a claimed size before anything is allocated for it: above `limit`, or more than the compressed bytes can hold.
 *
 * @throws CodecError
 */
export function checkClaim(codec: CodecName, compressedSize: number, uncompressedSize: number, limit: number): void {
  if (!Number.isSafeInteger(uncompressedSize) || uncompressedSize < 0)
    throw new CodecError(codec, `${uncompressedSize} is no size`);
  if (uncompressedSize > limit)
    throw new CodecError(codec, `the claimed ${uncompressedSize} bytes are over the limit of ${limit}`);
  if (uncompressedSize > compressedSize * maxRatio[codec])
    throw new CodecError(codec, `${compressedSize} bytes cannot hold the claimed ${uncompressedSize}`);
}

/** So many bytes of memory that a result may be put into. */
type Room = (sizeBytes: number) => Uint8Array;

/** `target` is only a hint for zstd. The result may have any size up to `sizeBytes`. */
function inflate(codec: CodecName, bytes: Uint8Array, sizeBytes: number, target?: Uint8Array): Uint8Array {
  switch (codec) {
    case "gzip":
    case "zlib":
    case "deflateRaw":
      return platform.inflate(codec, bytes, sizeBytes, sizeBytes);
    case "zstd":
      return zstdDecompress(bytes, sizeBytes, target);
    case "brotli":
      if (platform.brotliDecompress === undefined) throw new CodecError(codec, "this runtime cannot read it: use Node");
      // Brotli has no bound on its ratio: output is taken in steps that follow the input.
      return platform.brotliDecompress(bytes, sizeBytes, Math.min(sizeBytes, 65_536 + bytes.length * 16));
    case "bzip2":
    case "xz":
      return decompressOptional(codec, bytes, sizeBytes);
    default:
      return inflateBlock(codec, bytes, sizeBytes);
  }
}

function inflateBlock(codec: ReadableBlockCodec, bytes: Uint8Array, sizeBytes: number, room?: Room): Uint8Array {
  const kernels = acquireKernels();
  const out = kernels.arena.allocate(sizeBytes);
  try {
    const size = blockInto(codec, bytes, kernels, out, sizeBytes);
    if (room === undefined) return kernels.bytes.slice(out, out + size);
    const target = room(size);
    target.set(kernels.bytes.subarray(out, out + size));
    return target;
  } finally {
    kernels.arena.release(out);
  }
}

/** Brings `bytes` into the arena when they are not there yet. */
function blockInto(
  codec: ReadableBlockCodec,
  bytes: Uint8Array,
  kernels: Kernels,
  out: number,
  sizeBytes: number,
): number {
  if (bytes.buffer === kernels.exports.memory.buffer)
    return decompressBlock(codec, kernels, bytes.byteOffset, bytes.length, out, sizeBytes);
  const src = kernels.arena.allocate(bytes.length);
  try {
    kernels.bytes.set(bytes, src);
    return decompressBlock(codec, kernels, src, bytes.length, out, sizeBytes);
  } finally {
    kernels.arena.release(src);
  }
}

function checkSize(codec: CodecName, size: number, claimed: number): void {
  if (size !== claimed) throw new CodecError(codec, `there are ${size} bytes where ${claimed} were claimed`);
}

/**
 * The whole of `bytes` decompressed to exactly `uncompressedSize` bytes. No bytes at all are 0 bytes in every codec.
 *
 * @param limit the most that may be claimed
 * @throws CodecError for everything that is wrong with the bytes or the claim
 */
export function decompress(codec: CodecName, bytes: Uint8Array, uncompressedSize: number, limit: number): Uint8Array {
  checkClaim(codec, bytes.length, uncompressedSize, limit);
  try {
    const out = bytes.length === 0 ? bytes : inflate(codec, bytes, uncompressedSize);
    checkSize(codec, out.length, uncompressedSize);
    return out;
  } catch (error) {
    throw toCodecError(codec, error);
  }
}

/**
 * The whole of `bytes` decompressed to whatever size it has, at most `limit` bytes: for formats that state a bound only.
 *
 * @param trailing how many bytes may follow the end of deflate data
 * @param room memory that the result may be put into, for who uses it again; it may also come in its own
 * @throws CodecError
 */
export function decompressUpTo(
  codec: CodecName,
  bytes: Uint8Array,
  limit: number,
  trailing: number = 0,
  room?: Room,
): Uint8Array {
  try {
    if (bytes.length === 0) return bytes;
    switch (codec) {
      case "gzip":
      case "zlib":
      case "deflateRaw":
        return platform.inflate(codec, bytes, limit, Math.min(limit, 65_536 + bytes.length * 4), trailing);
      case "zstd": {
        const most = Math.min(limit, zstdBound(bytes));
        return inflate(codec, bytes, most, platform.zstdDecompress === undefined ? room?.(most) : undefined);
      }
      default: {
        const most = Math.min(limit, bytes.length * maxRatio[codec]);
        return isBlockCodec(codec) ? inflateBlock(codec, bytes, most, room) : inflate(codec, bytes, most);
      }
    }
  } catch (error) {
    throw toCodecError(codec, error);
  }
}

/**
 * Room in the arena for whatever a block decompresses to, at most `limit` bytes.
 *
 * @throws CodecError when the block claims more
 */
export function blockRoom(codec: ReadableBlockCodec, bytes: Uint8Array, limit: number): number {
  if (codec !== "snappy") return Math.min(limit, bytes.length * maxRatio[codec]);
  // A Snappy block begins with its size, 7 bits a byte.
  let [size, scale] = [0, 1];
  for (let at = 0; at < 5; at++, scale *= 128) {
    const byte = bytes[at] ?? 0;
    size += (byte & 127) * scale;
    if (byte < 128) break;
  }
  checkClaim(codec, bytes.length, size, limit);
  return size;
}

/**
 * `decompressUpTo` into a block of the arena with `blockRoom` bytes plus SLACK. Returns the size. Views of the arena are
 * stale afterwards.
 *
 * @throws CodecError
 */
export function decompressBlockTo(
  codec: ReadableBlockCodec,
  bytes: Uint8Array,
  kernels: Kernels,
  out: number,
  roomBytes: number,
): number {
  if (bytes.length === 0) return 0;
  try {
    return blockInto(codec, bytes, kernels, out, roomBytes);
  } catch (error) {
    throw toCodecError(codec, error);
  }
}

/**
 * `decompress` into a block of the arena: `out` has `uncompressedSize` bytes plus SLACK. `bytes` may lie outside of the
 * arena, or inside, where they are not copied for Snappy and LZ4. The caller has checked the claim before allocating
 * (`checkClaim`). On an error `out` holds garbage.
 *
 * Views of the arena are stale afterwards when `bytes` lay outside.
 */
export function decompressTo(
  codec: CodecName,
  bytes: Uint8Array,
  kernels: Kernels,
  out: number,
  uncompressedSize: number,
): void {
  if (bytes.length === 0) {
    checkSize(codec, 0, uncompressedSize);
    return;
  }
  try {
    if (isBlockCodec(codec)) {
      checkSize(codec, blockInto(codec, bytes, kernels, out, uncompressedSize), uncompressedSize);
      return;
    }
    const target = kernels.bytes.subarray(out, out + uncompressedSize);
    const result = inflate(codec, bytes, uncompressedSize, target);
    checkSize(codec, result.length, uncompressedSize);
    if (result.buffer !== target.buffer) target.set(result);
  } catch (error) {
    throw toCodecError(codec, error);
  }
}

/** `decompressTo` from `srcLength` bytes at `src` in the same arena. */
export function decompressInto(
  codec: CodecName,
  kernels: Kernels,
  src: number,
  srcLength: number,
  out: number,
  uncompressedSize: number,
): void {
  decompressTo(codec, kernels.bytes.subarray(src, src + srcLength), kernels, out, uncompressedSize);
}

/**
 * @param level the codec's own: gzip, zlib, deflateRaw 0–9, zstd 1–22, brotli 0–11; the codec's default when left out,
 * none for snappy and LZ4
 * @throws CodecError when the runtime cannot write the codec or the library refuses
 */
export function compress(codec: WritableCodec, bytes: Uint8Array, level?: number): Uint8Array {
  try {
    switch (codec) {
      case "gzip":
      case "zlib":
      case "deflateRaw":
        return platform.deflate(codec, bytes, level);
      case "zstd":
        return zstdCompress(bytes, level);
      case "brotli":
        if (platform.brotliCompress === undefined)
          throw new CodecError(codec, "this runtime cannot write it: use Node");
        return platform.brotliCompress(bytes, level);
      default:
        return compressBlock(codec, acquireKernels(), bytes);
    }
  } catch (error) {
    throw toCodecError(codec, error);
  }
}

/** CRC-32 (IEEE), going on from `previous`. Native where there is `node:zlib`, else the kernel, which must be loaded. */
export function crc32(bytes: Uint8Array, previous: number = 0): number {
  if (platform.crc32 !== undefined) return platform.crc32(bytes, previous);
  const kernels = acquireKernels();
  const src = kernels.arena.allocate(bytes.length);
  try {
    kernels.bytes.set(bytes, src);
    return kernels.exports.crc32(src, bytes.length, previous) >>> 0;
  } finally {
    kernels.arena.release(src);
  }
}

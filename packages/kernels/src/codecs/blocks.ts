// Snappy, LZ4 and LZO: kernels that work inside the arena.
import { checked } from "../kernel-error.ts";
import type { Kernels } from "../kernels.ts";

export type BlockCodec = "snappy" | "lz4Raw" | "lz4Hadoop";

/** Those that can be read. */
export type ReadableBlockCodec = BlockCodec | "lzo";

/** Decompresses into `sizeBytes` (plus SLACK) at `out`. Returns the size. @throws KernelError */
export function decompressBlock(
  codec: ReadableBlockCodec,
  kernels: Kernels,
  src: number,
  srcLength: number,
  out: number,
  sizeBytes: number,
): number {
  const { exports } = kernels;
  if (codec === "snappy") return checked(exports, exports.snappyDecompress(src, srcLength, out, sizeBytes));
  if (codec === "lzo") return checked(exports, exports.lzoDecompress(src, srcLength, out, sizeBytes));
  // Writers disagree on what Parquet's codec LZ4 means: Hadoop's framing or a bare block (Compression.md, LZ4).
  if (codec === "lz4Hadoop" && unframeLz4(kernels, src, srcLength, out, sizeBytes)) return sizeBytes;
  return checked(exports, exports.lz4Decompress(src, srcLength, out, sizeBytes));
}

/**
 * Hadoop's BlockCompressorStream: for each block its size, then LZ4 pieces, each after its compressed size, until that
 * size is reached; all sizes big endian. False when the bytes are not framed so.
 */
function unframeLz4(kernels: Kernels, src: number, srcLength: number, out: number, sizeBytes: number): boolean {
  const view = new DataView(kernels.exports.memory.buffer, src, srcLength);
  let at = 0;
  let done = 0;
  while (at < srcLength) {
    if (srcLength - at < 4) return false;
    let left = view.getUint32(at);
    at += 4;
    if (left > sizeBytes - done) return false;
    // Of an empty block some writers write a piece, some nothing.
    for (let empty = left === 0 && at < srcLength; left > 0 || empty; empty = false) {
      const length = srcLength - at < 4 ? Number.POSITIVE_INFINITY : view.getUint32(at);
      const fits = length <= srcLength - at - 4;
      const size = fits ? kernels.exports.lz4Decompress(src + at + 4, length, out + done, left) : -1;
      if (empty && size < 0) break;
      if (size < 0 || (size === 0 && !empty)) return false;
      at += 4 + length;
      done += size;
      left -= size;
    }
  }
  return done === sizeBytes;
}

/** Compresses bytes from anywhere by way of the arena. @throws KernelError when they are too many. */
export function compressBlock(codec: BlockCodec, kernels: Kernels, bytes: Uint8Array): Uint8Array {
  const { arena, exports } = kernels;
  const snappy = codec === "snappy";
  const capacity = snappy ? exports.snappyBound(bytes.length) : exports.lz4Bound(bytes.length);
  const src = arena.allocate(bytes.length);
  try {
    const out = arena.allocate(capacity);
    try {
      kernels.bytes.set(bytes, src);
      const size = snappy
        ? exports.snappyCompress(src, bytes.length, out, capacity)
        : exports.lz4Compress(src, bytes.length, out, capacity);
      checked(exports, size);
      if (codec !== "lz4Hadoop") return kernels.bytes.slice(out, out + size);
      const framed = new Uint8Array(8 + size);
      const view = new DataView(framed.buffer);
      view.setUint32(0, bytes.length);
      view.setUint32(4, size);
      framed.set(kernels.bytes.subarray(out, out + size), 8);
      return framed;
    } finally {
      arena.release(out);
    }
  } finally {
    arena.release(src);
  }
}

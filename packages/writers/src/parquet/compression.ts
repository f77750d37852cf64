import { acquireKernels, loadKernels } from "@ingest-ts/kernels";
import { compress, prepareCodecs } from "@ingest-ts/kernels/codecs";
import type { ParquetCodec } from "./options.ts";

/** What pages need of codecs and checksums; synchronous once created. */
export interface PageCompressor {
  /** May share memory with `bytes`. */
  compress(bytes: Uint8Array): Uint8Array;
  /** CRC-32 of the parts one after the other, unsigned. */
  crc32(parts: readonly Uint8Array[]): number;
}

/** Loads what `codec` needs. */
export async function createCompressor(codec: ParquetCodec, level: number | undefined): Promise<PageCompressor> {
  await loadKernels();
  if (codec === "none") return { compress: (bytes) => bytes, crc32 };
  await prepareCodecs([codec]);
  return { compress: (bytes) => compress(codec, bytes, level), crc32 };
}

function crc32(parts: readonly Uint8Array[]): number {
  const kernels = acquireKernels();
  let crc = 0;
  for (const part of parts) {
    const address = kernels.arena.allocate(part.length);
    try {
      kernels.bytes.set(part, address);
      crc = kernels.exports.crc32(address, part.length, crc) >>> 0;
    } finally {
      kernels.arena.release(address);
    }
  }
  return crc;
}

import { compress, crc32, prepareCodecs } from "@ingest-ts/kernels/codecs";
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
  // Also without a codec: checksums may need the kernels.
  await prepareCodecs(codec === "none" ? [] : [codec], "write");
  if (codec === "none") return { compress: (bytes) => bytes, crc32: crc32Of };
  return { compress: (bytes) => compress(codec, bytes, level), crc32: crc32Of };
}

/** CRC-32 (IEEE, as in gzip) of the parts one after the other. */
function crc32Of(parts: readonly Uint8Array[]): number {
  return parts.reduce((crc, part) => crc32(part, crc), 0);
}

import { FormatError, type Limits } from "@ingest-ts/core";
import { CodecError, type CodecName, crc32, decompressUpTo } from "@ingest-ts/kernels/codecs";
import type { AvroCodec } from "./spec.ts";

/** The codec of each name in a header; "null" has none. */
export const codecs: Readonly<Record<Exclude<AvroCodec, "null">, CodecName>> = {
  deflate: "deflateRaw",
  snappy: "snappy",
  zstandard: "zstd",
  bzip2: "bzip2",
  xz: "xz",
};

const CRC_BYTES = 4;
/** fastavro cuts zlib's head off and leaves most of its checksum behind the data. */
const TRAILING_BYTES = 4;

/** Snappy blocks end with the CRC-32 of their content, big endian. */
function checkCrc(content: Uint8Array, stored: Uint8Array): void {
  const expected = new DataView(stored.buffer, stored.byteOffset).getUint32(0);
  if (crc32(content) !== expected) throw new FormatError("a block's CRC-32 is not that of its content");
}

/** The content of one block. @throws FormatError */
export function readBlock(codec: AvroCodec, block: Uint8Array, limits: Limits): Uint8Array {
  if (codec === "null") return block;
  try {
    if (codec !== "snappy") return decompressUpTo(codecs[codec], block, limits.pageBytes, TRAILING_BYTES);
    if (block.length < CRC_BYTES) throw new FormatError(`a snappy block of ${block.length} bytes has no CRC-32`);
    const end = block.length - CRC_BYTES;
    const content = decompressUpTo("snappy", block.subarray(0, end), limits.pageBytes);
    checkCrc(content, block.subarray(end));
    return content;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new FormatError(`a block of ${block.length} bytes does not decompress: ${error.message}`, {
      remedy: "The file is corrupt; write it again.",
      cause: error,
    });
  }
}

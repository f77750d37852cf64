import { CodecError, decompress, decompressUpTo } from "@ingest-ts/kernels/codecs";
import { corrupt, type RecordPlace, unsupported } from "./errors.ts";
import { decompressLz4Frame } from "./lz4-frame.ts";
import { codecs } from "./spec.ts";

const xerialMagic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00] as const;
const XERIAL_HEADER_BYTES = 16;

/** The size that a raw Snappy block states. */
function snappySize(bytes: Uint8Array): number {
  let size = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return size;
  }
  throw new CodecError("snappy", "it states no size");
}

function snappyBlock(bytes: Uint8Array, limit: number): Uint8Array {
  return decompress("snappy", bytes, snappySize(bytes), limit);
}

/** Java's framing: a header, then blocks behind their big-endian lengths. */
function xerial(bytes: Uint8Array, limit: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks: Uint8Array[] = [];
  let total = 0;
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.length - at < 4 ? -1 : view.getInt32(at);
    at += 4;
    if (length < 0 || length > bytes.length - at) throw new CodecError("snappy", "a block runs past its frame");
    const block = snappyBlock(bytes.subarray(at, at + length), limit - total);
    blocks.push(block);
    total += block.length;
    at += length;
  }
  return joined(blocks, total);
}

function joined(blocks: readonly Uint8Array[], total: number): Uint8Array {
  const [first] = blocks;
  if (blocks.length === 1 && first !== undefined) return first;
  const out = new Uint8Array(total);
  let at = 0;
  for (const block of blocks) {
    out.set(block, at);
    at += block.length;
  }
  return out;
}

function inflate(codec: number, bytes: Uint8Array, limit: number, place: RecordPlace): Uint8Array {
  switch (codec) {
    case codecs.none:
      return bytes;
    case codecs.gzip:
      return decompressUpTo("gzip", bytes, limit);
    case codecs.snappy:
      return xerialMagic.every((byte, i) => bytes[i] === byte) ? xerial(bytes, limit) : snappyBlock(bytes, limit);
    case codecs.lz4:
      return decompressLz4Frame(bytes, limit);
    case codecs.zstd:
      return decompressUpTo("zstd", bytes, limit);
    default:
      throw unsupported(`a record batch has codec ${codec}`, place, "Codecs 0 to 4 are read.");
  }
}

/**
 * The records of a batch, uncompressed. Codecs must be prepared.
 *
 * @param limit bytes that come out at most
 * @throws FormatError, UnsupportedError for an unknown codec
 */
export function inflateRecords(codec: number, bytes: Uint8Array, limit: number, place: RecordPlace): Uint8Array {
  try {
    return inflate(codec, bytes, limit, place);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw corrupt(`a record batch does not decompress: ${error.message}`, place, {
      cause: error,
      remedy: `If it is larger than ${limit} bytes and the topic is to be trusted, raise batchBytes; else begin after this batch.`,
    });
  }
}

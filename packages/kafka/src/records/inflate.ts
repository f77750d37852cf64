import { checkClaim, CodecError, decompressUpTo } from "@ingest-ts/kernels/codecs";
import { corrupt, type RecordPlace, unsupported } from "./errors.ts";
import { decompressLz4Frame } from "./lz4-frame.ts";
import { Output } from "./output.ts";
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

function appendSnappy(out: Output, block: Uint8Array): void {
  const size = snappySize(block);
  checkClaim("snappy", block.length, size, out.left);
  const part = decompressUpTo("snappy", block, size, 0, (count) => out.room(count));
  if (part.length !== size) throw new CodecError("snappy", `there are ${part.length} bytes where ${size} were claimed`);
  out.take(part);
}

/** Java's framing: a header, then blocks behind their big-endian lengths. */
function appendXerial(out: Output, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.length - at < 4 ? -1 : view.getInt32(at);
    at += 4;
    if (length < 0 || length > bytes.length - at) throw new CodecError("snappy", "a block runs past its frame");
    appendSnappy(out, bytes.subarray(at, at + length));
    at += length;
  }
}

function snappy(bytes: Uint8Array, limit: number): Uint8Array {
  const out = new Output("snappy", bytes.length * 4, limit);
  if (xerialMagic.every((byte, i) => bytes[i] === byte)) appendXerial(out, bytes);
  else appendSnappy(out, bytes);
  return out.bytes;
}

function zstd(bytes: Uint8Array, limit: number): Uint8Array {
  const out = new Output("zstd", 0, limit);
  out.take(decompressUpTo("zstd", bytes, limit, 0, (size) => out.room(size)));
  return out.bytes;
}

function inflate(codec: number, bytes: Uint8Array, limit: number, place: RecordPlace): Uint8Array {
  switch (codec) {
    case codecs.none:
      return bytes;
    case codecs.gzip:
      return decompressUpTo("gzip", bytes, limit);
    case codecs.snappy:
      return snappy(bytes, limit);
    case codecs.lz4:
      return decompressLz4Frame(bytes, limit);
    case codecs.zstd:
      return zstd(bytes, limit);
    default:
      throw unsupported(`a record batch has codec ${codec}`, place, "Codecs 0 to 4 are read.");
  }
}

/**
 * The records of a batch, uncompressed: valid until the next batch is. Codecs must be prepared.
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

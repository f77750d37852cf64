import { FormatError, UnsupportedError } from "@ingest-ts/core";
import { CodecError, type CodecName, decompress, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { kernelFault } from "./faults.ts";
import { Compression, nameOf } from "./spec.ts";
import type { Block, Workspace } from "./workspace.ts";

/** Codecs that run outside of the kernels' memory. */
const outside: Readonly<Record<number, CodecName>> = {
  [Compression.GZIP]: "gzip",
  [Compression.BROTLI]: "brotli",
  [Compression.ZSTD]: "zstd",
  [Compression.LZ4]: "lz4Hadoop",
};

/** Loads what decompressing these codecs (of `Compression`) needs. Unknown ones are left to `plan` to refuse. */
export async function preparePageCodecs(codecs: Iterable<number>): Promise<void> {
  const names = Array.from(codecs, (codec) => outside[codec]).filter((name) => name !== undefined);
  await prepareCodecs(names);
}

/** A page's bytes as they are stored, and what its header says of them. */
export interface StoredPage {
  readonly bytes: Uint8Array;
  /** CRC-32 of all of `bytes`. */
  readonly crc: number | undefined;
  readonly codec: number;
  /** Bytes at the front that are not compressed: the levels of a v2 page. */
  readonly plainBytes: number;
  /** Size of everything once decompressed, `plainBytes` included. */
  readonly uncompressedSize: number;
}

/**
 * Brings a page into the kernels' memory: checks its checksum and decompresses it into `block`.
 *
 * @returns the address. @throws FormatError when the checksum or the size differ from the header's.
 */
export function loadPage(space: Workspace, block: Block, page: StoredPage): number {
  const { bytes, codec, plainBytes, uncompressedSize } = page;
  const stored = bytes.length - plainBytes;
  const size = uncompressedSize - plainBytes;
  // A page of no values may have no bytes at all, or a compressed stream of nothing (PARQUET-2469): both are nothing.
  if (codec === Compression.UNCOMPRESSED || size === 0) {
    if (size !== 0 && stored !== size) throw sizeError(stored, size);
    const address = space.load(block, bytes);
    checkCrc(space, page, address);
    return address;
  }
  const name = outside[codec];
  if (name === undefined || page.crc !== undefined) checkCrc(space, page, space.load(space.compressed, bytes));
  const target = block.ensure(uncompressedSize);
  if (plainBytes > 0) space.bytes.set(bytes.subarray(0, plainBytes), target);
  if (name === undefined) decompressInside(space, page, target + plainBytes);
  else space.bytes.set(decompressOutside(name, bytes.subarray(plainBytes), size), target + plainBytes);
  return target;
}

function checkCrc(space: Workspace, page: StoredPage, address: number): void {
  if (page.crc === undefined) return;
  const found = space.x.crc32(address, page.bytes.length, 0) >>> 0;
  if (found === page.crc) return;
  const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
  throw new FormatError(`the page's checksum is ${hex(found)}, its header says ${hex(page.crc)}`);
}

function sizeError(found: number, claimed: number): FormatError {
  return new FormatError(`a page of ${found} bytes whose header says ${claimed}`);
}

/** Decompresses what stands in `space.compressed`. */
function decompressInside(space: Workspace, page: StoredPage, target: number): void {
  const { x } = space;
  const source = space.compressed.address + page.plainBytes;
  const length = page.bytes.length - page.plainBytes;
  const size = page.uncompressedSize - page.plainBytes;
  let found: number;
  if (page.codec === Compression.SNAPPY) found = x.snappyDecompress(source, length, target, size);
  else if (page.codec === Compression.LZ4_RAW) found = x.lz4Decompress(source, length, target, size);
  else throw new UnsupportedError(`compression codec ${nameOf(Compression, page.codec, "codec")} is not supported`);
  if (found < 0) throw kernelFault(x, found, `${nameOf(Compression, page.codec, "codec")} data`);
  if (found !== size) throw sizeError(found, size);
}

function decompressOutside(name: CodecName, bytes: Uint8Array, size: number): Uint8Array {
  try {
    const found = decompress(name, bytes, size, size);
    if (found.length !== size) throw sizeError(found.length, size);
    return found;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new FormatError(`bad ${name} data: ${error.message}`, { cause: error });
  }
}

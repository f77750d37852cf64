import { FormatError, UnsupportedError } from "@ingest-ts/core";
import { checkClaim, CodecError, type CodecName, crc32, decompressTo, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { Compression, nameOf } from "./spec.ts";
import type { Block, Workspace } from "./workspace.ts";

/** What the kernels call each compression of a page. */
const codecNames: Readonly<Record<number, CodecName>> = {
  [Compression.SNAPPY]: "snappy",
  [Compression.GZIP]: "gzip",
  [Compression.BROTLI]: "brotli",
  [Compression.LZ4]: "lz4Hadoop",
  [Compression.ZSTD]: "zstd",
  [Compression.LZ4_RAW]: "lz4Raw",
};

/** Loads what decompressing these codecs (of `Compression`) needs. Unknown ones are left to `plan` to refuse. */
export async function preparePageCodecs(codecs: Iterable<number>): Promise<void> {
  const names = Array.from(codecs, (codec) => codecNames[codec]).filter((name) => name !== undefined);
  await prepareCodecs(names, "read");
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
  const storedSize = bytes.length - plainBytes;
  const size = uncompressedSize - plainBytes;
  checkCrc(page);
  // A page of no values may have no bytes at all, or a compressed stream of nothing: both are nothing.
  if (codec === Compression.UNCOMPRESSED || size === 0) {
    if (size !== 0 && storedSize !== size)
      throw new FormatError(`a page of ${storedSize} bytes whose header says ${size}`);
    return space.load(block, bytes);
  }
  const name = codecNames[codec];
  if (name === undefined)
    throw new UnsupportedError(`compression codec ${nameOf(Compression, codec, "codec")} is not supported`);
  try {
    checkClaim(name, storedSize, size, size);
    // Loaded first when the codec works in the arena, so that nothing is allocated there per page.
    const inside = name === "snappy" || name === "lz4Raw" || name === "lz4Hadoop";
    const source = inside ? space.load(space.compressed, bytes) : 0;
    const target = block.ensure(uncompressedSize);
    const stored = inside ? space.bytes.subarray(source, source + bytes.length) : bytes;
    if (plainBytes > 0) space.bytes.set(stored.subarray(0, plainBytes), target);
    decompressTo(name, stored.subarray(plainBytes), space.kernels, target + plainBytes, size);
    return target;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new FormatError(`bad ${nameOf(Compression, codec, "codec")} data: ${error.message}`, { cause: error });
  }
}

function checkCrc({ bytes, crc }: StoredPage): void {
  if (crc === undefined) return;
  const found = crc32(bytes);
  if (found === crc) return;
  const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
  throw new FormatError(`the page's checksum is ${hex(found)}, its header says ${hex(crc)}`);
}

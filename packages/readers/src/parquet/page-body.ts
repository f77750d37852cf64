import { FormatError, UnsupportedError } from "@ingest-ts/core";
import { checkClaim, CodecError, type CodecName, crc32, decompressTo, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { joinParts } from "./chunk-bytes.ts";
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
  readonly parts: readonly Uint8Array[];
  readonly storedSize: number;
  /** CRC-32 of all of it. */
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
  const { parts, codec, plainBytes, uncompressedSize } = page;
  checkCrc(page);
  // A page of no values may have no bytes at all, or a compressed stream of nothing: both are nothing.
  if (codec === Compression.UNCOMPRESSED || uncompressedSize === plainBytes) {
    if (uncompressedSize !== plainBytes) checkPlainSize(page);
    return space.load(block, ...parts);
  }
  const name = codecNames[codec];
  if (name === undefined)
    throw new UnsupportedError(`compression codec ${nameOf(Compression, codec, "codec")} is not supported`);
  try {
    return decompressPage(space, block, page, name);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new FormatError(`bad ${nameOf(Compression, codec, "codec")} data: ${error.message}`, { cause: error });
  }
}

function decompressPage(space: Workspace, block: Block, page: StoredPage, name: CodecName): number {
  const { parts, storedSize, plainBytes, uncompressedSize } = page;
  const size = uncompressedSize - plainBytes;
  checkClaim(name, storedSize - plainBytes, size, size);
  // Loaded first when the codec works in the arena, so that nothing is allocated there per page.
  const isInside = name === "snappy" || name === "lz4Raw" || name === "lz4Hadoop";
  const source = isInside ? space.load(space.compressed, ...parts) : 0;
  const target = block.ensure(uncompressedSize);
  const stored = isInside ? space.bytes.subarray(source, source + storedSize) : joinParts(parts);
  if (plainBytes > 0) space.bytes.set(stored.subarray(0, plainBytes), target);
  decompressTo(name, stored.subarray(plainBytes), space.kernels, target + plainBytes, size);
  return target;
}

/** @throws FormatError when a page without compression has another size than its header says. */
export function checkPlainSize({ storedSize, uncompressedSize }: StoredPage): void {
  if (storedSize !== uncompressedSize)
    throw new FormatError(`a page of ${storedSize} bytes whose header says ${uncompressedSize}`);
}

/** @throws FormatError when the page has a checksum and another one than it says. */
export function checkCrc({ parts, crc }: StoredPage): void {
  if (crc === undefined) return;
  const found = parts.reduce((previous, part) => crc32(part, previous), 0);
  if (found === crc) return;
  const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
  throw new FormatError(`the page's checksum is ${hex(found)}, its header says ${hex(crc)}`);
}

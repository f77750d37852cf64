import { FormatError } from "@ingest-ts/core";
import { kernelFault } from "./faults.ts";
import { Encoding, nameOf } from "./spec.ts";
import type { Block, Workspace } from "./workspace.ts";
import { UnsupportedError } from "@ingest-ts/core";

export interface LevelSource {
  readonly address: number;
  readonly length: number;
  /** The highest level; 0 means that there are none. */
  readonly max: number;
  /** RLE (with a length in front) or BIT_PACKED; undefined in v2 pages: RLE of exactly `length` bytes. */
  readonly encoding: number | undefined;
  readonly count: number;
}

/** Levels, one byte each, at `address` (0 when there are none). */
export interface LevelRun {
  readonly address: number;
  /** Bytes of the page that they took. */
  readonly bytes: number;
  /** How many are at the maximum. */
  readonly atMax: number;
}

/** Decodes the levels of one page (Encodings, "RLE" and "BIT_PACKED"). @throws FormatError when they are not all there. */
export function decodeLevels(space: Workspace, block: Block, source: LevelSource): LevelRun {
  const { max, count, encoding } = source;
  if (max === 0) return { address: 0, bytes: encoding === undefined ? source.length : 0, atMax: count };
  const width = 32 - Math.clz32(max);
  const out = block.ensure(count);
  const { x } = space;
  if (encoding === Encoding.BIT_PACKED) {
    const bytes = x.bitPackedLevels(source.address, source.length, width, max, out, count);
    if (bytes < 0) throw kernelFault(x, bytes, "levels");
    return { address: out, bytes, atMax: x.validCount() };
  }
  if (encoding !== undefined && encoding !== Encoding.RLE)
    throw new UnsupportedError(`levels in encoding ${nameOf(Encoding, encoding, "encoding")}`);
  let { address, length } = source;
  const prefix = encoding === undefined ? 0 : 4;
  if (prefix > 0) {
    if (length < prefix) throw new FormatError("the page ends before its levels");
    const claimed = new DataView(x.memory.buffer).getUint32(address, true);
    address += prefix;
    length -= prefix;
    if (claimed > length) throw new FormatError(`levels claim ${claimed} bytes, the page has ${length} left`);
    length = claimed;
  }
  const status = x.rleLevels(address, length, width, max, out, count);
  if (status < 0) throw kernelFault(x, status, "levels");
  return { address: out, bytes: prefix + length, atMax: x.validCount() };
}

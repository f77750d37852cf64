import { joinParts } from "./chunk-bytes.ts";
import type { Leaf } from "./nodes.ts";
import { checkCrc, checkPlainSize, type StoredPage } from "./page-body.ts";
import { Compression, type DataPageHeader, Encoding } from "./spec.ts";

/** An uncompressed page taken apart where it was fetched. */
export interface OutsidePage {
  /** Its levels. */
  readonly head: Uint8Array;
  readonly values: readonly Uint8Array[];
}

/** The page with its first `headBytes` apart; undefined when it must be decompressed first. Checks its checksum. */
export function splitOutside(page: StoredPage, headBytes: number): OutsidePage | undefined {
  if (page.codec !== Compression.UNCOMPRESSED) return undefined;
  checkPlainSize(page);
  checkCrc(page);
  return { head: joinParts(slice(page.parts, 0, headBytes)), values: slice(page.parts, headBytes, page.storedSize) };
}

/** The same for a v1 page, whose levels say their length themselves; undefined also when they are not RLE. */
export function headOutside(page: StoredPage, leaf: Leaf, header: DataPageHeader): OutsidePage | undefined {
  let headBytes = 0;
  const levels = [
    [leaf.maxRepetition, header.repetitionLevelEncoding],
    [leaf.maxDefinition, header.definitionLevelEncoding],
  ] as const;
  for (const [max, encoding] of levels) {
    if (max === 0) continue;
    if (encoding !== Encoding.RLE || headBytes + 4 > page.storedSize) return undefined;
    const prefix = joinParts(slice(page.parts, headBytes, headBytes + 4));
    headBytes += 4 + new DataView(prefix.buffer, prefix.byteOffset, 4).getUint32(0, true);
  }
  return headBytes > page.storedSize ? undefined : splitOutside(page, headBytes);
}

/** Bytes [from, to) of all parts together. */
function slice(parts: readonly Uint8Array[], from: number, to: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let start = 0;
  for (const part of parts) {
    const end = start + part.length;
    if (end > from && start < to) out.push(part.subarray(Math.max(from - start, 0), Math.min(end, to) - start));
    start = end;
  }
  return out;
}

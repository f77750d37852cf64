import type { Column } from "@ingest-ts/core";
import { arrowBytes, offsetAt } from "../columns/row-ranges.ts";
import type { Step } from "./shred.ts";

/** Most entries that are shredded at once. */
const PIECE_ENTRIES = 32_768;

/**
 * The end of a piece of rows [from, to) of one leaf that is worth encoding at once: bounded in entries, and, unless it is
 * a single row, in bytes.
 */
export function pieceEnd(root: Column, steps: readonly Step[], from: number, to: number, maxBytes: number): number {
  let rows = Math.min(to - from, PIECE_ENTRIES);
  while (rows > 1 && !isSmall(root, steps, from, from + rows, maxBytes)) rows = rows >>> 1;
  return from + rows;
}

function isSmall(root: Column, steps: readonly Step[], from: number, to: number, maxBytes: number): boolean {
  let column = root;
  let start = from;
  let end = to;
  for (const step of steps) {
    if (step.do === "list") {
      start = offsetAt(column, start);
      end = offsetAt(column, end);
    } else if (step.do === "fixedSizeList") {
      start *= step.size;
      end *= step.size;
    } else if (step.do === "dictionary") {
      const dictionary = column.dictionary as Column;
      const mean = arrowBytes(dictionary, 0, dictionary.length) / Math.max(1, dictionary.length);
      return end - start <= PIECE_ENTRIES && (end - start) * mean <= maxBytes;
    }
    if (step.do === "list" || step.do === "fixedSizeList") column = column.children[0] as Column;
    else if (step.do === "child") column = column.children[step.index] as Column;
  }
  return end - start <= PIECE_ENTRIES && arrowBytes(column, start, end) <= maxBytes;
}

import type { Column, Columns } from "../columns.ts";
import { layoutOf } from "./layout.ts";
import { readOffset } from "./offsets.ts";

/** Bytes of values [from, to): what a compact copy of them would take, whatever buffers they share. */
function bytesOfRange(column: Column, from: number, to: number): number {
  const rows = to - from;
  const { offsets } = column;
  const validity = column.validity === null ? 0 : (rows + 7) >> 3;
  const offsetBytes = offsets === null ? 0 : (rows + 1) * offsets.BYTES_PER_ELEMENT;
  const dictionary = column.dictionary === null ? 0 : bytesOfRange(column.dictionary, 0, column.dictionary.length);
  const layout = layoutOf(column.type);
  const overChildren = (start: number, end: number): number =>
    column.children.reduce((sum, child) => sum + bytesOfRange(child, start, end), 0);
  switch (layout.kind) {
    case "null":
      return 0;
    case "bits":
      return validity + ((rows + 7) >> 3);
    case "fixed":
      return validity + rows * layout.byteWidth + dictionary;
    case "bytes":
      return validity + offsetBytes + readOffset(offsets, to) - readOffset(offsets, from);
    case "list":
      return validity + offsetBytes + overChildren(readOffset(offsets, from), readOffset(offsets, to));
    case "fixedSizeList":
      return validity + overChildren(from * layout.size, to * layout.size);
    case "struct":
      return validity + overChildren(from, to);
    case "sparseUnion":
      return rows + overChildren(from, to);
    case "denseUnion":
      // Which child values are reached is not worth a pass over the type ids: children are counted whole.
      return rows * 5 + column.children.reduce((sum, child) => sum + bytesOfRange(child, 0, child.length), 0);
  }
}

/**
 * Bytes that the values take: what a compact copy would allocate. Buffers that a slice merely shares do not count;
 * dictionaries and the children of dense unions count whole.
 */
export function columnBytes(columns: Columns): number {
  return columns.columns.reduce((sum, column) => sum + bytesOfRange(column, 0, column.length), 0);
}

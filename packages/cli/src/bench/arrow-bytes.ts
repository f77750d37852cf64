import { byteWidthOf, type Column, type Columns } from "@ingest-ts/core";

/**
 * Size of rows in Arrow memory: the one denominator of every MB/s. Counted as if offsets were 32 bits wide and
 * dictionaries decoded, with a validity bit per value of a column only where it has nulls, so that it depends on the
 * table alone and neither on the format it came from nor on where batches were cut (n + 1 offsets count as n).
 */
export function arrowBytes(columns: Columns): number {
  return columns.columns.reduce((sum, column) => sum + columnArrowBytes(column, 0, column.length), 0);
}

function columnArrowBytes(column: Column, from: number, to: number): number {
  const { type } = column;
  const count = to - from;
  if (count <= 0) return 0;
  let bytes = column.nullCount > 0 && type.kind !== "null" ? count / 8 : 0;
  if (type.kind === "bool") return bytes + count / 8;
  if (type.kind === "dictionary") return bytes + decodedBytes(column, from, to);
  if (type.kind === "union") bytes += count * (type.mode === "dense" ? 5 : 1);
  else bytes += count * byteWidthOf(type);
  if (column.offsets !== null && type.kind !== "union") {
    const first = Number(column.offsets[from]);
    const last = Number(column.offsets[to]);
    bytes += 4 * count;
    const [items] = column.children;
    return bytes + (items === undefined ? last - first : columnArrowBytes(items, first, last));
  }
  const dense = type.kind === "union" && type.mode === "dense";
  const size = type.kind === "fixedSizeList" ? type.size : 1;
  for (const child of column.children) {
    bytes += dense ? columnArrowBytes(child, 0, child.length) : columnArrowBytes(child, from * size, to * size);
  }
  return bytes;
}

function decodedBytes(column: Column, from: number, to: number): number {
  const dictionary = column.dictionary as Column;
  const width = byteWidthOf(column.type);
  const data = column.data as Uint8Array;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const sizes = Array.from({ length: dictionary.length }, (_, i) => columnArrowBytes(dictionary, i, i + 1));
  let bytes = 0;
  for (let i = from; i < to; i++) {
    const index =
      width === 1 ? view.getUint8(i) : width === 2 ? view.getUint16(2 * i, true) : view.getUint32(width * i, true);
    bytes += sizes[index] ?? 0;
  }
  return bytes;
}

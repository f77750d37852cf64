import { byteWidthOf, type Column, type Columns } from "@ingest-ts/core";

/** Offset `at` of a column that has some. */
export function offsetAt(column: Column, at: number): number {
  return Number(column.offsets?.[at] ?? 0);
}

/** Bytes that values [from, to) of `column` take in Arrow's layout, without looking at every value. */
export function arrowBytes(column: Column, from: number, to: number): number {
  const rows = to - from;
  const { type } = column;
  const validity = column.validity === null ? 0 : rows / 8;
  switch (type.kind) {
    case "null":
      return 0;
    case "bool":
      return validity + rows / 8;
    case "utf8":
    case "binary":
    case "largeUtf8":
    case "largeBinary": {
      const width = column.offsets instanceof BigInt64Array ? 8 : 4;
      return validity + rows * width + offsetAt(column, to) - offsetAt(column, from);
    }
    case "list":
    case "map":
    case "largeList": {
      const width = column.offsets instanceof BigInt64Array ? 8 : 4;
      return validity + rows * width + belowBytes(column, offsetAt(column, from), offsetAt(column, to));
    }
    case "fixedSizeList":
      return validity + belowBytes(column, from * type.size, to * type.size);
    case "struct":
      return validity + belowBytes(column, from, to);
    default:
      return validity + rows * byteWidthOf(type);
  }
}

function belowBytes(column: Column, from: number, to: number): number {
  return column.children.reduce((total, child) => total + arrowBytes(child, from, to), 0);
}

/** Bytes of Arrow data that rows [from, to) take. */
export function rowBytes(columns: Columns, from: number, to: number): number {
  return columns.columns.reduce((total, column) => total + arrowBytes(column, from, to), 0);
}

/** The largest end ≤ `to` for which rows [from, end) take at most `maxBytes`, but at least one row. */
export function rowsWithin(columns: Columns, from: number, to: number, maxBytes: number): number {
  if (rowBytes(columns, from, to) <= maxBytes) return to;
  let fits = from + 1;
  let exceeds = to;
  while (exceeds - fits > 1) {
    const middle = (fits + exceeds) >>> 1;
    if (rowBytes(columns, from, middle) <= maxBytes) fits = middle;
    else exceeds = middle;
  }
  return fits;
}

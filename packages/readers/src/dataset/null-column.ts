import { byteWidthOf, type Column, type DataType, layoutOf } from "@ingest-ts/core";

/** `rows` nulls of any type. */
export function nullColumn(type: DataType, rows: number): Column {
  const validity = rows === 0 || type.kind === "null" || type.kind === "union" ? null : new Uint8Array((rows + 7) >> 3);
  const nullCount = type.kind === "union" ? 0 : rows;
  const base = { type, length: rows, nullCount, validity, offsets: null, data: null, children: [], dictionary: null };
  const layout = layoutOf(type);
  switch (layout.kind) {
    case "null":
      return base;
    case "bits":
      return { ...base, data: new Uint8Array((rows + 7) >> 3) };
    case "bytes":
      return { ...base, offsets: zeroOffsets(type, rows), data: new Uint8Array(0) };
    case "fixed": {
      const dictionary = type.kind === "dictionary" ? nullColumn(type.value, 0) : null;
      return { ...base, data: new Uint8Array(rows * byteWidthOf(type)), dictionary };
    }
    default:
      return { ...base, ...nestedNulls(type, rows) };
  }
}

function zeroOffsets({ kind }: DataType, rows: number): Int32Array | BigInt64Array {
  const large = kind === "largeUtf8" || kind === "largeBinary" || kind === "largeList";
  return large ? new BigInt64Array(rows + 1) : new Int32Array(rows + 1);
}

function nestedNulls(type: DataType, rows: number): Partial<Column> {
  switch (type.kind) {
    case "list":
    case "largeList":
    case "map":
      return { offsets: zeroOffsets(type, rows), children: [nullColumn(type.child.type, 0)] };
    case "fixedSizeList":
      return { children: [nullColumn(type.child.type, rows * type.size)] };
    case "struct":
      return { children: type.children.map((child) => nullColumn(child.type, rows)) };
    case "union": {
      const dense = type.mode === "dense";
      const children = type.children.map((child, i) => nullColumn(child.type, dense && i > 0 ? 0 : rows));
      const data = new Uint8Array(rows).fill(type.typeIds[0] ?? 0);
      return { data, offsets: dense ? Int32Array.from({ length: rows }, (_, i) => i) : null, children };
    }
    default:
      return {};
  }
}

import { copyBits, countBits } from "../bits.ts";
import type { Column, Columns } from "../columns.ts";
import { layoutOf } from "./layout.ts";

const noBytes = new Uint8Array(0);

function sliceBits(bits: Uint8Array, from: number, to: number): Uint8Array {
  return from % 8 === 0 ? bits.subarray(from / 8, Math.ceil(to / 8)) : copyBits(bits, from, to - from);
}

function sliceValidity(column: Column, from: number, to: number): { validity: Uint8Array | null; nullCount: number } {
  if (column.type.kind === "null") return { validity: null, nullCount: to - from };
  if (column.validity === null || column.nullCount === 0) return { validity: null, nullCount: 0 };
  const validity = sliceBits(column.validity, from, to);
  const nullCount = to - from - countBits(validity, to - from);
  return { validity: nullCount === 0 ? null : validity, nullCount };
}

function sliceOffsets<T extends Int32Array | BigInt64Array>(offsets: T, from: number, to: number): T {
  return offsets.subarray(from, to) as T;
}

/** Values [from, to) of one column, sharing every buffer but bit maps that do not start at a byte. */
export function sliceColumn(column: Column, from: number, to: number): Column {
  if (from === 0 && to === column.length) return column;
  const base = { type: column.type, length: to - from, ...sliceValidity(column, from, to) };
  const { offsets, children, dictionary } = column;
  const data = column.data ?? noBytes;
  const layout = layoutOf(column.type);
  switch (layout.kind) {
    case "null":
      return { ...base, offsets: null, data: null, children, dictionary };
    case "bits":
      return { ...base, offsets: null, data: sliceBits(data, from, to), children, dictionary };
    case "fixed": {
      const { byteWidth } = layout;
      return { ...base, offsets, data: data.subarray(from * byteWidth, to * byteWidth), children, dictionary };
    }
    case "bytes":
    case "list":
      return {
        ...base,
        offsets: offsets && sliceOffsets(offsets, from, to + 1),
        data: column.data,
        children,
        dictionary,
      };
    case "fixedSizeList":
      return {
        ...base,
        offsets,
        data: null,
        children: children.map((child) => sliceColumn(child, from * layout.size, to * layout.size)),
        dictionary,
      };
    case "struct":
      return {
        ...base,
        offsets,
        data: null,
        children: children.map((child) => sliceColumn(child, from, to)),
        dictionary,
      };
    case "sparseUnion":
      return {
        ...base,
        offsets: null,
        data: data.subarray(from, to),
        children: children.map((child) => sliceColumn(child, from, to)),
        dictionary,
      };
    case "denseUnion":
      return {
        ...base,
        offsets: offsets && sliceOffsets(offsets, from, to),
        data: data.subarray(from, to),
        children,
        dictionary,
      };
  }
}

/**
 * Rows [from, to) of `columns`, sharing buffers wherever the layout allows.
 *
 * @throws RangeError when 0 ≤ from ≤ to ≤ rows does not hold: a defect of the caller.
 */
export function sliceRows(columns: Columns, from: number, to: number): Columns {
  if (!(from >= 0 && from <= to && to <= columns.rows)) {
    throw new RangeError(`rows [${from}, ${to}) of ${columns.rows}`);
  }
  if (from === 0 && to === columns.rows) return columns;
  return { rows: to - from, columns: columns.columns.map((column) => sliceColumn(column, from, to)) };
}

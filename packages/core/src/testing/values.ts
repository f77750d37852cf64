import { getBit } from "../bits.ts";
import type { Column, Columns } from "../columns.ts";
import { layoutOf } from "../ops/layout.ts";
import type { DataType } from "../schema.ts";

/** A value in a form that `toEqual` and JSON compare: nulls, booleans, strings of bytes, and arrays of these. */
export type PlainValue = null | boolean | string | readonly PlainValue[];

/** All values of one column, slowly and plainly: what faster code is compared with. */
export function valuesOf(column: Column): PlainValue[] {
  return Array.from({ length: column.length }, (_, i) => valueAt(column, i));
}

/** Rows of values; two `Columns` with equal ones hold the same data, however they lie in memory. */
export function rowsOf(columns: Columns): PlainValue[][] {
  return Array.from({ length: columns.rows }, (_, i) => columns.columns.map((column) => valueAt(column, i)));
}

/** Value `i` of a column: fixed-width and variable bytes as hex, dictionaries decoded, NaN of any kind as "NaN". */
export function valueAt(column: Column, i: number): PlainValue {
  const { type, data, offsets, children } = column;
  if (type.kind === "null" || (column.validity !== null && !getBit(column.validity, i))) return null;
  const layout = layoutOf(type);
  const below = (child: number, at: number): PlainValue => valueAt(children[child] as Column, at);
  const offset = (at: number): number => Number(offsets?.[at]);
  switch (layout.kind) {
    case "null":
      return null;
    case "bits":
      return getBit(data as Uint8Array, i);
    case "fixed":
      return fixedAt(column, (data as Uint8Array).subarray(i * layout.byteWidth, (i + 1) * layout.byteWidth));
    case "bytes":
      return hexOf((data ?? new Uint8Array(0)).subarray(offset(i), offset(i + 1)));
    case "list":
      return Array.from({ length: offset(i + 1) - offset(i) }, (_, k) => below(0, offset(i) + k));
    case "fixedSizeList":
      return Array.from({ length: layout.size }, (_, k) => below(0, i * layout.size + k));
    case "struct":
      return children.map((_, k) => below(k, i));
    default: {
      const { typeIds } = type as Extract<DataType, { kind: "union" }>;
      const child = typeIds.indexOf((data as Uint8Array)[i] as number);
      return [String(child), below(child, layout.kind === "denseUnion" ? offset(i) : i)];
    }
  }
}

function fixedAt(column: Column, bytes: Uint8Array): PlainValue {
  const { type } = column;
  if (type.kind === "dictionary") {
    let index = 0;
    for (let k = bytes.length - 1; k >= 0; k--) index = index * 256 + (bytes[k] as number);
    return valueAt(column.dictionary as Column, index);
  }
  return type.kind === "float" && isNaNBits(bytes) ? "NaN" : hexOf(bytes);
}

function isNaNBits(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 2) return (view.getUint16(0, true) & 0x7fff) > 0x7c00;
  return Number.isNaN(bytes.length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true));
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

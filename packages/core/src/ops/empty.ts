import type { Column } from "../columns.ts";
import { UnsupportedError } from "../errors.ts";
import { byteWidthOf, type Field } from "../schema.ts";

/**
 * `length` nulls, or zeros and empty values where there cannot be nulls; 0 rows of any type.
 *
 * @throws UnsupportedError for values of unions
 */
export function emptyColumn({ type, nullable }: Field, length: number): Column {
  const base: Column = {
    type,
    length,
    nullCount: nullable ? length : 0,
    validity: nullable && length > 0 ? new Uint8Array((length + 7) >> 3) : null,
    offsets: null,
    data: null,
    children: [],
    dictionary: null,
  };
  switch (type.kind) {
    case "null":
      return { ...base, nullCount: length, validity: null };
    case "bool":
      return { ...base, data: new Uint8Array((length + 7) >> 3) };
    case "utf8":
    case "binary":
      return { ...base, offsets: new Int32Array(length + 1), data: new Uint8Array(0) };
    case "largeUtf8":
    case "largeBinary":
      return { ...base, offsets: new BigInt64Array(length + 1), data: new Uint8Array(0) };
    case "struct":
      return { ...base, children: type.children.map((child) => emptyColumn(child, length)) };
    case "list":
    case "map":
      return { ...base, offsets: new Int32Array(length + 1), children: [emptyColumn(type.child, 0)] };
    case "largeList":
      return { ...base, offsets: new BigInt64Array(length + 1), children: [emptyColumn(type.child, 0)] };
    case "fixedSizeList":
      return { ...base, children: [emptyColumn(type.child, length * type.size)] };
    case "dictionary": {
      // Indices point to something, under nulls too.
      const values = emptyColumn({ name: "values", type: type.value, nullable: false }, Math.min(length, 1));
      return { ...base, data: new Uint8Array(length * byteWidthOf(type)), dictionary: values };
    }
    case "union": {
      if (length > 0) throw new UnsupportedError("null lists of union items of a fixed size");
      const children = type.children.map((child) => emptyColumn(child, 0));
      return { ...base, data: new Uint8Array(0), children, offsets: type.mode === "dense" ? new Int32Array(0) : null };
    }
    default:
      return { ...base, data: new Uint8Array(length * byteWidthOf(type)) };
  }
}

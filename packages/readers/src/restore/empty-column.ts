import { byteWidthOf, type Column, type Field, UnsupportedError } from "@ingest-ts/core";

/** `length` nulls, or zeros and empty values where there cannot be nulls. */
export function emptyColumn({ type, nullable }: Field, length: number): Column {
  const base: Column = {
    type,
    length,
    nullCount: nullable ? length : 0,
    validity: nullable ? new Uint8Array((length + 7) >> 3) : null,
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
    case "union":
    case "dictionary":
      throw new UnsupportedError(`null lists of ${type.kind} items of a fixed size`);
    default:
      return { ...base, data: new Uint8Array(length * byteWidthOf(type)) };
  }
}

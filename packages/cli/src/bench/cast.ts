import { byteWidthOf, type Column, type Columns, type DataType, getBit, type Schema } from "@ingest-ts/core";

/** A value or a type that has no equal in the source's schema: the formats do not hold the same rows. */
export class CastError extends Error {}

/**
 * What a format gave back, as columns of the source's schema: by name, in the source's order. Formats with fewer types
 * than Arrow store a column in the nearest they have (TFRecord: every integer as int64, every text as bytes, a nullable
 * value as a list of at most one); the value must come back exactly.
 *
 * @throws CastError for a missing column, an impossible type or a value outside its type.
 */
export function castColumns(columns: Columns, from: Schema, to: Schema): Columns {
  const cast = to.fields.map((field) => {
    const at = from.fields.findIndex(({ name }) => name === field.name);
    const column = columns.columns[at];
    if (column === undefined) throw new CastError(`column "${field.name}" is missing`);
    try {
      return castColumn(column, field.type);
    } catch (error) {
      throw error instanceof CastError ? new CastError(`column "${field.name}": ${error.message}`) : error;
    }
  });
  return { rows: columns.rows, columns: cast };
}

const isText = (type: DataType): boolean => type.kind === "utf8" || type.kind === "largeUtf8";
const isBinary = (type: DataType): boolean => type.kind === "binary" || type.kind === "largeBinary";
const isList = (type: DataType): boolean => type.kind === "list" || type.kind === "largeList";

/** One column as `to`. @throws CastError when a value or the type has no equal. */
export function castColumn(column: Column, to: DataType): Column {
  const from = column.type;
  if (sameType(from, to)) return column;
  if ((isText(from) || isBinary(from)) && (isText(to) || isBinary(to))) return { ...column, type: to };
  if (isList(from) && isList(to)) {
    return { ...column, type: to, children: [castColumn(column.children[0] as Column, itemType(to))] };
  }
  if (isList(from)) return castColumn(onlyItems(column), to);
  if (from.kind === "fixedSizeList" && to.kind === "fixedSizeList" && from.size === to.size) {
    return { ...column, type: to, children: [castColumn(column.children[0] as Column, to.child.type)] };
  }
  if (from.kind === "struct" && to.kind === "struct" && from.children.length === to.children.length) {
    const children = to.children.map((child, i) => castColumn(column.children[i] as Column, child.type));
    return { ...column, type: to, children };
  }
  if (isBinary(from) && to.kind === "fixedSizeBinary") return toFixedSizeBinary(column, to);
  if (from.kind === "int" && from.bits === 64) return fromInt64(column, to);
  if (from.kind === "null") return nulls(column.length, to);
  throw new CastError(`${describe(from)} is not ${describe(to)}`);
}

function itemType(type: DataType): DataType {
  return (type as Extract<DataType, { kind: "list" }>).child.type;
}

function describe(type: DataType): string {
  const { kind, ...rest } = type as { kind: string; child?: unknown; children?: unknown };
  delete rest.child;
  delete rest.children;
  const parameters = Object.values(rest).map(String);
  return parameters.length === 0 ? kind : `${kind}(${parameters.join(", ")})`;
}

/** Names and nullability of items apart. */
function sameType(a: DataType, b: DataType): boolean {
  if (a.kind !== b.kind) return false;
  if (childCount(a) === 0) return JSON.stringify(a) === JSON.stringify(b);
  return false;
}

function childCount(type: DataType): number {
  if ("child" in type) return 1;
  return "children" in type ? type.children.length : 0;
}

/** A column of lists of at most one item as the items: an absent or empty list is a null. */
function onlyItems(column: Column): Column {
  const offsets = column.offsets as Int32Array | BigInt64Array;
  const items = column.children[0] as Column;
  const first = Number(offsets[0]);
  const { length } = column;
  let dense = column.nullCount === 0;
  for (let i = 0; i < length; i++) {
    const count = Number(offsets[i + 1]) - Number(offsets[i]);
    if (count > 1) throw new CastError(`row ${i} of a batch has ${count} values`);
    if (count === 0) dense = false;
  }
  return dense ? sliceDense(items, first, length) : spread(column, items);
}

/** Values [from, from + length) of a flat column. */
function sliceDense(items: Column, from: number, length: number): Column {
  if (from === 0 && items.length === length) return items;
  if (items.nullCount > 0) throw new CastError("a null inside a list");
  const width = byteWidthOf(items.type);
  return {
    ...items,
    length,
    offsets: items.offsets === null ? null : (items.offsets.subarray(from, from + length + 1) as Int32Array),
    data:
      items.offsets === null && items.data !== null
        ? items.data.subarray(from * width, (from + length) * width)
        : items.data,
  };
}

/** The items at their rows, with nulls where a row has none. */
function spread(column: Column, items: Column): Column {
  if (items.nullCount > 0) throw new CastError("a null inside a list");
  const { length } = column;
  const lists = column.offsets as Int32Array | BigInt64Array;
  const width = byteWidthOf(items.type);
  const validity = new Uint8Array((length + 7) >> 3);
  const data = items.offsets === null ? new Uint8Array(length * width) : (items.data ?? new Uint8Array(0));
  const offsets = items.offsets === null ? null : new Int32Array(length + 1);
  if (offsets !== null) offsets[0] = Number(items.offsets?.[Number(lists[0])] ?? 0);
  let nullCount = 0;
  for (let i = 0; i < length; i++) {
    const at = Number(lists[i]);
    const present = Number(lists[i + 1]) > at && (column.validity === null || getBit(column.validity, i));
    if (present) {
      validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
      if (offsets === null) data.set((items.data as Uint8Array).subarray(at * width, (at + 1) * width), i * width);
    } else nullCount++;
    if (offsets !== null) offsets[i + 1] = present ? Number(items.offsets?.[at + 1]) : (offsets[i] as number);
  }
  return { ...items, length, nullCount, validity: nullCount === 0 ? null : validity, offsets, data };
}

function toFixedSizeBinary(column: Column, to: Extract<DataType, { kind: "fixedSizeBinary" }>): Column {
  const offsets = column.offsets as Int32Array | BigInt64Array;
  const out = new Uint8Array(column.length * to.byteWidth);
  for (let i = 0; i < column.length; i++) {
    if (column.validity !== null && !getBit(column.validity, i)) continue;
    const bytes = (column.data as Uint8Array).subarray(Number(offsets[i]), Number(offsets[i + 1]));
    if (bytes.length !== to.byteWidth) throw new CastError(`a value of ${bytes.length} bytes in ${describe(to)}`);
    out.set(bytes, i * to.byteWidth);
  }
  return { ...column, type: to, offsets: null, data: out };
}

/** Kinds whose values are 64-bit words keep them; narrower ones must fit. */
function fromInt64(column: Column, to: DataType): Column {
  const width = byteWidthOf(to);
  const isWord =
    to.kind === "timestamp" || to.kind === "duration" || (width === 8 && ["int", "date", "time"].includes(to.kind));
  if (isWord) return { ...column, type: to };
  if (to.kind !== "bool" && !(["int", "date", "time"].includes(to.kind) && width < 8)) {
    throw new CastError(`int(64) is not ${describe(to)}`);
  }
  const data = column.data as Uint8Array;
  const words = new Int32Array(data.buffer, data.byteOffset, column.length * 2);
  return to.kind === "bool" ? narrowToBits(column, words) : narrow(column, words, to, width);
}

function narrow(column: Column, words: Int32Array, to: DataType, width: number): Column {
  const signed = to.kind !== "int" || to.signed;
  const bits = width * 8;
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const out = new Uint8Array(column.length * width);
  const view =
    width === 4 ? new Int32Array(out.buffer) : width === 2 ? new Int16Array(out.buffer) : new Int8Array(out.buffer);
  for (let i = 0; i < column.length; i++) {
    if (column.validity !== null && !getBit(column.validity, i)) continue;
    const value = (words[2 * i + 1] as number) * 2 ** 32 + ((words[2 * i] as number) >>> 0);
    if (value < low || value > high) throw new CastError(`the value ${value} does not fit ${describe(to)}`);
    view[i] = value;
  }
  return { ...column, type: to, data: out };
}

function narrowToBits(column: Column, words: Int32Array): Column {
  const out = new Uint8Array((column.length + 7) >> 3);
  for (let i = 0; i < column.length; i++) {
    if (column.validity !== null && !getBit(column.validity, i)) continue;
    const value = words[2 * i] as number;
    if ((value !== 0 && value !== 1) || words[2 * i + 1] !== 0) throw new CastError("a value that is no bool");
    out[i >> 3] = (out[i >> 3] as number) | (value << (i & 7));
  }
  return { ...column, type: { kind: "bool" }, data: out };
}

/** `length` nulls of a type: what a column without any value is read back as has no type of its own. */
function nulls(length: number, type: DataType): Column {
  const validity = new Uint8Array((length + 7) >> 3);
  const variable = isText(type) || isBinary(type) || isList(type) || type.kind === "map";
  const children =
    "child" in type ? [nulls(type.kind === "fixedSizeList" ? length * type.size : 0, type.child.type)] : [];
  const structs = type.kind === "struct" ? type.children.map((child) => nulls(length, child.type)) : [];
  const width = type.kind === "bool" ? 1 / 8 : byteWidthOf(type);
  return {
    type,
    length,
    nullCount: length,
    validity,
    offsets: variable ? new Int32Array(length + 1) : null,
    data: variable && "child" in type ? null : new Uint8Array(Math.ceil(length * width)),
    children: [...children, ...structs],
    dictionary: null,
  };
}

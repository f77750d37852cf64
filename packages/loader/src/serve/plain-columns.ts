import {
  type Column,
  type Columns,
  type DataType,
  type Field,
  getBit,
  type Schema,
  takeColumn,
  UnsupportedError,
} from "@ingest-ts/core";

/** The type of a column once its dictionaries are replaced by their values. */
function plainType(type: DataType): DataType {
  switch (type.kind) {
    case "dictionary":
      return plainType(type.value);
    case "list":
    case "largeList":
    case "fixedSizeList":
    case "map":
      return { ...type, child: plainField(type.child) };
    case "struct":
    case "union":
      return { ...type, children: type.children.map(plainField) };
    default:
      return type;
  }
}

const plainField = (field: Field): Field => ({ ...field, type: plainType(field.type) });

/** Streams have no dictionaries: every batch stands by itself. */
export function plainSchema(schema: Schema): Schema {
  return { ...schema, fields: schema.fields.map(plainField) };
}

function indicesOf(column: Column): Int32Array {
  const { type, data, length } = column;
  if (type.kind !== "dictionary") throw new TypeError(`indices of ${type.kind}`);
  const bytes = data as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { bits, signed } = type.index;
  const read = {
    8: (i: number) => (signed ? view.getInt8(i) : view.getUint8(i)),
    16: (i: number) => (signed ? view.getInt16(i * 2, true) : view.getUint16(i * 2, true)),
    32: (i: number) => view.getInt32(i * 4, true),
    64: (i: number) => Number(view.getBigInt64(i * 8, true)),
  }[bits];
  // What stands under a null may point nowhere.
  return Int32Array.from({ length }, (_, i) => (isValid(column, i) ? read(i) : -1));
}

const isValid = ({ validity }: Column, i: number): boolean => validity === null || getBit(validity, i);

function decoded(column: Column): Column {
  const values = plainColumn(column.dictionary as Column);
  const indices = indicesOf(column);
  if (values.length === 0 && column.length > 0) {
    throw new UnsupportedError("a column of nulls with a dictionary without values cannot be served", {
      remedy: "Leave the column out with columns.",
    });
  }
  const taken = takeColumn(
    values,
    indices.map((index) => Math.max(index, 0)),
  );
  if (column.nullCount === 0) return taken;
  const validity = new Uint8Array((column.length + 7) >> 3);
  let nullCount = 0;
  for (let i = 0; i < column.length; i++) {
    if (isValid(column, i) && isValid(taken, i)) validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
    else nullCount++;
  }
  return { ...taken, nullCount, validity };
}

function plainColumn(column: Column): Column {
  if (column.type.kind === "dictionary") return decoded(column);
  const type = plainType(column.type);
  return column.children.length === 0 ? column : { ...column, type, children: column.children.map(plainColumn) };
}

/** Columns with the types of `plainSchema`. */
export function plainColumns({ rows, columns }: Columns): Columns {
  return { rows, columns: columns.map(plainColumn) };
}

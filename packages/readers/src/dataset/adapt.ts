import { type Column, type Columns, type DataType, type Field, type Schema, childFields } from "@ingest-ts/core";
import { nullColumn } from "./null-column.ts";
import { partitionColumn, type PartitionValue } from "./partitions.ts";
import { refineTimestamps, widenDecimals, widenFloats, widenInts, widenOffsets } from "./widen.ts";

type Convert = (column: Column) => Column;
/** Makes one column of the data set from what a file has. */
type Make = (columns: Columns) => Column;

/** Turns rows of one file into rows of the data set. */
export type Adapter = (columns: Columns) => Columns;

/**
 * From a file's columns to those of `to`, by name: the same, wider, null where the file has none, or its folder's value.
 * Undefined when nothing needs to be done.
 */
export function adapterOf(
  from: Schema,
  to: Schema,
  partitionOf: (name: string) => PartitionValue | undefined,
): Adapter | undefined {
  const same = from.fields.length === to.fields.length && from.fields.every((f, i) => sameField(f, to.fields[i]));
  if (same) return undefined;
  const makes = to.fields.map((field): Make => {
    const at = from.fields.findIndex(({ name }) => name === field.name);
    const partition = partitionOf(field.name);
    if (partition !== undefined) return ({ rows }) => partitionColumn(field, partition, rows);
    if (at < 0) return ({ rows }) => nullColumn(field.type, rows);
    const convert = converter((from.fields[at] as Field).type, field.type);
    return ({ columns }) => convert(columns[at] as Column);
  });
  return (columns) => ({ rows: columns.rows, columns: makes.map((make) => make(columns)) });
}

function sameField(a: Field, b: Field | undefined): boolean {
  return a.name === b?.name && sameType(a.type, b.type);
}

function sameType(a: DataType, b: DataType): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function converter(from: DataType, to: DataType): Convert {
  if (sameType(from, to)) return (column) => column;
  if (from.kind === "null") return ({ length }) => nullColumn(to, length);
  if (from.kind === "struct" && to.kind === "struct") return structConverter(from.children, to);
  const children = childConverters(from, to);
  const own = ownConverter(from, to);
  return (column) => ({
    ...column,
    ...own(column),
    type: to,
    children: column.children.map((child, i) => (children[i] as Convert)(child)),
  });
}

function childConverters(from: DataType, to: DataType): Convert[] {
  const targets = childFields(to);
  return childFields(from).map((child, i) => {
    const target = targets[i] as Field;
    const byPlace = from.kind === "map" && child.type.kind === "struct" && target.type.kind === "struct";
    return byPlace ? entriesConverter(child.type, target.type) : converter(child.type, target.type);
  });
}

/** Keys and values by place: their names may differ. */
function entriesConverter(from: DataType, to: DataType): Convert {
  const targets = childFields(to);
  const converts = childFields(from).map((child, i) => converter(child.type, (targets[i] as Field).type));
  return (column) => ({
    ...column,
    type: to,
    children: column.children.map((child, i) => (converts[i] as Convert)(child)),
  });
}

/** What changes of a column itself, its children aside. */
function ownConverter(from: DataType, to: DataType): (column: Column) => Partial<Column> {
  if (from.kind === "int" && to.kind === "int") {
    return ({ data }) => ({ data: widenInts(data as Uint8Array, from, to) });
  }
  if (from.kind === "float" && to.kind === "float") {
    return ({ data }) => ({ data: widenFloats(data as Uint8Array, from.bits, to.bits) });
  }
  if (from.kind === "timestamp" && to.kind === "timestamp") {
    return from.unit === to.unit ? () => ({}) : (column) => ({ data: refineTimestamps(column, from.unit, to.unit) });
  }
  if (from.kind === "decimal" && to.kind === "decimal") {
    if (from.bits === to.bits && from.scale === to.scale) return () => ({});
    return (column) => ({ data: widenDecimals(column, from, to) });
  }
  const large = to.kind === "largeUtf8" || to.kind === "largeBinary" || to.kind === "largeList";
  return large ? ({ offsets }) => ({ offsets: widenOffsets(offsets) }) : () => ({});
}

function structConverter(from: readonly Field[], to: Extract<DataType, { kind: "struct" }>): Convert {
  const makes = to.children.map((field) => {
    const at = from.findIndex(({ name }) => name === field.name);
    if (at < 0) return ({ length }: Column): Column => nullColumn(field.type, length);
    const convert = converter((from[at] as Field).type, field.type);
    return ({ children }: Column): Column => convert(children[at] as Column);
  });
  return (column) => ({ ...column, type: to, children: makes.map((make) => make(column)) });
}

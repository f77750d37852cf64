import type { Column, Columns } from "./columns.ts";
import type { DataType, Field, Schema } from "./schema.ts";

type ListType = Extract<DataType, { kind: "list" | "largeList" | "fixedSizeList" }>;

/**
 * Which columns of a schema are kept. A struct of which only some fields are asked stays a struct of those fields, also
 * inside a list.
 */
export interface Projection {
  readonly schema: Schema;
  /** Positions in the original, and what is kept of the struct there, or of the structs in the list (undefined: all). */
  readonly keep: readonly Kept[];
}

interface Kept {
  readonly index: number;
  readonly children: readonly Kept[] | undefined;
}

interface Wanted {
  all: boolean;
  readonly rest: (readonly string[])[];
}

function keepOf(fields: readonly Field[], paths: readonly (readonly string[])[], inOrder: boolean): Kept[] {
  const wanted = new Map<number, Wanted>();
  for (const [name, ...rest] of paths) {
    const index = fields.findIndex((field) => field.name === name);
    if (index < 0) continue;
    const entry = wanted.get(index) ?? { all: false, rest: [] };
    wanted.set(index, entry);
    if (rest.length === 0) entry.all = true;
    else entry.rest.push(rest);
  }
  const entries = [...wanted];
  if (!inOrder) entries.sort(([a], [b]) => a - b);
  return entries.map(([index, { all, rest }]) => {
    return { index, children: all ? undefined : keepBelow((fields[index] as Field).type, rest) };
  });
}

/** Whether `type` holds any number of items of one type. */
export function isList(type: DataType): type is ListType {
  return type.kind === "list" || type.kind === "largeList" || type.kind === "fixedSizeList";
}

function keepBelow(type: DataType, paths: readonly (readonly string[])[]): Kept[] | undefined {
  if (type.kind === "struct") return keepOf(type.children, paths, false);
  if (!isList(type)) return undefined;
  // The item may be named, or passed over: "points.element.x" and "points.x" are the same.
  const below = paths.map((path) => (path[0] === type.child.name ? path.slice(1) : path));
  return below.some((path) => path.length === 0) ? undefined : keepBelow(type.child.type, below);
}

function keptType(type: DataType, children: readonly Kept[] | undefined): DataType {
  if (children === undefined) return type;
  if (type.kind === "struct") return { kind: "struct", children: children.map((kept) => keptOf(type.children, kept)) };
  return isList(type) ? { ...type, child: { ...type.child, type: keptType(type.child.type, children) } } : type;
}

function keptOf(fields: readonly Field[], kept: Kept): Field {
  const field = fields[kept.index] as Field;
  return kept.children === undefined ? field : { ...field, type: keptType(field.type, kept.children) };
}

/**
 * What is left of `schema` when only `paths` (lists of field names from the root) are read: top-level columns in the
 * order of their first mention, fields inside a struct in the schema's order. Paths the schema does not have are
 * ignored: resolve them first.
 */
export function projection(schema: Schema, paths: readonly (readonly string[])[]): Projection {
  const keep = keepOf(schema.fields, paths, true);
  return { schema: { ...schema, fields: keep.map((kept) => keptOf(schema.fields, kept)) }, keep };
}

function keptColumn(column: Column, children: readonly Kept[] | undefined): Column {
  if (children === undefined) return column;
  const type = keptType(column.type, children);
  if (type.kind !== "struct")
    return { ...column, type, children: [keptColumn(column.children[0] as Column, children)] };
  return {
    ...column,
    type,
    children: children.map((kept) => keptColumn(column.children[kept.index] as Column, kept.children)),
  };
}

/** The kept columns of rows that follow the projection's original schema. Shares every buffer. */
export function projectColumns(columns: Columns, { keep }: Projection): Columns {
  return {
    rows: columns.rows,
    columns: keep.map(({ index, children }) => keptColumn(columns.columns[index] as Column, children)),
  };
}

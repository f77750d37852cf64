import { OptionsError } from "../errors.ts";
import { isList } from "../project.ts";
import type { DataType, Field, Schema } from "../schema.ts";
import type { ColumnPath } from "./types.ts";

/** One column of a schema, found by its path through structs. */
export interface ResolvedColumn {
  /** Field names from the root. */
  readonly path: readonly string[];
  /** The same as positions. */
  readonly indices: readonly number[];
  readonly field: Field;
}

/** How messages spell a path. */
export function pathText(path: ColumnPath): string {
  return typeof path === "string" ? path : path.join(".");
}

function shown(fields: readonly Field[]): string {
  const names = fields.map((field) => field.name);
  return names.length <= 12 ? names.join(", ") : `${names.slice(0, 12).join(", ")} … (${names.length})`;
}

function positionOf(name: string, fields: readonly Field[], path: ColumnPath): number {
  const position = fields.findIndex((field) => field.name === name);
  if (position >= 0 && fields.findIndex((field, i) => i > position && field.name === name) > 0) {
    throw new OptionsError(`column "${pathText(path)}" is ambiguous: "${name}" appears more than once`, {
      where: { column: pathText(path) },
    });
  }
  return position;
}

/** The fields below `type` among which `name` is looked for: a list's item may be named, or passed over. */
function fieldsBelow(type: DataType, name: string, throughLists: boolean): readonly Field[] {
  if (type.kind === "struct") return type.children;
  if (!throughLists || !isList(type)) return [];
  return type.child.name === name ? [type.child] : fieldsBelow(type.child.type, name, throughLists);
}

/**
 * The column that `path` names. An exact top-level name wins; otherwise dots (outside a list of names) separate the
 * names of struct fields. With `throughLists` a path may go on below lists, where `indices` has no meaning.
 *
 * @throws OptionsError when there is none, or two of the same name.
 */
export function resolveColumn(path: ColumnPath, schema: Schema, throughLists = false): ResolvedColumn {
  if (typeof path === "string") {
    const top = positionOf(path, schema.fields, path);
    if (top >= 0) return { path: [path], indices: [top], field: schema.fields[top] as Field };
  }
  const names = typeof path === "string" ? path.split(".") : path;
  const indices: number[] = [];
  let field: Field | undefined;
  for (const name of names) {
    const fields: readonly Field[] = field === undefined ? schema.fields : fieldsBelow(field.type, name, throughLists);
    const position = positionOf(name, fields, path);
    indices.push(position);
    field = fields[position];
    if (field === undefined) break;
  }
  if (field === undefined) {
    throw new OptionsError(`there is no column "${pathText(path)}"`, {
      remedy: `Columns are: ${shown(schema.fields)}.`,
    });
  }
  return { path: names, indices, field };
}

import { type Column, type Field, getBit, OptionsError, type Schema } from "@ingest-ts/core";

/** Columns that take the place of a struct column: its fields, null where the struct is. */
export interface Expanded {
  readonly fields: readonly Field[];
  expand(column: Column): readonly Column[];
}

/**
 * How a struct column becomes columns of their own. A field that has the name of another column is called
 * `<column>.<field>`.
 *
 * @throws OptionsError when the column is no struct
 */
export function expandedFields(schema: Schema, name: string): Expanded {
  const field = schema.fields.find((each) => each.name === name) as Field;
  if (field.type.kind !== "struct") {
    throw new OptionsError(`only structs can be expanded into columns, and "${name}" is of type ${field.type.kind}`, {
      where: { column: name },
    });
  }
  const union = field.type.children.find((child) => child.type.kind === "union");
  if (union !== undefined) {
    throw new OptionsError("a union cannot be a column of its own: it has no nulls for records without a value", {
      where: { column: `${name}.${union.name}` },
    });
  }
  const others = new Set(schema.fields.filter((each) => each.name !== name).map((each) => each.name));
  const fields = field.type.children.map((child) => ({
    ...child,
    name: others.has(child.name) ? `${name}.${child.name}` : child.name,
    // Where the struct is null, its fields are.
    nullable: true,
  }));
  return { fields, expand: (column) => column.children.map((child) => masked(child, column)) };
}

/** `child` with nulls where `parent` is null. */
function masked(child: Column, parent: Column): Column {
  if (parent.validity === null || parent.nullCount === 0 || child.type.kind === "null") return child;
  const validity = parent.validity.slice(0, (child.length + 7) >> 3);
  if (child.validity !== null) {
    for (let i = 0; i < validity.length; i++) {
      validity[i] = (validity[i] as number) & (child.validity[i] as number);
    }
  }
  let nullCount = 0;
  for (let i = 0; i < child.length; i++) if (!getBit(validity, i)) nullCount++;
  return { ...child, validity: nullCount === 0 ? null : validity, nullCount };
}

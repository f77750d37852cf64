import { type DataType, type Field, OptionsError, type Schema } from "@ingest-ts/core";
import type { Reader } from "@ingest-ts/readers";

/** The type that holds values of both, or undefined: only nullability below the top may differ. */
function mergeTypes(a: DataType, b: DataType): DataType | undefined {
  if (a.kind !== b.kind) return undefined;
  switch (a.kind) {
    case "list":
    case "largeList":
    case "fixedSizeList":
    case "map": {
      const other = b as typeof a;
      const child = mergeFields(a.child, other.child);
      const sameRest = JSON.stringify({ ...a, child: null }) === JSON.stringify({ ...other, child: null });
      return child === undefined || !sameRest ? undefined : { ...a, child };
    }
    case "struct":
    case "union": {
      const other = b as typeof a;
      const children = mergeAll(a.children, other.children);
      const sameRest = JSON.stringify({ ...a, children: null }) === JSON.stringify({ ...other, children: null });
      return children === undefined || !sameRest ? undefined : { ...a, children };
    }
    default:
      return JSON.stringify(a) === JSON.stringify(b) ? a : undefined;
  }
}

function mergeFields(a: Field, b: Field): Field | undefined {
  const type = mergeTypes(a.type, b.type);
  return type === undefined || a.name !== b.name ? undefined : { ...a, type, nullable: a.nullable || b.nullable };
}

function mergeAll(a: readonly Field[], b: readonly Field[]): Field[] | undefined {
  if (a.length !== b.length) return undefined;
  const merged = a.map((field, i) => mergeFields(field, b[i] as Field));
  return merged.every((field) => field !== undefined) ? merged : undefined;
}

function difference(a: readonly Field[], b: readonly Field[]): string {
  const i = a.findIndex((field, at) => b[at] === undefined || mergeFields(field, b[at] as Field) === undefined);
  const [here, there] = i < 0 ? [undefined, b[a.length]] : [a[i], b[i]];
  const show = (field: Field | undefined): string =>
    field === undefined ? "no column" : `"${field.name}" ${JSON.stringify(field.type)}`;
  return `column ${i < 0 ? a.length : i} is ${show(there)}, in the first object ${show(here)}`;
}

/**
 * The schema of all objects: the first one's, nullable where any is.
 *
 * @throws OptionsError naming the object and the column that differ.
 */
export function mergeSchemas(readers: readonly Reader[]): Schema {
  const first = (readers[0] as Reader).schema;
  let { fields } = first;
  for (const { url, schema } of readers) {
    const merged = mergeAll(fields, schema.fields);
    if (merged === undefined) {
      throw new OptionsError(`objects have different columns: ${difference(fields, schema.fields)}`, {
        where: { url },
        remedy: "Load objects of one schema together; select the columns they share.",
      });
    }
    fields = merged;
  }
  return { ...first, fields };
}

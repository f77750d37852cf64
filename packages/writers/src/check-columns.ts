import { type Column, type Columns, type DataType, OptionsError, type Schema } from "@ingest-ts/core";

/**
 * Checks that rows follow the writer's schema: as many columns, of the same types (names inside nested types and
 * nullability aside), each of `rows` values.
 *
 * @throws OptionsError naming the column.
 */
export function checkColumns(columns: Columns, schema: Schema): void {
  if (columns.columns.length !== schema.fields.length) {
    throw new OptionsError(
      `rows of ${columns.columns.length} columns do not follow a schema of ${schema.fields.length}`,
    );
  }
  schema.fields.forEach((field, i) => {
    const column = columns.columns[i] as Column;
    const where = { column: field.name };
    if (column.length !== columns.rows)
      throw new OptionsError(`a column of ${column.length} values in ${columns.rows} rows`, { where });
    if (!sameType(column.type, field.type))
      throw new OptionsError(`the rows' type is not the schema's ${field.type.kind}`, { where });
    checkLengths(column, field.name);
  });
}

function checkLengths(column: Column, name: string): void {
  const { type, length } = column;
  const where = { column: name };
  if (column.nullCount > 0 && column.validity !== null && column.validity.length * 8 < length)
    throw new OptionsError(`a validity bitmap too short for ${length} values`, { where });
  if (column.nullCount > 0 && column.validity === null && type.kind !== "null")
    throw new OptionsError(`${column.nullCount} nulls without a validity bitmap`, { where });
  for (const child of column.children) {
    if (type.kind === "struct" && child.length < length)
      throw new OptionsError(`a struct of ${length} values with a field of ${child.length}`, { where });
    if (type.kind === "fixedSizeList" && child.length < length * type.size)
      throw new OptionsError(`${length} lists of ${type.size} with ${child.length} items`, { where });
    checkLengths(child, name);
  }
  if (column.dictionary !== null) checkLengths(column.dictionary, name);
}

function sameType(a: DataType, b: DataType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case "list":
    case "largeList":
    case "map":
      return sameType(a.child.type, (b as typeof a).child.type);
    case "fixedSizeList":
      return a.size === (b as typeof a).size && sameType(a.child.type, (b as typeof a).child.type);
    case "struct":
    case "union": {
      const others = (b as typeof a).children;
      if (a.kind === "union" && a.mode !== (b as typeof a).mode) return false;
      if (a.kind === "union" && a.typeIds.join() !== (b as typeof a).typeIds.join()) return false;
      return (
        a.children.length === others.length &&
        a.children.every((child, i) => {
          const other = others[i];
          return other !== undefined && child.name === other.name && sameType(child.type, other.type);
        })
      );
    }
    case "dictionary": {
      const other = b as typeof a;
      return (
        a.index.bits === other.index.bits && a.index.signed === other.index.signed && sameType(a.value, other.value)
      );
    }
    case "timestamp":
      // The zone says how to show an instant; one that is there makes it an instant.
      return a.unit === (b as typeof a).unit && (a.timezone === null) === ((b as typeof a).timezone === null);
    default:
      return sameParameters(a, b);
  }
}

/** Flat types are equal when all their parameters are. */
function sameParameters(a: DataType, b: DataType): boolean {
  return Object.entries(a).every(([key, value]) => (b as unknown as Record<string, unknown>)[key] === value);
}

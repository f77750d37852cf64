import { type Column, type Columns, type DataType, type Field, FormatError, addWhere } from "@ingest-ts/core";
import {
  divideByThousands,
  halvesOf,
  multiplyDays,
  narrowIntegers,
  secondsOf,
  widenDecimals,
} from "./restore-values.ts";
import { toFixedSizeBinary, toFixedSizeList, widenOffsets } from "./restore-layout.ts";
import { thousandsBetween } from "./restore-type.ts";

/**
 * Columns decoded as the file's types, as the types that `restoreFields` gave.
 *
 * @throws FormatError for a value that the stored type cannot hold: the stored schema is not that of the data
 */
export function restoreColumns(columns: Columns, fields: readonly Field[]): Columns {
  return {
    rows: columns.rows,
    columns: columns.columns.map((column, i) => {
      const field = fields[i] as Field;
      try {
        return restoreField(column, field, false);
      } catch (error) {
        throw addWhere(error, { column: field.name });
      }
    }),
  };
}

/** @throws FormatError for a null that the stored schema rules out, unless it lies below another one */
function restoreField(column: Column, field: Field, underNulls: boolean): Column {
  if (!field.nullable && !underNulls && column.nullCount > 0 && field.type.kind !== "null") {
    throw new FormatError(`${column.nullCount} nulls in a field that the stored Arrow schema declares non-null`, {
      where: { column: field.name },
      remedy: "The file was changed after it was written; write it again.",
    });
  }
  return restoreColumn(column, field.type, underNulls);
}

/**
 * One column as `type`.
 *
 * @param underNulls whether an ancestor has nulls, below which nothing is as it should be
 * @throws FormatError as `restoreColumns`
 */
export function restoreColumn(column: Column, type: DataType, underNulls = false): Column {
  const { type: from, data } = column;
  if (from === type) return column;
  switch (type.kind) {
    case "null":
      return toNulls(column, type);
    case "int":
      if (from.kind !== "int" || (from.bits === type.bits && from.signed === type.signed)) return { ...column, type };
      return { ...column, type, data: narrowIntegers(column, from.bits, type) };
    case "float":
      if (from.kind !== "float" || from.bits === type.bits) return { ...column, type };
      return { ...column, type, data: halvesOf(column) };
    case "largeUtf8":
    case "largeBinary":
      return column.offsets instanceof Int32Array ? { ...column, type, offsets: widenOffsets(column.offsets) } : column;
    case "fixedSizeBinary":
      return from.kind === "binary" ? toFixedSizeBinary(column, type) : { ...column, type };
    case "decimal":
      if (from.kind !== "decimal" || from.bits === type.bits) return { ...column, type };
      return { ...column, type, data: widenDecimals(data as Uint8Array, column.length) };
    case "date":
      if (from.kind !== "date" || from.unit === type.unit) return { ...column, type };
      return { ...column, type, data: multiplyDays(data as Uint8Array, column.length) };
    case "time":
      if (from.kind !== "time" || from.unit === type.unit) return { ...column, type };
      return { ...column, type, data: secondsOf(data as Uint8Array, column.length) };
    case "timestamp":
      if (from.kind !== "timestamp" || from.unit === type.unit) return { ...column, type };
      return { ...column, type, data: divideByThousands(column, thousandsBetween(from.unit, type.unit)) };
    default:
      return restoreNested(column, type, underNulls);
  }
}

function restoreNested(column: Column, type: DataType, underNulls: boolean): Column {
  const [items] = column.children;
  switch (type.kind) {
    case "list":
    case "map":
      return { ...column, type, children: [restoreField(items as Column, type.child, underNulls)] };
    case "largeList": {
      const offsets = widenOffsets(column.offsets as Int32Array);
      return { ...column, type, offsets, children: [restoreField(items as Column, type.child, underNulls)] };
    }
    case "fixedSizeList":
      return toFixedSizeList(column, type, restoreField(items as Column, type.child, underNulls), underNulls);
    case "struct": {
      const below = underNulls || column.nullCount > 0;
      const children = column.children.map((child, i) => restoreField(child, type.children[i] as Field, below));
      return { ...column, type, children };
    }
    default:
      return { ...column, type };
  }
}

function toNulls(column: Column, type: DataType): Column {
  const { length, nullCount } = column;
  if (column.type.kind !== "null" && nullCount !== length)
    throw new FormatError(`${length - nullCount} values in a column that was stored as nothing but nulls`);
  return { type, length, nullCount: length, validity: null, offsets: null, data: null, children: [], dictionary: null };
}

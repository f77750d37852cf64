import {
  type Column,
  copyBits,
  countBits,
  type DataType,
  type Field,
  getBit,
  takeColumn,
  UnsupportedError,
} from "@ingest-ts/core";
import { indicesOf } from "./load.ts";

/** `type` with every dictionary replaced by the type of its values. */
function decodedType(type: DataType): DataType {
  switch (type.kind) {
    case "dictionary":
      return decodedType(type.value);
    case "list":
    case "largeList":
    case "fixedSizeList":
    case "map":
      return { ...type, child: decodedField(type.child) };
    case "struct":
    case "union":
      return { ...type, children: type.children.map(decodedField) };
    default:
      return type;
  }
}

/** `field` with the type of its decoded values. */
export function decodedField(field: Field): Field {
  return { ...field, type: decodedType(field.type) };
}

/** `column` with the values that dictionary indices point to in their place, at any depth. */
export function decodeDictionaries(column: Column): Column {
  if (column.type.kind === "dictionary") return decodeOne(column, column.type);
  if (column.children.length === 0) return column;
  return { ...column, type: decodedType(column.type), children: column.children.map(decodeDictionaries) };
}

function decodeOne(column: Column, type: Extract<DataType, { kind: "dictionary" }>): Column {
  const dictionary = decodeDictionaries(column.dictionary as Column);
  if (dictionary.length === 0 && column.length > 0) {
    // Every row is null, and there is no value to point a null row to.
    throw new UnsupportedError("an empty Arrow dictionary is not supported", {
      remedy: 'Open the file with dictionary: "preserve", or decode it when writing.',
    });
  }
  const values = takeColumn(dictionary, Int32Array.from(indicesOf(column, type.index)));
  if (column.validity === null || values.type.kind === "null") return values;
  if (values.type.kind === "union") {
    throw new UnsupportedError("nulls in an Arrow dictionary of unions are not supported");
  }
  const validity = copyBits(column.validity, 0, column.length);
  if (values.validity !== null) {
    for (let i = 0; i < column.length; i++) {
      if (!getBit(values.validity, i)) validity[i >> 3] = (validity[i >> 3] as number) & ~(1 << (i & 7));
    }
  }
  return { ...values, validity, nullCount: column.length - countBits(validity, column.length) };
}

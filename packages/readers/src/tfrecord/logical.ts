import type { DataType, Field } from "@ingest-ts/core";
import type { DType } from "./spec.ts";

/** How a column of an Arrow type is kept as a feature, and read back when the type is known. */
export interface FeatureMapping {
  /** null for a column of nothing but nulls. */
  readonly dtype: DType | null;
  /** [] one value a row, null a list, otherwise the sizes of the fixed-size lists from the outermost on. */
  readonly shape: readonly number[] | null;
  /** The type of the values in the lists. */
  readonly element: DataType;
}

/**
 * What holds single values of a type, or undefined where no kind of list holds them exactly. float64 has no kind of its
 * own: it is kept as the int64 with the same bits.
 */
function elementDType(type: DataType): DType | undefined {
  switch (type.kind) {
    case "bool":
    case "int":
    case "date":
    case "time":
    case "timestamp":
    case "duration":
      return "int64";
    case "float":
      return type.bits === 64 ? "int64" : "float32";
    case "utf8":
    case "largeUtf8":
    case "binary":
    case "largeBinary":
    case "fixedSizeBinary":
      return "bytes";
    default:
      return undefined;
  }
}

/** Dictionaries are kept by their values. */
function withElement(type: DataType, shape: readonly number[] | null): FeatureMapping | undefined {
  const element = type.kind === "dictionary" ? type.value : type;
  const dtype = elementDType(element);
  return dtype === undefined ? undefined : { dtype, shape, element };
}

/**
 * The feature for a column of `type`: numbers, booleans, dates and times, text and bytes; lists and (nested) fixed-size
 * lists of them; dictionaries of them. undefined for everything else.
 */
export function mapToFeature(type: DataType): FeatureMapping | undefined {
  switch (type.kind) {
    case "null":
      return { dtype: null, shape: null, element: type };
    case "list":
    case "largeList":
      return withElement(type.child.type, null);
    case "fixedSizeList": {
      const shape: number[] = [];
      let inner: DataType = type;
      while (inner.kind === "fixedSizeList") {
        shape.push(inner.size);
        inner = inner.child.type;
      }
      return withElement(inner, shape);
    }
    default:
      return withElement(type, []);
  }
}

/** `field` as TFRecord files give it back: dictionaries by their values. */
export function withoutDictionary(field: Field): Field {
  return { ...field, type: plainType(field.type) };
}

function plainType(type: DataType): DataType {
  switch (type.kind) {
    case "dictionary":
      return type.value;
    case "list":
    case "largeList":
    case "fixedSizeList":
      return { ...type, child: withoutDictionary(type.child) };
    default:
      return type;
  }
}

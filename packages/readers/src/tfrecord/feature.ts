import type { DataType, Field } from "@ingest-ts/core";
import { type DType, type FeatureKind, featureKinds } from "./spec.ts";

/** One feature as it becomes a column. Plain data. */
export interface FeatureSpec {
  readonly name: string;
  /** null: no record gives the feature a kind. */
  readonly dtype: DType | null;
  /** Values of a row, row-major; [] is one value. null: a list of any length. */
  readonly shape: readonly number[] | null;
  /** What a record without the feature means. */
  readonly missing: "null" | "default" | "error";
  /** One row of values as the column holds them (float32 or int64 little-endian; see `packBytes` for bytes). */
  readonly defaults: Uint8Array | null;
  /** The Arrow type of the column. */
  readonly type: DataType;
  readonly nullable: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The field number of a value list in Feature, 0 for a kind that is not known. */
export function kindOf(dtype: DType | null): FeatureKind {
  return dtype === null ? 0 : featureKinds[dtype];
}

/** Values of one row of a fixed shape, −1 for lists. */
export function fixedCount(shape: readonly number[] | null): number {
  return shape === null ? -1 : shape.reduce((product, size) => product * size, 1);
}

/** The Arrow type of one value. */
function valueType(dtype: DType | null): DataType {
  switch (dtype) {
    case null:
      return { kind: "null" };
    case "bytes":
      return { kind: "binary" };
    case "float32":
      return { kind: "float", bits: 32 };
    case "int64":
      return { kind: "int", bits: 64, signed: true };
  }
}

/** Values inside lists are never null: no kind of list can hold one. */
function itemOf(type: DataType): Field {
  return { name: "item", type, nullable: false };
}

/** The type a feature has when nothing but its declaration is known. */
export function featureType(dtype: DType | null, shape: readonly number[] | null): DataType {
  const value = valueType(dtype);
  if (shape !== null) {
    return shape.reduceRight<DataType>((child, size) => ({ kind: "fixedSizeList", size, child: itemOf(child) }), value);
  }
  return dtype === null ? value : { kind: "list", child: itemOf(value) };
}

/** A feature whose lists may have any length and may be absent: all that is known without a declaration. */
export function listFeature(name: string, dtype: DType | null): FeatureSpec {
  return {
    name,
    dtype,
    shape: null,
    missing: "null",
    defaults: null,
    type: featureType(dtype, null),
    nullable: true,
  };
}

/** Byte strings as a default: int32 ends, the first 0, then the bytes. */
export function packBytes(values: readonly Uint8Array[]): Uint8Array {
  const head = (values.length + 1) * 4;
  const out = new Uint8Array(head + values.reduce((sum, value) => sum + value.length, 0));
  const view = new DataView(out.buffer);
  let end = 0;
  values.forEach((value, i) => {
    out.set(value, head + end);
    end += value.length;
    view.setInt32((i + 1) * 4, end, true);
  });
  return out;
}

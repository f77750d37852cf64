import type { DataType, Field } from "@ingest-ts/core";
import { type DType, type FeatureKind, featureKinds } from "./spec.ts";

/** Ways to say how values are cut into rows, by the names of tf.io.RaggedFeature's partitions. */
export const partitionKinds = ["rowSplits", "rowLengths", "rowStarts", "rowLimits", "valueRowIds"] as const;
export type PartitionKind = (typeof partitionKinds)[number];

/** One level of lists: rows of one length, or as another feature of the record says. */
export type Partition =
  | { readonly kind: "uniformRowLength"; readonly length: number }
  | { readonly kind: PartitionKind; readonly key: string };

/** How lists of lists are put together from features of the record. */
export interface Assembly {
  /** The feature that holds the values. */
  readonly valueKey: string;
  /** From the outermost in. */
  readonly partitions: readonly Partition[];
}

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
  /** Of columns that several features, or a list in pieces, make; `shape` is null then. */
  readonly assembly?: Assembly | undefined;
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

/** The type of lists of lists: as many as partitions, and one for the record. */
function assembledType(dtype: DType, partitions: readonly Partition[]): DataType {
  const item = partitions.reduceRight<DataType>(
    (child, partition) =>
      partition.kind === "uniformRowLength"
        ? { kind: "fixedSizeList", size: partition.length, child: itemOf(child) }
        : { kind: "list", child: itemOf(child) },
    valueType(dtype),
  );
  return { kind: "list", child: itemOf(item) };
}

/** A column of lists of lists. A record without its features has an empty list there, as in tf.io. */
export function assembledFeature(name: string, dtype: DType, assembly: Assembly): FeatureSpec {
  const type = assembledType(dtype, assembly.partitions);
  return { name, dtype, shape: null, missing: "null", defaults: null, type, nullable: false, assembly };
}

/** The features of a record that a column is made of. */
function storedFeatures(feature: FeatureSpec): readonly FeatureSpec[] {
  if (feature.assembly === undefined) return [feature];
  const { valueKey, partitions } = feature.assembly;
  const keys = partitions.flatMap((partition) => (partition.kind === "uniformRowLength" ? [] : [partition.key]));
  return [listFeature(valueKey, feature.dtype), ...keys.map((key) => listFeature(key, "int64"))];
}

/** The features of a record that columns are made of, each once. */
export function allStoredFeatures(features: readonly FeatureSpec[]): FeatureSpec[] {
  const byName = new Map<string, FeatureSpec>();
  for (const stored of features.flatMap(storedFeatures)) {
    if (!byName.has(stored.name)) byName.set(stored.name, stored);
  }
  return [...byName.values()];
}

/** Why two columns cannot be made of one feature, or undefined when each can. */
export function storedConflict(features: readonly FeatureSpec[]): string | undefined {
  const byName = new Map<string, FeatureSpec>();
  for (const stored of features.flatMap(storedFeatures)) {
    const known = byName.get(stored.name);
    byName.set(stored.name, known ?? stored);
    if (known === undefined) continue;
    if (known.dtype !== stored.dtype) return `"${stored.name}" is read as ${known.dtype} and as ${stored.dtype}`;
    if (known.shape !== null || stored.shape !== null)
      return `"${stored.name}" is of fixed length and a part of a list`;
  }
  return undefined;
}

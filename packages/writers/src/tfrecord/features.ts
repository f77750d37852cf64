import { compareNames, type DataType, type Schema, UnsupportedError } from "@ingest-ts/core";
import { type FeatureMapping, mapToFeature } from "@ingest-ts/readers/tfrecord/example";
import type { ResolvedOptions } from "./options.ts";

/** One column as it is written. */
export interface FeaturePlan extends FeatureMapping {
  readonly name: string;
  /** Position in the schema. */
  readonly index: number;
  readonly type: DataType;
}

function shown(type: DataType): string {
  switch (type.kind) {
    case "int":
    case "float":
    case "decimal":
      return `${type.kind}${type.bits}`;
    case "list":
    case "largeList":
    case "fixedSizeList":
      return `${type.kind} of ${shown(type.child.type)}`;
    case "dictionary":
      return `dictionary of ${shown(type.value)}`;
    default:
      return type.kind;
  }
}

function checkName(name: string, seen: Set<string>): void {
  const where = { column: name };
  if (seen.has(name)) {
    throw new UnsupportedError("two columns have this name; features of a record have different ones", { where });
  }
  seen.add(name);
  // A lone surrogate has no UTF-8.
  if (/\p{Surrogate}/u.test(name)) throw new UnsupportedError("the name of the column is not Unicode text", { where });
}

/**
 * How each column of `schema` becomes a feature, in byte order of the names: the order in which they are written.
 *
 * @throws UnsupportedError naming the column and the type that features cannot hold
 */
export function planFeatures(schema: Schema, options: Pick<ResolvedOptions, "float64">): FeaturePlan[] {
  const seen = new Set<string>();
  const plans = schema.fields.map((field, index): FeaturePlan => {
    const { name, type } = field;
    checkName(name, seen);
    const mapping = mapToFeature(type);
    const where = { column: name };
    if (mapping === undefined) {
      throw new UnsupportedError(`TFRecord cannot hold a column of type ${shown(type)}`, {
        where,
        remedy: "Cast it to numbers, text, bytes or lists of them, or leave it out.",
      });
    }
    if (mapping.element.kind === "float" && mapping.element.bits === 64 && options.float64 === "refuse") {
      throw new UnsupportedError(`TFRecord cannot hold a column of type ${shown(type)} exactly`, {
        where,
        remedy: 'Cast it to float32, or write with float64: "bits".',
      });
    }
    return { name, index, type, ...mapping };
  });
  return plans.sort((a, b) => compareNames(a.name, b.name));
}

import { type DataType, type Field, projection, type Schema, type Select } from "@ingest-ts/core";
import type { FeatureSpec } from "./feature.ts";
import type { TFRecordMetadata } from "./metadata.ts";
import { recordColumn, sequenceColumn } from "./spec.ts";

function fieldOf(feature: FeatureSpec): Field {
  const { name, type, nullable, metadata } = feature;
  return metadata === undefined ? { name, type, nullable } : { name, type, nullable, metadata };
}

/** The type of a feature list: its steps, each with a list of values. */
function stepsType(list: FeatureSpec): DataType {
  return { kind: "list", child: { name: "item", type: list.type, nullable: true } };
}

function sequenceField(lists: readonly FeatureSpec[]): Field {
  const children = lists.map((list): Field => ({ name: list.name, type: stepsType(list), nullable: true }));
  return { name: sequenceColumn, type: { kind: "struct", children }, nullable: false };
}

/** The schema of all columns: features in their order, then the feature lists of SequenceExamples. */
function wholeSchema(m: TFRecordMetadata): Schema {
  if (m.recordType === "bytes") {
    return { fields: [{ name: recordColumn, type: { kind: "binary" }, nullable: false }], metadata: {} };
  }
  const fields = m.features.map(fieldOf);
  if (m.recordType === "sequenceExample") fields.push(sequenceField(m.lists));
  return { fields, metadata: m.schemaMetadata };
}

/** The schema of the selected columns. */
export function selectedSchema(m: TFRecordMetadata, select: Select): Schema {
  const schema = wholeSchema(m);
  return select.columns === undefined ? schema : projection(schema, select.columns).schema;
}

/** One output column and what it is made of. */
export type Source =
  | { readonly kind: "feature"; readonly feature: FeatureSpec }
  | { readonly kind: "lists"; readonly type: DataType; readonly lists: readonly FeatureSpec[] };

/** What the selected columns are made of, in the order of `selectedSchema`. */
export function columnSources(m: TFRecordMetadata, select: Select): Source[] {
  const features = new Map(m.features.map((feature) => [feature.name, feature]));
  const lists = new Map(m.lists.map((list) => [list.name, list]));
  return selectedSchema(m, select).fields.map((field): Source => {
    const feature = features.get(field.name);
    // A context feature may have the name of the lists' column; the lists' is the struct.
    if (feature !== undefined && field.type.kind !== "struct") return { kind: "feature", feature };
    const children = field.type.kind === "struct" ? field.type.children : [];
    return { kind: "lists", type: field.type, lists: children.map((child) => lists.get(child.name) as FeatureSpec) };
  });
}

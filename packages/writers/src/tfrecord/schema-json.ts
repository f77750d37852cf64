import type { Field, JsonValue, Schema } from "@ingest-ts/core";
import { planFeatures } from "./features.ts";

/** Keys that objects put first, whatever the order they were added in, or do not keep as keys. */
function needsList(fields: readonly Field[]): boolean {
  return fields.some(({ name }) => /^(0|[1-9]\d*)$/.test(name) || name === "__proto__");
}

/**
 * What belongs beside a file as `<file>.schema.json`: the declared schema of its features, which readers and people
 * understand, and under `arrow` the schema of the rows that were written, with which `open` gives back their types
 * (integers of any width, booleans, text, dates, times, timestamps, scalars that may be null). Columns are in the order
 * of `schema`; in `features`, a list of objects with names takes the place of an object where that could not keep it.
 *
 * @throws UnsupportedError naming a column that TFRecord cannot hold
 */
export function tfrecordSchemaJson(schema: Schema): JsonValue {
  const plans = planFeatures(schema, { float64: "bits" }).sort((a, b) => a.index - b.index);
  const features = plans.flatMap((plan): [string, { readonly [key: string]: JsonValue }][] => {
    const { dtype, shape } = plan;
    if (dtype === null) return [];
    const fixed = shape !== null && schema.fields[plan.index]?.nullable === false;
    return [[plan.name, fixed ? { kind: "fixedLen", dtype, shape } : { kind: "varLen", dtype }]];
  });
  return {
    recordType: "example",
    features: needsList(schema.fields)
      ? features.map(([name, feature]) => ({ name, ...feature }))
      : Object.fromEntries(features),
    arrow: JSON.parse(JSON.stringify({ fields: schema.fields, metadata: schema.metadata })) as JsonValue,
  };
}

import type { Schema } from "@ingest-ts/core";
import { type LossyPlan, planLossy } from "../../convert/lossy.ts";
import type { Target, TargetOptions } from "../../convert/targets.ts";

/**
 * Columns as shards of a format hold them. TFRecord has no maps: there the headers are JSON text, `[[name, base64], …]`, in
 * which nothing is lost. With `lossy` every other column that the format cannot hold is changed too, as `convert --lossy`
 * does; else the writer refuses it by name.
 */
export async function planShards(
  schema: Schema,
  target: Target,
  options: TargetOptions,
  lossy: boolean,
): Promise<LossyPlan> {
  if (lossy) return planLossy(schema, target, options);
  const at = schema.fields.findIndex(({ name, type }) => name === "headers" && type.kind === "map");
  const headers = schema.fields[at];
  if (target.format !== "tfrecord" || headers === undefined) return { schema, changes: [], map: (columns) => columns };
  const plan = await planLossy({ ...schema, fields: [headers] }, target, options);
  const replaced = <T>(all: readonly T[], one: T | undefined): T[] =>
    all.map((each, i) => (i === at ? (one ?? each) : each));
  return {
    schema: { ...schema, fields: replaced(schema.fields, plan.schema.fields[0]) },
    changes: [],
    map: ({ rows, columns }) => {
      const [text] = plan.map({ rows, columns: columns.slice(at, at + 1) }).columns;
      return { rows, columns: replaced(columns, text) };
    },
  };
}

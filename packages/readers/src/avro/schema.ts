import { addWhere, type Schema, type Select } from "@ingest-ts/core";
import { type Below, pickNodes } from "../pick-nodes.ts";
import { restoreFields, storedFields, withoutStoredSchema } from "../restore/index.ts";
import type { AvroMetadata } from "./metadata.ts";
import type { DatumPlan } from "./read-plan.ts";
import { resolveDatum } from "./resolve.ts";
import { arrowField, type Node, rootNodes } from "./tree.ts";

function below({ type: { kind } }: Node): Below {
  return kind === "record" ? "fields" : kind === "array" ? "item" : "nothing";
}

/** The selected columns in the order asked for. @throws OptionsError for a path that does not exist. */
function selectedNodes(metadata: AvroMetadata, select: Select): readonly Node[] {
  const nodes = rootNodes(metadata.readerType);
  return select.columns === undefined ? nodes : pickNodes(nodes, select.columns, below);
}

/** How the file's datums become the selected columns. @throws OptionsError naming a field that cannot be read as declared */
export function datumPlan(metadata: AvroMetadata, select: Select): DatumPlan {
  return resolveDatum(metadata.type, metadata.readerType, selectedNodes(metadata, select));
}

/**
 * The Arrow schema of the selected columns as their writer knew it (unless the caller declared what to read), with the
 * file's user metadata.
 */
export function toSchema(metadata: AvroMetadata, select: Select): Schema {
  try {
    const fields = selectedNodes(metadata, select).map((node) => arrowField(node, select.dictionary));
    const isDeclared = metadata.readerType !== metadata.type;
    if (isDeclared) datumPlan(metadata, select);
    const stored = isDeclared ? undefined : storedFields(metadata.metadata);
    return {
      fields: stored === undefined ? fields : restoreFields(fields, stored, false),
      metadata: withoutStoredSchema(metadata.metadata),
    };
  } catch (error) {
    throw addWhere(error, { url: metadata.url });
  }
}

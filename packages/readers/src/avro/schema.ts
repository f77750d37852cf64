import { addWhere, type Schema, type Select } from "@ingest-ts/core";
import { type Below, pickNodes } from "../pick-nodes.ts";
import { restoreFields, storedFields, withoutStoredSchema } from "../restore/index.ts";
import type { AvroMetadata } from "./metadata.ts";
import { arrowField, type Node, rootNodes } from "./tree.ts";

function below({ type: { kind } }: Node): Below {
  return kind === "record" ? "fields" : kind === "array" ? "item" : "nothing";
}

/** The selected columns in the order asked for. @throws OptionsError for a path that does not exist. */
export function selectedNodes(metadata: AvroMetadata, select: Select): readonly Node[] {
  const nodes = rootNodes(metadata.type);
  return select.columns === undefined ? nodes : pickNodes(nodes, select.columns, below);
}

/** The Arrow schema of the selected columns as their writer knew it, with the file's user metadata. */
export function toSchema(metadata: AvroMetadata, select: Select): Schema {
  try {
    const fields = selectedNodes(metadata, select).map((node) => arrowField(node, select.dictionary));
    const stored = storedFields(metadata.metadata);
    return {
      fields: stored === undefined ? fields : restoreFields(fields, stored),
      metadata: withoutStoredSchema(metadata.metadata),
    };
  } catch (error) {
    throw addWhere(error, { url: metadata.url });
  }
}

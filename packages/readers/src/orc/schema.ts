import { addWhere, type Schema, type Select } from "@ingest-ts/core";
import { type Below, pickNodes } from "../pick-nodes.ts";
import { restoreFields, storedFields, withoutStoredSchema } from "../restore/index.ts";
import type { OrcMetadata } from "./metadata.ts";
import { arrowField, buildTree, type Node } from "./tree.ts";

/** One per file; every fragment asks for it. */
const trees = new WeakMap<OrcMetadata, Node>();

/** The type tree of the file. @throws FormatError, UnsupportedError as `buildTree`. */
export function rootNode(metadata: OrcMetadata, select: Select): Node {
  const known = trees.get(metadata);
  if (known !== undefined) return known;
  try {
    const tree = buildTree(metadata, select.limits);
    trees.set(metadata, tree);
    return tree;
  } catch (error) {
    throw addWhere(error, { url: metadata.url });
  }
}

/** The columns of the file: the fields of the root, or the root itself as `value` when it is no struct. */
function fileNodes(metadata: OrcMetadata, select: Select): readonly Node[] {
  const root = rootNode(metadata, select);
  return root.orc.kind === "struct" ? root.children : [root];
}

function below({ orc: { kind } }: Node): Below {
  return kind === "struct" ? "fields" : kind === "list" ? "item" : "nothing";
}

/** The selected columns in the order asked for. @throws OptionsError for a path that does not exist. */
export function selectedNodes(metadata: OrcMetadata, select: Select): readonly Node[] {
  const nodes = fileNodes(metadata, select);
  return select.columns === undefined ? nodes : pickNodes(nodes, select.columns, below);
}

/** The Arrow schema of the selected columns as their writer knew it, with the file's user metadata. */
export function toSchema(metadata: OrcMetadata, select: Select): Schema {
  try {
    const fields = selectedNodes(metadata, select).map(arrowField);
    const stored = storedFields(metadata.footer.metadata);
    return {
      fields: stored === undefined ? fields : restoreFields(fields, stored, true),
      metadata: withoutStoredSchema(metadata.footer.metadata),
    };
  } catch (error) {
    throw addWhere(error, { url: metadata.url });
  }
}

import { addWhere, OptionsError, type Schema, type Select } from "@ingest-ts/core";
import type { OrcMetadata } from "./metadata.ts";
import { arrowField, buildTree, type Node } from "./tree.ts";

/** One per file; every fragment asks for it. */
const trees = new WeakMap<OrcMetadata, Node>();

/** The type tree of the file. @throws FormatError, UnsupportedError as `buildTree`. */
export function fileTree(metadata: OrcMetadata, select: Select): Node {
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
  const root = fileTree(metadata, select);
  return root.orc.kind === "struct" ? root.children : [root];
}

/** The selected columns in the order asked for. @throws OptionsError for a path that does not exist. */
export function selectedNodes(metadata: OrcMetadata, select: Select): readonly Node[] {
  const nodes = fileNodes(metadata, select);
  return select.columns === undefined ? nodes : pick(nodes, select.columns, true);
}

/** The Arrow schema of the selected columns, with the file's user metadata. */
export function toSchema(metadata: OrcMetadata, select: Select): Schema {
  try {
    return { fields: selectedNodes(metadata, select).map(arrowField), metadata: metadata.footer.metadata };
  } catch (error) {
    throw addWhere(error, { url: metadata.url });
  }
}

function find(nodes: readonly Node[], name: string | undefined): Node {
  const found = nodes.filter((node) => node.name === name);
  const [node] = found;
  if (node !== undefined && found.length === 1) return node;
  const names = nodes.slice(0, 20).map((each) => `"${each.name}"`);
  throw new OptionsError(`there is ${node === undefined ? "no" : "more than one"} column "${name}"`, {
    remedy: `Here are ${names.join(", ")}${nodes.length > 20 ? ` and ${nodes.length - 20} more` : ""}.`,
  });
}

/** Paths below one node make one column, at the place of the first (below the top: in the file's order). */
function pick(nodes: readonly Node[], paths: readonly (readonly string[])[], inOrder: boolean): readonly Node[] {
  const groups = new Map<Node, (readonly string[])[]>();
  for (const [name, ...rest] of paths) {
    const node = find(nodes, name);
    groups.set(node, [...(groups.get(node) ?? []), rest]);
  }
  const chosen = inOrder ? [...groups.keys()] : nodes.filter((node) => groups.has(node));
  return chosen.map((node) => prune(node, groups.get(node) ?? []));
}

function prune(node: Node, paths: readonly (readonly string[])[]): Node {
  if (paths.some((path) => path.length === 0)) return node;
  if (node.orc.kind === "struct") return { ...node, children: pick(node.children, paths, false) };
  if (node.orc.kind === "list") {
    // The item may be named, or passed over: "points.item.x" and "points.x" are the same.
    const [item] = node.children as [Node];
    return {
      ...node,
      children: [
        prune(
          item,
          paths.map((path) => (path[0] === item.name ? path.slice(1) : path)),
        ),
      ],
    };
  }
  throw new OptionsError(
    `column "${node.name}" has no fields, so "${paths[0]?.join(".")}" cannot be selected below it`,
  );
}

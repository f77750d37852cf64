import { OptionsError } from "@ingest-ts/core";

/** A part of a format's schema tree. */
export interface TreeNode<N> {
  readonly name: string;
  readonly children: readonly N[];
}

/** What the names of a path below a node mean. */
export type Below = "fields" | "item" | "nothing";

function find<N extends TreeNode<N>>(nodes: readonly N[], name: string | undefined): N {
  const found = nodes.filter((node) => node.name === name);
  const [node] = found;
  if (node !== undefined && found.length === 1) return node;
  const names = nodes.slice(0, 20).map((each) => `"${each.name}"`);
  throw new OptionsError(`there is ${node === undefined ? "no" : "more than one"} column "${name}"`, {
    remedy: `Here are ${names.join(", ")}${nodes.length > 20 ? ` and ${nodes.length - 20} more` : ""}.`,
  });
}

/**
 * The nodes that `paths` (lists of names from the root) lead to, each with only what was asked of it: top-level nodes in
 * the order of their first mention, those below in the tree's order.
 *
 * @throws OptionsError for a path that does not exist
 */
export function pickNodes<N extends TreeNode<N>>(
  nodes: readonly N[],
  paths: readonly (readonly string[])[],
  below: (node: N) => Below,
): readonly N[] {
  return pick(nodes, paths, below, true);
}

function pick<N extends TreeNode<N>>(
  nodes: readonly N[],
  paths: readonly (readonly string[])[],
  below: (node: N) => Below,
  inOrder: boolean,
): readonly N[] {
  const groups = new Map<N, (readonly string[])[]>();
  for (const [name, ...rest] of paths) {
    const node = find(nodes, name);
    groups.set(node, [...(groups.get(node) ?? []), rest]);
  }
  const chosen = inOrder ? [...groups.keys()] : nodes.filter((node) => groups.has(node));
  return chosen.map((node) => prune(node, groups.get(node) ?? [], below));
}

function prune<N extends TreeNode<N>>(node: N, paths: readonly (readonly string[])[], below: (node: N) => Below): N {
  if (paths.some((path) => path.length === 0)) return node;
  switch (below(node)) {
    case "fields":
      return { ...node, children: pick(node.children, paths, below, false) };
    case "item": {
      // The item may be named, or passed over: "points.item.x" and "points.x" are the same.
      const [item] = node.children as readonly [N];
      const rest = paths.map((path) => (path[0] === item.name ? path.slice(1) : path));
      return { ...node, children: [prune(item, rest, below)] };
    }
    default:
      throw new OptionsError(
        `column "${node.name}" has no fields, so "${paths[0]?.join(".")}" cannot be selected below it`,
      );
  }
}

import { type Column, type DataType, FormatError } from "@ingest-ts/core";
import { spreadItems } from "./fixed-size-lists.ts";
import type { LeafOutput } from "./leaf-reader.ts";
import { type ListNode, leavesOf, type Node, type StructNode, typeOf } from "./nodes.ts";
import type { SpinePart } from "./spine.ts";
import { widenOffsets } from "./widen.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Puts the leaves of one top-level column together.
 *
 * @param leaves outputs of the leaves below `node`, in order.
 * @throws FormatError when they disagree about the nulls or lists of a common ancestor.
 */
export function assemble(space: Workspace, node: Node, leaves: readonly LeafOutput[]): Column {
  return build(space, node, leaves, 0);
}

/** @param depth how many ancestors lie above `node`. */
function build(space: Workspace, node: Node, leaves: readonly LeafOutput[], depth: number): Column {
  if (node.shape === "leaf") return (leaves[0] as LeafOutput).column;
  const part = agreedPart(node, leaves, depth);
  return node.shape === "struct"
    ? buildStruct(space, node, leaves, depth, part)
    : buildList(space, node, leaves, depth, part);
}

function agreedPart(node: Node, leaves: readonly LeafOutput[], depth: number): SpinePart {
  const [first, ...others] = leaves.map((leaf) => leaf.spine[depth] as SpinePart) as [SpinePart, ...SpinePart[]];
  for (const other of others) {
    const agrees =
      first.length === other.length &&
      first.nullCount === other.nullCount &&
      sameBytes(first.validity, other.validity) &&
      sameBytes(first.offsets, other.offsets);
    if (!agrees) throw new FormatError(`the columns below "${node.name}" disagree about its nulls or lengths`);
  }
  return first;
}

function sameBytes(a: Uint8Array | Int32Array | null, b: Uint8Array | Int32Array | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function buildStruct(
  space: Workspace,
  node: StructNode,
  leaves: readonly LeafOutput[],
  depth: number,
  part: SpinePart,
): Column {
  let next = 0;
  const children = node.children.map((child) => {
    const count = leavesOf(child).length;
    const below = leaves.slice(next, next + count);
    next += count;
    return build(space, child, below, depth + 1);
  });
  return column(typeOf(node), part, null, children);
}

function buildList(
  space: Workspace,
  node: ListNode,
  leaves: readonly LeafOutput[],
  depth: number,
  part: SpinePart,
): Column {
  const child = build(space, node.child, leaves, depth + 1);
  const offsets = part.offsets as Int32Array;
  switch (node.kind) {
    case "map":
      return column(typeOf(node), part, offsets, [withoutNullKeys(node, child)]);
    case "largeList":
      return column(typeOf(node), part, widenOffsets(space, offsets), [child]);
    case "fixedSizeList":
      return column(typeOf(node), part, null, [spreadItems(node, part, child)]);
    default:
      return column(typeOf(node), part, offsets, [child]);
  }
}

/** The entries of a map as its type has them. @throws FormatError for a null key. */
function withoutNullKeys(node: ListNode, entries: Column): Column {
  const type = typeOf(node) as Extract<DataType, { kind: "map" }>;
  const key = entries.children[0] as Column;
  if (key.nullCount > 0 && key.type.kind !== "null") throw new FormatError(`the map "${node.name}" has a null key`);
  return { ...entries, type: type.child.type };
}

function column(
  type: DataType,
  { length, validity, nullCount }: SpinePart,
  offsets: Column["offsets"],
  children: readonly Column[],
): Column {
  return { type, length, nullCount, validity, offsets, data: null, children, dictionary: null };
}

import type { DataType, TimeUnit } from "@ingest-ts/core";
import { type ArrowHint, ArrowTypeId } from "./arrow-hints.ts";
import type { LeafNode, ListNode, Node } from "./nodes.ts";

const units: readonly TimeUnit[] = ["s", "ms", "us", "ns"];

/**
 * Restores what Parquet's schema cannot say from the stored Arrow schema: time zones, 64-bit offsets, fixed list sizes,
 * durations, 256-bit decimals, sorted keys, metadata of fields. Dictionaries are restored as their values' type.
 *
 * The Parquet schema wins wherever the two disagree: a hint is taken only when it fits the stored type, and never changes
 * names, nullability or the number of fields.
 *
 * @param ours whether our writer made the file: then seconds, dates in milliseconds and the names of items are restored
 *   too. Parquet has none of them, and whoever reads a file of Arrow's own writers expects what Arrow's readers give
 */
export function restoreFields(nodes: readonly Node[], hints: readonly ArrowHint[], ours: boolean): Node[] {
  if (nodes.length !== hints.length) return [...nodes];
  return nodes.map((node, i) => {
    const hint = hints[i] as ArrowHint;
    return hint.name === node.name ? restore(node, hint, ours) : node;
  });
}

function restore(node: Node, hint: ArrowHint, ours: boolean): Node {
  const restored = restoreShape(node, hint, ours);
  return hint.metadata === undefined ? restored : { ...restored, metadata: { ...node.metadata, ...hint.metadata } };
}

function restoreShape(node: Node, hint: ArrowHint, ours: boolean): Node {
  if (node.shape === "leaf") return restoreLeaf(node, hint, ours);
  if (node.shape === "list") return restoreList(node, hint, ours);
  if (hint.typeId !== ArrowTypeId.STRUCT) return node;
  return { ...node, children: restoreFields(node.children, hint.children, ours) };
}

function restoreLeaf(node: LeafNode, hint: ArrowHint, ours: boolean): LeafNode {
  const stored = restoreType(node.type, hint);
  const type = ours ? inUnit(stored, hint) : stored;
  if (type !== stored) return { ...node, type, stored };
  return type === node.type ? node : { ...node, type };
}

/** `type` in the unit that its writer had, where that is coarser. */
function inUnit(type: DataType, { typeId, unit }: ArrowHint): DataType {
  switch (type.kind) {
    case "date":
      return typeId === ArrowTypeId.DATE && unit === 1 ? { kind: "date", unit: "ms" } : type;
    case "time":
      return typeId === ArrowTypeId.TIME && unit === 0 && type.unit === "ms" ? { ...type, unit: "s" } : type;
    case "timestamp":
      return typeId === ArrowTypeId.TIMESTAMP && unit === 0 && type.unit === "ms" ? { ...type, unit: "s" } : type;
    default:
      return type;
  }
}

function restoreType(type: DataType, hint: ArrowHint): DataType {
  switch (hint.typeId) {
    case ArrowTypeId.TIMESTAMP:
      return type.kind === "timestamp" && type.timezone !== null && hint.timezone !== ""
        ? { ...type, timezone: hint.timezone }
        : type;
    case ArrowTypeId.DURATION: {
      const unit = units[hint.unit];
      return type.kind === "int" && type.bits === 64 && type.signed && unit !== undefined
        ? { kind: "duration", unit }
        : type;
    }
    case ArrowTypeId.LARGE_UTF8:
      return type.kind === "utf8" ? { kind: "largeUtf8" } : type;
    case ArrowTypeId.LARGE_BINARY:
      return type.kind === "binary" ? { kind: "largeBinary" } : type;
    case ArrowTypeId.DECIMAL:
      return type.kind === "decimal" && hint.bitWidth === 256 ? { ...type, bits: 256 } : type;
    default:
      return type;
  }
}

function restoreList(node: ListNode, hint: ArrowHint, ours: boolean): Node {
  const [item] = hint.children;
  if (item === undefined || hint.children.length !== 1) return node;
  if (node.kind === "map") {
    if (hint.typeId !== ArrowTypeId.MAP || node.child.shape !== "struct" || item.children.length !== 2) return node;
    // Names inside a map differ between Parquet and Arrow; the places do not.
    const children = node.child.children.map((child, i) => restoreItem(child, item.children[i] as ArrowHint, ours));
    const name = ours ? item.name : node.child.name;
    return { ...node, keysSorted: hint.keysSorted, child: { ...node.child, name, children } };
  }
  switch (hint.typeId) {
    case ArrowTypeId.LIST:
      return { ...node, child: restoreItem(node.child, item, ours) };
    case ArrowTypeId.LARGE_LIST:
      return { ...node, kind: "largeList", child: restoreItem(node.child, item, ours) };
    case ArrowTypeId.FIXED_SIZE_LIST:
      if (hint.listSize < 0) return node;
      return { ...node, kind: "fixedSizeList", size: hint.listSize, child: restoreItem(node.child, item, ours) };
    default:
      return node;
  }
}

function restoreItem(node: Node, hint: ArrowHint, ours: boolean): Node {
  const restored = restore(node, hint, ours);
  return ours ? { ...restored, name: hint.name } : restored;
}

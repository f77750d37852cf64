import type { DataType, Field, TimeUnit } from "@ingest-ts/core";

/** A column of the file: where the values of one leaf of the schema tree are stored, and how. */
export interface Leaf {
  /** Its place among the leaves of the schema, which is its place among the column chunks of every row group. */
  readonly ordinal: number;
  /** Names from the root of the Parquet schema. */
  readonly path: readonly string[];
  /** One of `Physical`. */
  readonly physical: number;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY value, otherwise 0. */
  readonly typeLength: number;
  /** Of timestamps in 64 bits: what is stored. */
  readonly storedUnit?: TimeUnit | undefined;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

/**
 * Which level pairs (r, d) stand for a value slot of a node: r ≤ repetition and d ≥ definition. All others lie inside a
 * list further down, or below an ancestor that is null or empty.
 */
export interface Slot {
  readonly repetition: number;
  readonly definition: number;
}

interface NodeBase {
  readonly name: string;
  readonly nullable: boolean;
  readonly slot: Slot;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface LeafNode extends NodeBase {
  readonly shape: "leaf";
  readonly type: DataType;
  /** What its values are decoded as, when that is not `type` itself: the same in a finer unit. */
  readonly stored?: DataType;
  readonly leaf: Leaf;
}

export interface StructNode extends NodeBase {
  readonly shape: "struct";
  /** A slot is non-null when d ≥ definition. */
  readonly definition: number;
  readonly children: readonly Node[];
}

export interface ListNode extends NodeBase {
  readonly shape: "list";
  readonly kind: "list" | "largeList" | "map" | "fixedSizeList";
  /** Items of every list of a fixedSizeList. */
  readonly size: number;
  readonly keysSorted: boolean;
  /** A slot is non-null when d ≥ definition. */
  readonly definition: number;
  /** The level pair (r, d) holds an item when r ≤ itemSlot.repetition and d ≥ itemSlot.definition. */
  readonly itemSlot: Slot;
  readonly child: Node;
}

/** One node of the Arrow schema with the Dremel levels that tell its nulls and lists. Plain data. */
export type Node = LeafNode | StructNode | ListNode;

/** The Arrow field that a node becomes. */
export function fieldOf(node: Node): Field {
  const base = { name: node.name, type: typeOf(node), nullable: node.nullable };
  return node.metadata === undefined ? base : { ...base, metadata: node.metadata };
}

/** The Arrow type that a node becomes. */
export function typeOf(node: Node): DataType {
  if (node.shape === "leaf") return node.type;
  if (node.shape === "struct") return { kind: "struct", children: node.children.map(fieldOf) };
  const child = fieldOf(node.child);
  switch (node.kind) {
    case "map": {
      const entries = child.type as Extract<DataType, { kind: "struct" }>;
      const [key, value] = entries.children as [Field, Field];
      // Arrow's keys are never null, whatever the file's schema says; null keys are refused when they are met.
      const children = [{ ...key, nullable: false }, value];
      return { kind: "map", keysSorted: node.keysSorted, child: { ...child, type: { kind: "struct", children } } };
    }
    case "fixedSizeList":
      return { kind: "fixedSizeList", size: node.size, child };
    default:
      return { kind: node.kind, child };
  }
}

/** The leaves below a node, in file order. */
export function leavesOf(node: Node): LeafNode[] {
  if (node.shape === "leaf") return [node];
  if (node.shape === "list") return leavesOf(node.child);
  return node.children.flatMap(leavesOf);
}

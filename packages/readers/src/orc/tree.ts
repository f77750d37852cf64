import { checkLimit, type DataType, type Field, FormatError, type Limits, UnsupportedError } from "@ingest-ts/core";
import type { OrcMetadata } from "./metadata.ts";
import type { OrcType } from "./spec.ts";

/** One type of the file with its Arrow field. Plain data. */
export interface Node {
  /** Index of the type, which is also the number of its column. */
  readonly id: number;
  readonly name: string;
  readonly orc: OrcType;
  readonly children: readonly Node[];
  readonly nullable: boolean;
}

/** Arrow's type codes are int8. */
const UNION_CHILDREN = 128;

const childCounts: Partial<Record<OrcType["kind"], number>> = { list: 1, map: 2 };

/**
 * The type tree of a file, checked: every type but the root is the child of one earlier type.
 *
 * @throws FormatError when the types are no tree
 */
export function buildTree({ footer: { types } }: OrcMetadata, limits: Limits): Node {
  checkLimit(limits, "columns", types.length, "a schema");
  const seen = new Set<number>();

  function build(id: number, parent: number, name: string, depth: number, nullable: boolean): Node {
    const orc = types[id];
    if (orc === undefined || id <= parent || seen.has(id)) {
      throw new FormatError(`type ${id} cannot be a child of type ${parent}`, { where: { column: name } });
    }
    checkLimit(limits, "depth", depth, "a schema");
    seen.add(id);
    const { subtypes, kind } = orc;
    const isNested = kind === "struct" || kind === "union" || kind === "list" || kind === "map";
    const expected = kind === "struct" ? orc.fieldNames.length : isNested ? childCounts[kind] : 0;
    if (expected !== undefined && expected !== subtypes.length) {
      throw new FormatError(`a ${kind} has ${subtypes.length} types below it where ${expected} belong`, {
        where: { column: name },
      });
    }
    const names =
      kind === "struct" ? orc.fieldNames : kind === "map" ? ["key", "value"] : kind === "list" ? ["item"] : [];
    const children = subtypes.map((child, i) =>
      build(child, id, names[i] ?? `_union_${i}`, depth + 1, !(kind === "map" && i === 0)),
    );
    return { id, name, orc, children, nullable };
  }

  if (types.length === 0) throw new FormatError("the footer has no types");
  return build(0, -1, "value", 0, true);
}

function primitiveType(node: Node): DataType {
  const { kind, precision, scale } = node.orc;
  switch (kind) {
    case "boolean":
      return { kind: "bool" };
    case "byte":
      return { kind: "int", bits: 8, signed: true };
    case "short":
      return { kind: "int", bits: 16, signed: true };
    case "int":
      return { kind: "int", bits: 32, signed: true };
    case "long":
      return { kind: "int", bits: 64, signed: true };
    case "float":
      return { kind: "float", bits: 32 };
    case "double":
      return { kind: "float", bits: 64 };
    case "string":
    case "varchar":
    case "char":
      return { kind: "utf8" };
    case "binary":
    case "geometry":
    case "geography":
      return { kind: "binary" };
    case "timestamp":
      return { kind: "timestamp", unit: "ns", timezone: null };
    case "timestampInstant":
      return { kind: "timestamp", unit: "ns", timezone: "UTC" };
    case "date":
      return { kind: "date", unit: "day" };
    case "decimal":
      return decimalType(precision, scale, node.name);
    default:
      throw new UnsupportedError(`ORC type ${kind} is not supported`, { where: { column: node.name } });
  }
}

function decimalType(precision: number, scale: number, column: string): DataType {
  // Hive 0.11 wrote decimals without precision.
  if (precision === 0) return { kind: "decimal", bits: 128, precision: 38, scale: 6 };
  if (precision > 38 || scale > precision) {
    throw new FormatError(`decimal(${precision}, ${scale}) is not an ORC type`, { where: { column } });
  }
  return { kind: "decimal", bits: 128, precision, scale };
}

/** The Arrow type of a node. @throws UnsupportedError for unions of more than 128 types. */
export function arrowType(node: Node): DataType {
  const [first] = node.children;
  switch (node.orc.kind) {
    case "list":
      return { kind: "list", child: arrowField(first as Node) };
    case "map":
      return {
        kind: "map",
        keysSorted: false,
        child: {
          name: "entries",
          nullable: false,
          type: { kind: "struct", children: node.children.map(arrowField) },
        },
      };
    case "struct":
      return { kind: "struct", children: node.children.map(arrowField) };
    case "union":
      if (node.children.length > UNION_CHILDREN) {
        throw new UnsupportedError(`a union of ${node.children.length} types is not supported`, {
          where: { column: node.name },
          remedy: `Arrow unions have at most ${UNION_CHILDREN} types.`,
        });
      }
      return {
        kind: "union",
        mode: "sparse",
        typeIds: node.children.map((_, i) => i),
        children: node.children.map(arrowField),
      };
    default:
      return primitiveType(node);
  }
}

/** The Arrow field of a node, with the column's attributes as metadata. */
export function arrowField(node: Node): Field {
  const base = { name: node.name, type: arrowType(node), nullable: node.nullable };
  const { attributes } = node.orc;
  return Object.keys(attributes).length === 0 ? base : { ...base, metadata: attributes };
}

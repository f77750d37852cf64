import { type DataType, type Field, UnsupportedError } from "@ingest-ts/core";
import type { AvroType, LogicalType } from "./spec.ts";

/** A column or a part of one: an Avro type with null taken out of it. Plain data. */
export interface Node {
  readonly name: string;
  readonly type: AvroType;
  /** Which branch of a union of two is null; undefined when the type is not nullable. */
  readonly nullBranch: 0 | 1 | undefined;
  /** The selected fields of a record, the items of an array or map, the branches of a union. */
  readonly children: readonly Node[];
  /** Of a record's field: its place among all fields. */
  readonly index: number;
}

/** The path of a part of a column; "" is the root. */
export function joinPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** The datum itself as one column, named `value`. */
export function datumNode(type: AvroType): Node {
  return nodeOf("value", type, 0);
}

/** The columns of a file: the fields of a root record, else the root itself as `value`. */
export function rootNodes(type: AvroType): readonly Node[] {
  return type.kind === "record" ? recordChildren(type) : [datumNode(type)];
}

function recordChildren(type: Extract<AvroType, { kind: "record" }>): readonly Node[] {
  return type.fields.map((field, index) => nodeOf(field.name, field.type, index));
}

function nodeOf(name: string, type: AvroType, index: number): Node {
  if (type.kind === "union" && type.branches.length === 2) {
    const [first, second] = type.branches as [AvroType, AvroType];
    if (first.kind === "null" && second.kind !== "null") return { ...nodeOf(name, second, index), nullBranch: 0 };
    if (second.kind === "null" && first.kind !== "null") return { ...nodeOf(name, first, index), nullBranch: 1 };
  }
  return { name, type, nullBranch: undefined, children: childNodes(type), index };
}

function childNodes(type: AvroType): readonly Node[] {
  switch (type.kind) {
    case "record":
      return recordChildren(type);
    case "array":
      return [nodeOf("item", type.items, 0)];
    case "map":
      return [nodeOf("value", type.items, 0)];
    case "union":
      return type.branches.map((branch, i) => nodeOf(branchName(branch), branch, i));
    default:
      return [];
  }
}

function branchName(type: AvroType): string {
  return "name" in type ? type.name : type.kind;
}

function logicalType(logical: LogicalType): DataType {
  switch (logical.kind) {
    case "decimal": {
      const { precision, scale } = logical;
      return { kind: "decimal", bits: precision <= 38 ? 128 : 256, precision, scale };
    }
    case "uuid":
      return { kind: "fixedSizeBinary", byteWidth: 16 };
    case "date":
      return { kind: "date", unit: "day" };
    case "time-millis":
      return { kind: "time", unit: "ms" };
    case "time-micros":
      return { kind: "time", unit: "us" };
    case "duration":
      return { kind: "interval", unit: "monthDayNano" };
    default: {
      const unit = logical.kind.endsWith("millis") ? "ms" : logical.kind.endsWith("micros") ? "us" : "ns";
      return { kind: "timestamp", unit, timezone: logical.kind.startsWith("local") ? null : "UTC" };
    }
  }
}

function primitiveType(kind: AvroType["kind"]): DataType {
  switch (kind) {
    case "null":
      return { kind: "null" };
    case "boolean":
      return { kind: "bool" };
    case "int":
      return { kind: "int", bits: 32, signed: true };
    case "long":
      return { kind: "int", bits: 64, signed: true };
    case "float":
      return { kind: "float", bits: 32 };
    case "double":
      return { kind: "float", bits: 64 };
    case "bytes":
      return { kind: "binary" };
    default:
      return { kind: "utf8" };
  }
}

const enumIndex = { kind: "int", bits: 32, signed: true } as const;

/**
 * The Arrow type of a node.
 *
 * @param dictionary enums keep their symbols as a dictionary when it is "preserve"
 * @throws UnsupportedError for a type that contains itself: Arrow has none
 */
export function arrowType(node: Node, dictionary: "decode" | "preserve"): DataType {
  const { type } = node;
  const children = (): Field[] => node.children.map((child) => arrowField(child, dictionary));
  switch (type.kind) {
    case "recursive":
      throw new UnsupportedError(`the Avro type "${type.name}" is recursive, which Arrow cannot hold`, {
        where: { column: node.name },
        remedy: "Select other columns.",
      });
    case "record":
      return { kind: "struct", children: children() };
    case "array":
      return { kind: "list", child: children()[0] as Field };
    case "map": {
      const key: Field = { name: "key", type: { kind: "utf8" }, nullable: false };
      const entries: DataType = { kind: "struct", children: [key, ...children()] };
      return { kind: "map", keysSorted: false, child: { name: "entries", type: entries, nullable: false } };
    }
    case "union":
      return { kind: "union", mode: "dense", typeIds: type.branches.map((_, i) => i), children: children() };
    case "enum":
      return dictionary === "decode"
        ? { kind: "utf8" }
        : { kind: "dictionary", index: enumIndex, value: { kind: "utf8" }, ordered: false };
    case "fixed":
      return type.logical === undefined ? { kind: "fixedSizeBinary", byteWidth: type.size } : logicalType(type.logical);
    default:
      return type.logical === undefined ? primitiveType(type.kind) : logicalType(type.logical);
  }
}

/** The Arrow field of a node; nullable when its union has a null branch. */
export function arrowField(node: Node, dictionary: "decode" | "preserve"): Field {
  const nullable = node.nullBranch !== undefined || node.type.kind === "null";
  return { name: node.name, type: arrowType(node, dictionary), nullable };
}

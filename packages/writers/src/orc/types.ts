import { type DataType, type Field, type Schema, UnsupportedError } from "@ingest-ts/core";
import type { typeKinds } from "@ingest-ts/readers/orc/spec";
import { describeType } from "../describe-type.ts";

type OrcKind = (typeof typeKinds)[number];

/** One column of the file; the root is a struct of all of them. */
export interface OrcNode {
  /** Its number: types are counted depth first. */
  readonly id: number;
  readonly kind: OrcKind;
  /** The Arrow type of its values: that of a dictionary's values, for dictionaries. */
  readonly type: DataType;
  readonly nullable: boolean;
  /** Dotted path, for messages. */
  readonly path: string;
  /** Of decimals. */
  readonly precision: number;
  readonly scale: number;
  readonly children: readonly OrcNode[];
  /** Of the fields of a struct. */
  readonly names: readonly string[];
}

/** Most digits that ORC's decimals have. */
const DECIMAL_DIGITS = 38;

class TypeTree {
  #next = 0;

  struct(fields: readonly Field[], path: readonly string[], type: DataType, nullable: boolean): OrcNode {
    const id = this.#next++;
    const children = fields.map((field) => this.field(field, [...path, field.name]));
    const names = fields.map(({ name }) => name);
    return { id, kind: "struct", type, nullable, path: path.join("."), precision: 0, scale: 0, children, names };
  }

  field({ type, nullable }: Field, path: readonly string[]): OrcNode {
    switch (type.kind) {
      case "struct":
        return this.struct(type.children, path, type, nullable);
      case "list":
      case "largeList":
      case "fixedSizeList":
        return this.#nested("list", type, nullable, path, [type.child]);
      case "map": {
        const [key, value] = type.child.type.kind === "struct" ? type.child.type.children : [];
        if (key === undefined || value === undefined) {
          throw new UnsupportedError("ORC cannot hold a map whose entries are not a struct of key and value", {
            where: { column: path.join(".") },
          });
        }
        return this.#nested("map", type, nullable, path, [{ ...key, nullable: false }, value]);
      }
      case "dictionary":
        return this.field({ name: "", type: type.value, nullable }, path);
      default:
        return this.#flat(type, nullable, path);
    }
  }

  #nested(kind: OrcKind, type: DataType, nullable: boolean, path: readonly string[], below: readonly Field[]): OrcNode {
    const id = this.#next++;
    const children = below.map((field) => this.field(field, [...path, field.name]));
    return { id, kind, type, nullable, path: path.join("."), precision: 0, scale: 0, children, names: [] };
  }

  #flat(type: DataType, nullable: boolean, path: readonly string[]): OrcNode {
    const kind = kindOf(type);
    const [precision, scale] = type.kind === "decimal" ? [type.precision, type.scale] : [0, 0];
    const refuse = (why: string): UnsupportedError =>
      new UnsupportedError(`ORC cannot hold the type ${describeType(type)}: ${why}`, {
        where: { column: path.join(".") },
        remedy: "Leave the column out, or cast it.",
      });
    if (kind === undefined) throw refuse("there is no such ORC type");
    if (type.kind === "decimal") {
      if (precision < 1 || precision > DECIMAL_DIGITS) throw refuse(`its decimals have 1 to ${DECIMAL_DIGITS} digits`);
      if (scale < 0 || scale > precision) throw refuse("the scale must lie between 0 and the precision");
    }
    // A column of the null type holds nothing but nulls, whatever its field declares.
    const mayBeNull = nullable || type.kind === "null";
    return {
      id: this.#next++,
      kind,
      type,
      nullable: mayBeNull,
      path: path.join("."),
      precision,
      scale,
      children: [],
      names: [],
    };
  }
}

/** Types that ORC lacks but can carry without loss take the next one; the stored Arrow schema restores them. */
function kindOf(type: DataType): OrcKind | undefined {
  switch (type.kind) {
    case "null":
    case "bool":
      return "boolean";
    case "int":
      return integerKind(type.bits, type.signed);
    case "float":
      return type.bits === 64 ? "double" : "float";
    case "utf8":
    case "largeUtf8":
      return "string";
    case "binary":
    case "largeBinary":
    case "fixedSizeBinary":
      return "binary";
    case "decimal":
      return "decimal";
    case "date":
      return "date";
    case "time":
      return type.unit === "s" || type.unit === "ms" ? "int" : "long";
    case "timestamp":
      return type.timezone === null || type.timezone === "" ? "timestamp" : "timestampInstant";
    case "duration":
      return "long";
    default:
      return undefined;
  }
}

function integerKind(bits: 8 | 16 | 32 | 64, signed: boolean): OrcKind {
  if (signed) return bits === 8 ? "byte" : bits === 16 ? "short" : bits === 32 ? "int" : "long";
  return bits === 8 ? "short" : bits === 16 ? "int" : "long";
}

/** The columns of a file for rows of `schema`, below the root. @throws UnsupportedError naming column and type. */
export function orcTree(schema: Schema): OrcNode {
  return new TypeTree().struct(schema.fields, [], { kind: "struct", children: schema.fields }, false);
}

/** A node and all below it, in the order of their numbers. */
export function allNodes(node: OrcNode): readonly OrcNode[] {
  return [node, ...node.children.flatMap(allNodes)];
}

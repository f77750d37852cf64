import type { DataType } from "./schema.ts";

/** A type in a few words, in Arrow's terms: `int32`, `timestamp[us, UTC]`, `list`. Types below are not shown. */
export function typeName(type: DataType): string {
  switch (type.kind) {
    case "int":
      return `${type.signed ? "int" : "uint"}${type.bits}`;
    case "float":
      return `float${type.bits}`;
    case "fixedSizeBinary":
      return `fixedSizeBinary[${type.byteWidth}]`;
    case "decimal":
      return `decimal${type.bits}(${type.precision}, ${type.scale})`;
    case "date":
      return type.unit === "day" ? "date32" : "date64";
    case "time":
    case "duration":
    case "interval":
      return `${type.kind}[${type.unit}]`;
    case "timestamp":
      return `timestamp[${type.unit}${type.timezone === null ? "" : `, ${type.timezone}`}]`;
    case "fixedSizeList":
      return `fixedSizeList[${type.size}]`;
    case "union":
      return `${type.mode} union`;
    case "dictionary":
      return `dictionary<${typeName(type.index)}, ${typeName(type.value)}>`;
    default:
      return type.kind;
  }
}

/** The same with the types below: `list<float32>`, `struct<x: int8, y: utf8>`. */
export function typeText(type: DataType): string {
  switch (type.kind) {
    case "list":
    case "largeList":
    case "map":
    case "fixedSizeList":
      return `${typeName(type)}<${typeText(type.child.type)}>`;
    case "struct":
    case "union":
      return `${typeName(type)}<${type.children.map((child) => `${child.name}: ${typeText(child.type)}`).join(", ")}>`;
    default:
      return typeName(type);
  }
}

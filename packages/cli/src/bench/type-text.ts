import type { DataType } from "@ingest-ts/core";

/** A type in a few letters, as it stands in the report: `int64`, `timestamp[us, UTC]`, `list<float32>`. */
export function typeText(type: DataType): string {
  switch (type.kind) {
    case "int":
      return `${type.signed ? "" : "u"}int${type.bits}`;
    case "float":
      return `float${type.bits}`;
    case "fixedSizeBinary":
      return `fixedSizeBinary[${type.byteWidth}]`;
    case "decimal":
      return `decimal${type.bits}(${type.precision}, ${type.scale})`;
    case "timestamp":
      return `timestamp[${type.unit}${type.timezone === null ? "" : `, ${type.timezone}`}]`;
    case "date":
    case "time":
    case "duration":
    case "interval":
      return `${type.kind}[${type.unit}]`;
    case "list":
    case "largeList":
    case "map":
      return `${type.kind}<${typeText(type.child.type)}>`;
    case "fixedSizeList":
      return `fixedSizeList<${typeText(type.child.type)}>[${type.size}]`;
    case "struct":
    case "union":
      return `${type.kind}<${type.children.map((child) => `${child.name}: ${typeText(child.type)}`).join(", ")}>`;
    case "dictionary":
      return `dictionary<${typeText(type.value)}>`;
    default:
      return type.kind;
  }
}

import type { DataType, Field } from "@ingest-ts/core";

const nested: ReadonlySet<DataType["kind"]> = new Set(["list", "largeList", "fixedSizeList", "map", "struct", "union"]);

/** A type in a few words, in Arrow's terms: `int32`, `timestamp[us, UTC]`, `list`. Fields below are not shown. */
export function typeText(type: DataType): string {
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
      return `dictionary<${typeText(type.index)}, ${typeText(type.value)}>`;
    default:
      return type.kind;
  }
}

/** Whether fields below deserve lines of their own. */
export function isNested({ type }: Field): boolean {
  return nested.has(type.kind);
}

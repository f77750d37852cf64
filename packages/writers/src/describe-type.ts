import type { DataType } from "@ingest-ts/core";

/** For messages: the kind and the parameter that tells variants apart. */
export function describeType(type: DataType): string {
  switch (type.kind) {
    case "int":
      return `${type.signed ? "int" : "uint"}${type.bits}`;
    case "float":
      return `float${type.bits}`;
    case "interval":
      return `interval[${type.unit}]`;
    case "union":
      return `${type.mode} union`;
    case "fixedSizeBinary":
      return `fixedSizeBinary[${type.byteWidth}]`;
    case "decimal":
      return `decimal${type.bits}(${type.precision}, ${type.scale})`;
    case "dictionary":
      return `dictionary of ${describeType(type.value)}`;
    default:
      return type.kind;
  }
}

import type { AvroType } from "./spec.ts";

/** The fewest bytes that a value takes; 0 for null, records of nothing, and the like. */
export function leastBytes(type: AvroType): number {
  switch (type.kind) {
    case "null":
      return 0;
    case "float":
      return 4;
    case "double":
      return 8;
    case "fixed":
      return type.size;
    case "record": {
      let total = 0;
      for (const field of type.fields) total += leastBytes(field.type);
      return total;
    }
    default:
      // A type can contain itself only behind a union, an array or a map, which take a byte.
      return 1;
  }
}

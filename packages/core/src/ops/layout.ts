import { byteWidthOf, type DataType } from "../schema.ts";

/** How a column lies in memory; what the row operations switch on. */
export type Layout =
  | { readonly kind: "null" }
  | { readonly kind: "bits" }
  | { readonly kind: "fixed"; readonly byteWidth: number }
  | { readonly kind: "bytes" }
  | { readonly kind: "list" }
  | { readonly kind: "fixedSizeList"; readonly size: number }
  | { readonly kind: "struct" }
  | { readonly kind: "sparseUnion" }
  | { readonly kind: "denseUnion" };

/** The layout of a type, as the table at `Column` gives it. */
export function layoutOf(type: DataType): Layout {
  switch (type.kind) {
    case "null":
      return { kind: "null" };
    case "bool":
      return { kind: "bits" };
    case "utf8":
    case "binary":
    case "largeUtf8":
    case "largeBinary":
      return { kind: "bytes" };
    case "list":
    case "largeList":
    case "map":
      return { kind: "list" };
    case "fixedSizeList":
      return { kind: "fixedSizeList", size: type.size };
    case "struct":
      return { kind: "struct" };
    case "union":
      return { kind: type.mode === "dense" ? "denseUnion" : "sparseUnion" };
    default:
      return { kind: "fixed", byteWidth: byteWidthOf(type) };
  }
}

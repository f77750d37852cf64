/**
 * Schemas as plain data: they survive structuredClone, JSON and a worker boundary. `core/arrow` turns them into
 * apache-arrow's classes and back. Kinds and parameters are those of the Arrow columnar format (Schema.fbs).
 */
export type TimeUnit = "s" | "ms" | "us" | "ns";

export type DataType =
  | { readonly kind: "null" }
  | { readonly kind: "bool" }
  | { readonly kind: "int"; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: "float"; readonly bits: 16 | 32 | 64 }
  | { readonly kind: "utf8" }
  | { readonly kind: "largeUtf8" }
  | { readonly kind: "binary" }
  | { readonly kind: "largeBinary" }
  | { readonly kind: "fixedSizeBinary"; readonly byteWidth: number }
  | { readonly kind: "decimal"; readonly bits: 128 | 256; readonly precision: number; readonly scale: number }
  | { readonly kind: "date"; readonly unit: "day" | "ms" }
  | { readonly kind: "time"; readonly unit: TimeUnit }
  | { readonly kind: "timestamp"; readonly unit: TimeUnit; readonly timezone: string | null }
  | { readonly kind: "duration"; readonly unit: TimeUnit }
  | { readonly kind: "interval"; readonly unit: "yearMonth" | "dayTime" | "monthDayNano" }
  | { readonly kind: "list"; readonly child: Field }
  | { readonly kind: "largeList"; readonly child: Field }
  | { readonly kind: "fixedSizeList"; readonly size: number; readonly child: Field }
  /** `child` is a non-null struct of key and value. */
  | { readonly kind: "map"; readonly keysSorted: boolean; readonly child: Field }
  | { readonly kind: "struct"; readonly children: readonly Field[] }
  | {
      readonly kind: "union";
      readonly mode: "dense" | "sparse";
      readonly typeIds: readonly number[];
      readonly children: readonly Field[];
    }
  | {
      readonly kind: "dictionary";
      readonly index: { readonly kind: "int"; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean };
      readonly value: DataType;
      readonly ordered: boolean;
    };

export type TypeKind = DataType["kind"];

export interface Field {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface Schema {
  readonly fields: readonly Field[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes per value of a fixed-width type, 0 for types without a fixed width (bool is bit-packed: 0 too). */
export function byteWidthOf(type: DataType): number {
  switch (type.kind) {
    case "int":
    case "float":
    case "decimal":
      return type.bits / 8;
    case "fixedSizeBinary":
      return type.byteWidth;
    case "date":
      return type.unit === "day" ? 4 : 8;
    case "time":
      return type.unit === "s" || type.unit === "ms" ? 4 : 8;
    case "timestamp":
    case "duration":
      return 8;
    case "interval":
      return type.unit === "yearMonth" ? 4 : type.unit === "dayTime" ? 8 : 16;
    case "dictionary":
      return type.index.bits / 8;
    default:
      return 0;
  }
}

/** The fields below a type, in order; empty for flat types. */
export function childFields(type: DataType): readonly Field[] {
  switch (type.kind) {
    case "list":
    case "largeList":
    case "fixedSizeList":
    case "map":
      return [type.child];
    case "struct":
    case "union":
      return type.children;
    default:
      return [];
  }
}

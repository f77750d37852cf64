import type { DataType, Field, Schema } from "../schema.ts";
import type { Dice } from "./dice.ts";

export interface RandomSchemaOptions {
  /** Top-level columns; default 1 to 6. */
  readonly columns?: number;
  /** Levels of nesting at most; default 3. */
  readonly depth?: number;
  /** Flat types to choose from, also for dictionaries; default `flatTypes`. */
  readonly flat?: readonly DataType[];
  /** Kinds of nested types, dictionaries included; default all but unions. */
  readonly nested?: readonly NestedKind[];
}

export type NestedKind = "list" | "largeList" | "fixedSizeList" | "map" | "struct" | "dictionary" | "union";

const widths = [8, 16, 32, 64] as const;
const units = ["s", "ms", "us", "ns"] as const;

/** One of every flat type with every width, unit and sign, intervals aside. */
export const flatTypes: readonly DataType[] = [
  { kind: "null" },
  { kind: "bool" },
  ...widths.flatMap((bits): DataType[] => [
    { kind: "int", bits, signed: true },
    { kind: "int", bits, signed: false },
  ]),
  { kind: "float", bits: 16 },
  { kind: "float", bits: 32 },
  { kind: "float", bits: 64 },
  { kind: "utf8" },
  { kind: "largeUtf8" },
  { kind: "binary" },
  { kind: "largeBinary" },
  { kind: "fixedSizeBinary", byteWidth: 1 },
  { kind: "fixedSizeBinary", byteWidth: 16 },
  { kind: "decimal", bits: 128, precision: 7, scale: 2 },
  { kind: "decimal", bits: 128, precision: 18, scale: 0 },
  { kind: "decimal", bits: 128, precision: 38, scale: 10 },
  { kind: "decimal", bits: 256, precision: 9, scale: 9 },
  { kind: "decimal", bits: 256, precision: 76, scale: 38 },
  { kind: "date", unit: "day" },
  { kind: "date", unit: "ms" },
  ...units.flatMap((unit): DataType[] => [
    { kind: "time", unit },
    { kind: "timestamp", unit, timezone: null },
    { kind: "timestamp", unit, timezone: "UTC" },
    { kind: "duration", unit },
  ]),
  { kind: "timestamp", unit: "us", timezone: "Europe/Vienna" },
];

const nestedKinds: readonly NestedKind[] = ["list", "largeList", "fixedSizeList", "map", "struct", "dictionary"];

/** A schema of random types; column names are "c0", "c1", … and those inside say their place. */
export function randomSchema(dice: Dice, options: RandomSchemaOptions = {}): Schema {
  const count = options.columns ?? 1 + dice.below(6);
  const depth = options.depth ?? 3;
  const fields = Array.from({ length: count }, (_, i) => randomField(dice, `c${i}`, depth, options));
  return { fields, metadata: {} };
}

function randomField(dice: Dice, name: string, depth: number, options: RandomSchemaOptions): Field {
  const type = randomType(dice, depth, options);
  return { name, type, nullable: type.kind === "null" || dice.chance(0.7) };
}

/** A random type, nested at most `depth` levels. */
export function randomType(dice: Dice, depth: number, options: RandomSchemaOptions = {}): DataType {
  const nested = options.nested ?? nestedKinds;
  if (depth === 0 || nested.length === 0 || dice.chance(0.45)) return dice.pick(options.flat ?? flatTypes);
  const field = (name: string): Field => randomField(dice, name, depth - 1, options);
  const kind = dice.pick(nested);
  switch (kind) {
    case "list":
    case "largeList":
      return { kind, child: field("item") };
    case "fixedSizeList":
      return { kind, size: dice.below(4), child: field("item") };
    case "map": {
      const key: Field = { name: "key", type: dice.pick([{ kind: "utf8" }, int64] as const), nullable: false };
      const entries: DataType = { kind: "struct", children: [key, field("value")] };
      return { kind, keysSorted: false, child: { name: "entries", type: entries, nullable: false } };
    }
    case "struct":
      return { kind, children: Array.from({ length: 1 + dice.below(3) }, (_, i) => field(`f${i}`)) };
    case "union":
      return {
        kind,
        mode: dice.pick(["dense", "sparse"] as const),
        typeIds: [5, 0],
        children: [field("a"), field("b")],
      };
    case "dictionary": {
      const index = { kind: "int", bits: dice.pick(widths), signed: dice.chance(0.5) } as const;
      const values = (options.flat ?? flatTypes).filter(({ kind: value }) => value !== "null" && value !== "bool");
      return { kind, index, value: dice.pick(values), ordered: false };
    }
  }
}

const int64: DataType = { kind: "int", bits: 64, signed: true };

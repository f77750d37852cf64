import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import type { Column, Columns } from "../../src/columns.ts";
import { bindPredicate, evaluate, halfToNumber } from "../../src/predicate/index.ts";
import type { ComparisonOperator, Literal, Predicate } from "../../src/predicate/types.ts";
import type { DataType, Schema } from "../../src/schema.ts";
import { Dice, flatTypes, type PlainValue, randomColumns, rowsOf } from "../../src/testing/index.ts";

// A second evaluator, row by row, on exact fractions: slow, and written without a look at the first.

type Fraction = readonly [numerator: bigint, denominator: bigint];
type Plain = { kind: "number"; value: Fraction } | { kind: "float"; value: number } | { kind: "bytes"; value: string };

function littleEndian(hex: string, signed: boolean): bigint {
  const bytes = Buffer.from(hex, "hex").reverse();
  const value = BigInt(`0x${bytes.toString("hex") || "0"}`);
  return signed ? BigInt.asIntN(bytes.length * 8, value) : value;
}

function plainOf(value: PlainValue, type: DataType): Plain | null {
  if (value === null || type.kind === "null") return null;
  if (typeof value === "boolean") return { kind: "number", value: [value ? 1n : 0n, 1n] };
  const hex = value as string;
  switch (type.kind) {
    case "float": {
      if (hex === "NaN") return { kind: "float", value: Number.NaN };
      const bytes = Buffer.from(hex, "hex");
      if (type.bits === 16) return { kind: "float", value: halfToNumber(bytes.readUInt16LE()) };
      return { kind: "float", value: type.bits === 32 ? bytes.readFloatLE() : bytes.readDoubleLE() };
    }
    case "utf8":
    case "largeUtf8":
    case "binary":
    case "largeBinary":
    case "fixedSizeBinary":
      return { kind: "bytes", value: hex };
    case "decimal":
      return { kind: "number", value: [littleEndian(hex, true), 10n ** BigInt(type.scale)] };
    default:
      return { kind: "number", value: [littleEndian(hex, type.kind !== "int" || type.signed), 1n] };
  }
}

/** The literal that `value` would be written as, moved by `tenths` of the last digit that the type has. */
function literalOf(value: Plain, type: DataType, tenths: bigint): Literal {
  if (type.kind === "bool") return value.value.toString().startsWith("1");
  if (value.kind === "float") return Number.isFinite(value.value) ? value.value : String(value.value);
  if (value.kind === "bytes") {
    const bytes = Buffer.from(value.value, "hex");
    return isText(type) ? bytes.toString("utf8") : bytes.toString("base64");
  }
  const [numerator, denominator] = value.value;
  const scaled = numerator * 10n + tenths;
  const places = denominator.toString().length;
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(places + 1, "0");
  const text = `${scaled < 0n ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
  return isTemporal(type) ? wholeOf(text) : text;
}

/** Temporal columns take bare counts, or digits that look like one (16 and more). */
function wholeOf(text: string): Literal {
  const whole = BigInt(text.replace(/\..*$/, ""));
  const digits = whole < 0n ? -whole : whole;
  return digits > 2n ** 53n ? whole.toString() : Number(whole);
}

function isTemporal(type: DataType): boolean {
  return ["date", "time", "timestamp", "duration"].includes(type.kind);
}

function isText(type: DataType): boolean {
  return type.kind === "utf8" || type.kind === "largeUtf8";
}

function parseLiteral(literal: Literal, like: Plain, type: DataType): Plain {
  if (like.kind === "float") {
    const bits = type.kind === "float" ? type.bits : 64;
    const value = Number(literal);
    return { kind: "float", value: bits === 32 ? Math.fround(value) : value };
  }
  if (like.kind === "bytes") {
    return { kind: "bytes", value: Buffer.from(String(literal), isText(type) ? "utf8" : "base64").toString("hex") };
  }
  if (typeof literal === "boolean") return { kind: "number", value: [literal ? 1n : 0n, 1n] };
  const [whole = "", fraction = ""] = digitsOf(literal).split(".");
  return { kind: "number", value: [BigInt(whole + fraction), 10n ** BigInt(fraction.length)] };
}

function digitsOf(literal: Literal): string {
  return typeof literal === "number" ? BigInt(literal).toString() : String(literal);
}

function order(a: Plain, b: Plain): number {
  if (a.kind === "number" && b.kind === "number") {
    const difference = a.value[0] * b.value[1] - b.value[0] * a.value[1];
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }
  if (a.kind === "float" && b.kind === "float") {
    const rank = (value: number): number => (Number.isNaN(value) ? 1 : 0);
    if (rank(a.value) + rank(b.value) > 0) return rank(a.value) - rank(b.value);
    return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
  }
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

const holds: Record<ComparisonOperator, (sign: number) => boolean> = {
  eq: (sign) => sign === 0,
  ne: (sign) => sign !== 0,
  lt: (sign) => sign < 0,
  le: (sign) => sign <= 0,
  gt: (sign) => sign > 0,
  ge: (sign) => sign >= 0,
};

function naive(predicate: Predicate, row: readonly PlainValue[], schema: Schema): boolean | undefined {
  switch (predicate[0]) {
    case "and":
    case "or": {
      const parts = (predicate.slice(1) as Predicate[]).map((part) => naive(part, row, schema));
      const decisive = predicate[0] === "or";
      if (parts.includes(decisive)) return decisive;
      return parts.includes(undefined) ? undefined : !decisive;
    }
    case "not": {
      const inner = naive(predicate[1], row, schema);
      return inner === undefined ? undefined : !inner;
    }
    default: {
      const position = schema.fields.findIndex(({ name }) => name === predicate[1]);
      const field = schema.fields[position] as { type: DataType };
      const type = field.type.kind === "dictionary" ? field.type.value : field.type;
      const value = plainOf(row[position] as PlainValue, type);
      if (predicate[0] === "isNull") return value === null;
      if (value === null) return undefined;
      const compare = (literal: Literal, operator: ComparisonOperator): boolean | undefined =>
        literal === null ? undefined : holds[operator](order(value, parseLiteral(literal, value, type)));
      if (predicate[0] !== "in") return compare(predicate[2], predicate[0]);
      const parts = predicate[2].map((literal) => compare(literal, "eq"));
      return parts.includes(true) ? true : parts.includes(undefined) ? undefined : false;
    }
  }
}

function randomLiteral(dice: Dice, values: readonly PlainValue[], type: DataType): Literal {
  const plain = plainOf(dice.pick(values), type);
  if (plain === null || dice.chance(0.05)) return null;
  if (plain.kind === "number" && type.kind !== "bool" && !isTemporal(type) && dice.chance(0.1)) {
    return dice.pick(["1e60", "-1e60", "0", "-0.5", "1.25e-3"]);
  }
  return literalOf(plain, type, dice.pick([0n, 0n, 0n, 5n, -5n, 10n, -10n, 1n]));
}

function randomPredicate(dice: Dice, schema: Schema, rows: readonly PlainValue[][], depth: number): Predicate {
  if (depth > 0 && dice.chance(0.5)) {
    const part = (): Predicate => randomPredicate(dice, schema, rows, depth - 1);
    return dice.pick<() => Predicate>([
      () => ["not", part()],
      () => ["and", part(), part()],
      () => ["or", part(), part()],
    ])();
  }
  const at = dice.below(schema.fields.length);
  const field = schema.fields[at] as { name: string; type: DataType };
  const { name } = field;
  const type = field.type.kind === "dictionary" ? field.type.value : field.type;
  const values = rows.map((row) => row[at] as PlainValue);
  const literal = (): Literal => randomLiteral(dice, values, type);
  if (dice.chance(0.1)) return ["isNull", name];
  if (dice.chance(0.25)) return ["in", name, Array.from({ length: 1 + dice.below(6) }, literal)];
  return [dice.pick(["eq", "ne", "lt", "le", "gt", "ge"] as const), name, literal()];
}

/** "1e60" and the like: the naive side wants plain digits. */
function expand(predicate: Predicate): Predicate {
  const text = JSON.stringify(predicate).replace(/"(-?)1e60"/g, (_, sign) => `"${sign}1${"0".repeat(60)}"`);
  return JSON.parse(text.replaceAll('"1.25e-3"', '"0.00125"')) as Predicate;
}

describe("evaluate", () => {
  const dictionaries: DataType[] = flatTypes
    .filter(({ kind }) => kind !== "null")
    .map((value, i) => ({
      kind: "dictionary",
      index: { kind: "int", bits: ([8, 16, 32, 64] as const)[i % 4] as 8, signed: i % 3 > 0 },
      value,
      ordered: false,
    }));
  for (const type of [...flatTypes, ...dictionaries]) {
    it(`agrees with a row-by-row evaluator on ${JSON.stringify(type)}`, () => {
      for (let seed = 0; seed < 12; seed++) {
        const dice = new Dice(seed * 7919 + 1);
        const schema: Schema = {
          fields: [
            { name: "a", type, nullable: true },
            { name: "b", type: dice.pick(flatTypes), nullable: true },
          ],
          metadata: {},
        };
        const columns = randomColumns(dice, schema, 40);
        const rows = rowsOf(columns);
        for (let i = 0; i < 12; i++) {
          const predicate = randomPredicate(dice, schema, rows, 2);
          const expected = rows.map((row) => (naive(expand(predicate), row, schema) === true ? 1 : 0));
          const actual = Array.from(evaluate(bindPredicate(predicate, schema), columns));
          expect(actual, `seed ${seed}: ${JSON.stringify(predicate)}`).toEqual(expected);
        }
      }
    });
  }
});

function flat(type: DataType, length: number, data: ArrayBufferView | null, rest: Partial<Column> = {}): Column {
  const bytes = data === null ? null : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const nothing = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
  return { type, length, data: bytes, ...nothing, ...rest };
}

function passing(predicate: Predicate, type: DataType, column: Column): number[] {
  const schema: Schema = { fields: [{ name: "x", type, nullable: true }], metadata: {} };
  const columns: Columns = { rows: column.length, columns: [column] };
  return Array.from(evaluate(bindPredicate(predicate, schema), columns));
}

describe("exactness", () => {
  it("tells 64-bit integers apart that doubles do not", () => {
    const type: DataType = { kind: "int", bits: 64, signed: true };
    const values = BigInt64Array.of(9007199254740992n, 9007199254740993n, -(2n ** 63n), 2n ** 63n - 1n);
    const column = flat(type, 4, values);
    expect(passing(["eq", "x", "9007199254740993"], type, column)).toEqual([0, 1, 0, 0]);
    expect(passing(["ge", "x", "9223372036854775807"], type, column)).toEqual([0, 0, 0, 1]);
    expect(passing(["gt", "x", "9223372036854775808"], type, column)).toEqual([0, 0, 0, 0]);
    expect(passing(["le", "x", "-9223372036854775808"], type, column)).toEqual([0, 0, 1, 0]);
    const unsigned: DataType = { ...type, signed: false };
    expect(passing(["gt", "x", "9223372036854775807"], unsigned, flat(unsigned, 4, values))).toEqual([0, 0, 1, 0]);
  });
  it("compares with numbers that the column cannot hold", () => {
    const type: DataType = { kind: "int", bits: 8, signed: true };
    const column = flat(type, 3, Int8Array.of(-128, 1, 127));
    expect(passing(["lt", "x", 300], type, column)).toEqual([1, 1, 1]);
    expect(passing(["eq", "x", 300], type, column)).toEqual([0, 0, 0]);
    expect(passing(["gt", "x", 0.5], type, column)).toEqual([0, 1, 1]);
    expect(passing(["le", "x", 1.5], type, column)).toEqual([1, 1, 0]);
    expect(passing(["in", "x", [1.5, 300, 127]], type, column)).toEqual([0, 0, 1]);
    expect(passing(["not", ["in", "x", [1.5]]], type, column)).toEqual([1, 1, 1]);
  });
  it("puts NaN above all, equal to itself, and takes -0 for 0", () => {
    const type: DataType = { kind: "float", bits: 64 };
    const column = flat(type, 4, Float64Array.of(-0, Infinity, Number.NaN, -Infinity));
    expect(passing(["gt", "x", "Infinity"], type, column)).toEqual([0, 0, 1, 0]);
    expect(passing(["eq", "x", "NaN"], type, column)).toEqual([0, 0, 1, 0]);
    expect(passing(["lt", "x", "NaN"], type, column)).toEqual([1, 1, 0, 1]);
    expect(passing(["eq", "x", 0], type, column)).toEqual([1, 0, 0, 0]);
    expect(passing(["in", "x", [0, "NaN"]], type, column)).toEqual([1, 0, 1, 0]);
  });
  it("takes a literal at the column's precision", () => {
    const single: DataType = { kind: "float", bits: 32 };
    expect(passing(["eq", "x", 0.1], single, flat(single, 1, Float32Array.of(0.1)))).toEqual([1]);
    const half: DataType = { kind: "float", bits: 16 };
    // 0x2e66 is the half nearest to 0.1, 0x7bff is 65504.
    const column = flat(half, 3, Uint16Array.of(0x2e66, 0x7bff, 0x7c00));
    expect(passing(["eq", "x", 0.1], half, column)).toEqual([1, 0, 0]);
    expect(passing(["eq", "x", 65_519], half, column)).toEqual([0, 1, 0]);
    expect(passing(["eq", "x", 65_520], half, column)).toEqual([0, 0, 1]);
  });
  it("reads ISO 8601 in the column's unit", () => {
    const day: DataType = { kind: "date", unit: "day" };
    const days = flat(day, 3, Int32Array.of(11_324, 11_325, -719_529));
    expect(passing(["ge", "x", "2001-01-03"], day, days)).toEqual([0, 1, 0]);
    expect(passing(["gt", "x", "2001-01-02T12:00"], day, days)).toEqual([0, 1, 0]);
    expect(passing(["lt", "x", "0000-01-01"], day, days)).toEqual([0, 0, 1]);
    const zoned: DataType = { kind: "timestamp", unit: "us", timezone: "Europe/Vienna" };
    const instants = flat(zoned, 2, BigInt64Array.of(978_480_000_000_000n, 978_480_000_000_001n));
    expect(passing(["gt", "x", "2001-01-03T01:00:00+01:00"], zoned, instants)).toEqual([0, 1]);
    expect(passing(["gt", "x", "2001-01-03T00:00:00.0000005Z"], zoned, instants)).toEqual([0, 1]);
    const time: DataType = { kind: "time", unit: "ms" };
    expect(passing(["eq", "x", "01:02:03.004"], time, flat(time, 1, Int32Array.of(3_723_004)))).toEqual([1]);
    const duration: DataType = { kind: "duration", unit: "s" };
    expect(passing(["lt", "x", "-PT1.5S"], duration, flat(duration, 2, BigInt64Array.of(-2n, -1n)))).toEqual([1, 0]);
  });
});

describe("nested", () => {
  const type: DataType = {
    kind: "struct",
    children: [{ name: "y", type: { kind: "int", bits: 8, signed: true }, nullable: true }],
  };
  const inner = flat({ kind: "int", bits: 8, signed: true }, 3, Int8Array.of(1, 2, 3));
  const column = flat(type, 3, null, { children: [inner], validity: Uint8Array.of(0b101), nullCount: 1 });
  it("a field of a null struct is null", () => {
    expect(passing(["ge", "x.y", 1], type, column)).toEqual([1, 0, 1]);
    expect(passing(["isNull", ["x", "y"]], type, column)).toEqual([0, 1, 0]);
    expect(passing(["isNull", "x"], type, column)).toEqual([0, 1, 0]);
  });
  it("a union is null where its branch is", () => {
    const union: DataType = {
      kind: "union",
      mode: "dense",
      typeIds: [5, 7],
      children: [
        { name: "n", type: { kind: "null" }, nullable: true },
        { name: "i", type: { kind: "int", bits: 8, signed: true }, nullable: true },
      ],
    };
    const children = [
      flat({ kind: "null" }, 1, null, { nullCount: 1 }),
      { ...inner, validity: Uint8Array.of(0b110), nullCount: 1 },
    ];
    const data = flat(union, 3, Int8Array.of(7, 5, 7), { children, offsets: Int32Array.of(0, 0, 2) });
    expect(passing(["isNull", "x"], union, data)).toEqual([1, 1, 0]);
  });
});

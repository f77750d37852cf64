import { describe, expect, it } from "vitest";
import type { Column, Columns } from "../../src/columns.ts";
import { bindPredicate, type ColumnRange, evaluate, mayPass } from "../../src/predicate/index.ts";
import type { ComparisonOperator, Literal, Predicate } from "../../src/predicate/types.ts";
import type { DataType, Schema } from "../../src/schema.ts";
import { Dice } from "../../src/testing/index.ts";

type Value = number | null;

const int: DataType = { kind: "int", bits: 32, signed: true };
const float: DataType = { kind: "float", bits: 64 };
const operators: readonly ComparisonOperator[] = ["eq", "ne", "lt", "le", "gt", "ge"];

function column(type: DataType, values: readonly Value[]): Column {
  const numbers = values.map((value) => value ?? 0);
  const data = type.kind === "int" ? Int32Array.from(numbers) : Float64Array.from(numbers);
  const validity = new Uint8Array((values.length + 7) >> 3);
  values.forEach((value, i) => {
    if (value !== null) validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
  });
  const nullCount = values.filter((value) => value === null).length;
  const bytes = new Uint8Array(data.buffer);
  const rest = { offsets: null, children: [], dictionary: null };
  return { type, length: values.length, nullCount, validity: nullCount === 0 ? null : validity, data: bytes, ...rest };
}

/** True things about the values: as tight as can be, wider, or not said. */
function rangeOf(dice: Dice, values: readonly Value[]): ColumnRange {
  const plain = values.filter((value): value is number => value !== null && !Number.isNaN(value));
  const nullCount = values.filter((value) => value === null).length;
  const bound = (value: number, slack: number): number | undefined =>
    plain.length === 0 || dice.chance(0.2) ? undefined : value + (dice.chance(0.3) ? slack : 0);
  return {
    min: bound(Math.min(...plain), -1),
    max: bound(Math.max(...plain), 1),
    nullCount: dice.chance(0.3) ? undefined : nullCount,
    mayContain: dice.chance(0.5) ? undefined : (key) => plain.some((value) => value === key),
  };
}

function randomPredicate(dice: Dice, depth: number): Predicate {
  if (depth > 0 && dice.chance(0.6)) {
    const part = (): Predicate => randomPredicate(dice, depth - 1);
    return dice.pick<() => Predicate>([
      () => ["not", part()],
      () => ["and", part(), part()],
      () => ["or", part(), part()],
    ])();
  }
  const name = dice.pick(["a", "b"]);
  const literal = (): Literal => {
    if (dice.chance(0.1)) return null;
    if (name === "b" && dice.chance(0.15)) return "NaN";
    return dice.below(8) - 2 + (dice.chance(0.2) ? 0.5 : 0);
  };
  if (dice.chance(0.15)) return ["isNull", name];
  if (dice.chance(0.3)) return ["in", name, Array.from({ length: 1 + dice.below(3) }, literal)];
  return [dice.pick(operators), name, literal()];
}

function prune(predicate: Predicate, type: DataType, rows: number, range: ColumnRange): boolean {
  const schema: Schema = { fields: [{ name: "x", type, nullable: true }], metadata: {} };
  return !mayPass(bindPredicate(predicate, schema), rows, () => range);
}

describe("mayPass", () => {
  it("never rules out rows that pass, and rules out many that do not", () => {
    const dice = new Dice(11);
    const schema: Schema = {
      fields: [
        { name: "a", type: int, nullable: true },
        { name: "b", type: float, nullable: true },
      ],
      metadata: {},
    };
    let empty = 0;
    let pruned = 0;
    for (let run = 0; run < 20_000; run++) {
      const rows = 1 + dice.below(4);
      const base = dice.below(5);
      const value = (nan: boolean): Value =>
        dice.chance(0.2) ? null : nan && dice.chance(0.2) ? Number.NaN : base + dice.below(2);
      const values = [
        Array.from({ length: rows }, () => value(false)),
        Array.from({ length: rows }, () => value(true)),
      ];
      const columns: Columns = {
        rows,
        columns: [column(int, values[0] as Value[]), column(float, values[1] as Value[])],
      };
      const ranges = values.map((each) => rangeOf(dice, each));
      const predicate = randomPredicate(dice, 3);
      const bound = bindPredicate(predicate, schema);
      const passes = evaluate(bound, columns).includes(1);
      const may = mayPass(bound, rows, ({ indices }) => ranges[indices[0] as number]);
      if (passes) expect(may, `${JSON.stringify(predicate)} on ${JSON.stringify({ values, ranges })}`).toBe(true);
      else {
        empty++;
        if (!may) pruned++;
      }
    }
    expect(pruned).toBeGreaterThan(empty / 4);
  });

  it("knows nothing of NaN, so that nothing above is ruled out for floats", () => {
    const range = { min: 1, max: 2, nullCount: 0 };
    expect(prune(["gt", "x", 5], int, 10, range)).toBe(true);
    expect(prune(["gt", "x", 5], float, 10, range)).toBe(false);
    expect(prune(["lt", "x", 1], float, 10, range)).toBe(true);
    expect(prune(["eq", "x", "NaN"], float, 10, range)).toBe(false);
  });

  it("takes contradictions for ignorance", () => {
    for (const range of [
      { min: 5, max: 1 },
      { min: Number.NaN, max: 3 },
      { min: 1, max: 2, nullCount: 10 },
    ]) {
      expect(prune(["eq", "x", 100], int, 10, range)).toBe(false);
    }
    expect(prune(["isNull", "x"], int, 10, { nullCount: 11 })).toBe(false);
    expect(prune(["isNull", "x"], int, 10, { nullCount: 0 })).toBe(true);
    expect(prune(["not", ["isNull", "x"]], int, 10, { nullCount: 10 })).toBe(true);
  });

  it("lets bounds be prefixes", () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const range = { min: bytes("ab"), max: bytes("ac"), nullCount: 0 };
    expect(prune(["eq", "x", "abzzz"], { kind: "utf8" }, 3, range)).toBe(false);
    expect(prune(["ne", "x", "ab"], { kind: "utf8" }, 3, range)).toBe(false);
    expect(prune(["gt", "x", "ac"], { kind: "utf8" }, 3, range)).toBe(true);
  });
});

import { type Columns, columnBytes, concatRows, type DataType, sliceRows, takeRows } from "@ingest-ts/core";
import { expect, test } from "vitest";
import { Dice, problemsOf, randomColumn, randomType, valuesOf } from "./random-columns.ts";

const ROUNDS = Number(process.env["INGEST_FUZZ_RUNS"] ?? 600);

function randomRows(dice: Dice, types: DataType[], rows: number): Columns {
  return { rows, columns: types.map((type) => randomColumn(dice, type, rows)) };
}

function table(rows: Columns): unknown[][] {
  expect(rows.columns.flatMap(problemsOf)).toEqual([]);
  expect(rows.columns.map((column) => column.length)).toEqual(rows.columns.map(() => rows.rows));
  return rows.columns.map(valuesOf);
}

function randomTypes(dice: Dice): DataType[] {
  return Array.from({ length: 1 + dice.below(3) }, () => randomType(dice, 3));
}

test("sliceRows equals slicing values, for every kind of column, also of slices", () => {
  for (let seed = 0; seed < ROUNDS; seed++) {
    const dice = new Dice(seed);
    const rows = randomRows(dice, randomTypes(dice), dice.below(40));
    const all = table(rows);
    const from = dice.below(rows.rows + 1);
    const to = from + dice.below(rows.rows - from + 1);
    const part = sliceRows(rows, from, to);
    expect(table(part)).toEqual(all.map((values) => values.slice(from, to)));
    const again = dice.below(part.rows + 1);
    expect(table(sliceRows(part, again, part.rows))).toEqual(all.map((values) => values.slice(from + again, to)));
  }
});

test("takeRows equals picking values, with repeats, long runs and slices", () => {
  for (let seed = 0; seed < ROUNDS; seed++) {
    const dice = new Dice(seed + 10_000);
    const whole = randomRows(dice, randomTypes(dice), 1 + dice.below(120));
    const rows = sliceRows(whole, dice.below(2), whole.rows);
    if (rows.rows === 0) continue;
    const indices: number[] = [];
    while (indices.length < 60) {
      const start = dice.below(rows.rows);
      const length = dice.next() < 0.3 ? 1 + dice.below(rows.rows - start) : 1;
      for (let i = 0; i < length; i++) indices.push(start + i);
    }
    const all = table(rows);
    expect(table(takeRows(rows, Int32Array.from(indices)))).toEqual(all.map((v) => indices.map((i) => v[i])));
  }
});

test("concatRows equals joining values", () => {
  for (let seed = 0; seed < ROUNDS; seed++) {
    const dice = new Dice(seed + 20_000);
    const types = randomTypes(dice);
    const parts = Array.from({ length: 1 + dice.below(4) }, () => {
      const part = randomRows(dice, types, dice.below(25));
      return sliceRows(part, dice.below(part.rows + 1), part.rows);
    });
    const joined = types.map((_, c) => parts.flatMap((part) => valuesOf(part.columns[c] as never)));
    expect(table(concatRows(parts))).toEqual(joined);
  }
});

test("columnBytes counts what values take, not what slices share", () => {
  const data = new Uint8Array(1_000);
  const strings: Columns = {
    rows: 3,
    columns: [
      {
        type: { kind: "utf8" },
        length: 3,
        nullCount: 0,
        validity: null,
        offsets: Int32Array.of(10, 20, 25, 1_000),
        data,
        children: [],
        dictionary: null,
      },
    ],
  };
  expect(columnBytes(strings)).toBe(990 + 16);
  expect(columnBytes(sliceRows(strings, 0, 2))).toBe(15 + 12);
  for (let seed = 0; seed < 200; seed++) {
    const dice = new Dice(seed + 30_000);
    const type = randomType(dice, 3);
    if (JSON.stringify(type).includes('"dense"')) continue;
    const rows = randomRows(dice, [type], 30);
    const part = sliceRows(rows, 3, 21);
    const compact = takeRows(
      part,
      Int32Array.from({ length: 18 }, (_, i) => i),
    );
    expect(columnBytes(part)).toBe(columnBytes(compact));
  }
});

test("64-bit values keep their bits: a signalling NaN is not touched", () => {
  const bits = BigInt64Array.of(0x7ff0000000000001n, -1n, 0x7ff8000000000000n);
  const column = {
    type: { kind: "int", bits: 64, signed: true },
    length: 3,
    nullCount: 0,
    validity: null,
    offsets: null,
    data: new Uint8Array(bits.buffer),
    children: [],
    dictionary: null,
  } as const;
  const taken = takeRows({ rows: 3, columns: [column] }, Int32Array.of(2, 0, 1, 0)).columns[0]?.data as Uint8Array;
  expect([...new BigInt64Array(taken.buffer)]).toEqual([bits[2], bits[0], bits[1], bits[0]]);
});

test("defects of the caller are told", () => {
  const rows = randomRows(new Dice(1), [{ kind: "bool" }], 4);
  expect(() => sliceRows(rows, 2, 5)).toThrow(RangeError);
  expect(() => takeRows(rows, Int32Array.of(0, 4))).toThrow(RangeError);
  expect(() => takeRows(rows, Int32Array.of(-1))).toThrow(RangeError);
  expect(() => concatRows([])).toThrow(RangeError);
});

test("dictionaries that differ are joined; too many entries for the index are refused", () => {
  const dice = new Dice(7);
  const type: DataType = {
    kind: "dictionary",
    index: { kind: "int", bits: 8, signed: true },
    value: { kind: "int", bits: 16, signed: true },
    ordered: false,
  };
  const parts = [0, 1].map(() => ({
    rows: 2,
    columns: [{ ...randomColumn(dice, type, 2), dictionary: randomColumn(dice, type.value, 100) }],
  }));
  expect(() => concatRows(parts)).toThrow(/200 dictionary entries do not fit indices of 8 bits/);
});

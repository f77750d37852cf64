import {
  byteWidthOf,
  type Column,
  type DataType,
  type Field,
  getBit,
  halfToNumber,
  type Schema,
  type TimeUnit,
} from "@ingest-ts/core";
import { Dice, flatTypes, randomColumns, randomSchema, valuesOf } from "@ingest-ts/core/testing";
import { describe, expect, it, test } from "vitest";
import { refineTimestamps } from "../../src/dataset/widen.ts";
import { adapterOf } from "../../src/dataset/adapt.ts";
import { uniteTypes } from "../../src/dataset/unite-types.ts";

const none = (): undefined => undefined;
const schemaOf = (type: DataType, name = "a"): Schema => ({
  fields: [{ name, type, nullable: true }],
  metadata: {},
});

/** What the bytes mean, in a form that does not depend on their width: the slow twin. */
function meaning({ type, data, validity }: Column, i: number): string | null {
  if (validity !== null && !getBit(validity, i)) return null;
  const width = byteWidthOf(type);
  const bytes = (data as Uint8Array).slice(i * width, (i + 1) * width);
  if (type.kind === "float") {
    const view = new DataView(bytes.buffer);
    if (width === 2) return floatText(halfToNumber(view.getUint16(0, true)));
    return floatText(width === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true));
  }
  let value = 0n;
  for (let k = width - 1; k >= 0; k--) value = value * 256n + BigInt(bytes[k] as number);
  const signed = type.kind === "decimal" || (type.kind === "int" && type.signed);
  if (signed && value >> BigInt(width * 8 - 1) === 1n) value -= 1n << BigInt(width * 8);
  return type.kind === "decimal" ? `${value * 10n ** BigInt(100 - type.scale)}` : `${value}`;
}

function floatText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

const numeric = flatTypes.filter(({ kind }) => kind === "int" || kind === "float" || kind === "decimal");

describe("a wider type holds just the same values", () => {
  const pairs = numeric.flatMap((a) => numeric.map((b) => [a, b] as const));
  const united = pairs.flatMap(([a, b]) => {
    const to = uniteTypes(a, b);
    return to === undefined ? [] : [{ a, b, to }];
  });

  it("for every pair of numbers that can be united", () => {
    expect(united.length).toBeGreaterThan(60);
    for (const [i, { a, to }] of united.entries()) {
      const schema = schemaOf(a);
      const columns = randomColumns(new Dice(i), schema, 200);
      const out = adapterOf(schema, schemaOf(to), none)?.(columns) ?? columns;
      const [before, after] = [columns.columns[0] as Column, out.columns[0] as Column];
      expect(after).toMatchObject({ type: to, length: before.length, nullCount: before.nullCount });
      for (let row = 0; row < 200; row++) expect(meaning(after, row)).toBe(meaning(before, row));
    }
  });

  it("text, bytes and lists with longer offsets, in slices too", () => {
    const item: Field = { name: "item", type: { kind: "int", bits: 16, signed: false }, nullable: true };
    const types: [DataType, DataType][] = [
      [{ kind: "utf8" }, { kind: "largeUtf8" }],
      [{ kind: "binary" }, { kind: "largeBinary" }],
      [
        { kind: "list", child: item },
        { kind: "largeList", child: item },
      ],
    ];
    for (const [a, b] of types) {
      expect(uniteTypes(a, b)).toEqual(b);
      expect(uniteTypes(b, a)).toEqual(b);
      const columns = randomColumns(new Dice(7), schemaOf(a), 100);
      const out = adapterOf(schemaOf(a), schemaOf(b), none)?.(columns).columns[0] as Column;
      expect(out.offsets).toBeInstanceOf(BigInt64Array);
      expect(valuesOf(out)).toEqual(valuesOf(columns.columns[0] as Column));
    }
  });

  it("nothing changes for any type united with itself or with nulls, and missing columns are null", () => {
    for (let seed = 0; seed < 60; seed++) {
      const dice = new Dice(seed);
      const own = randomSchema(dice);
      const wide: Schema = {
        ...own,
        fields: [...own.fields, { name: "more", type: { kind: "bool" }, nullable: true }],
      };
      for (const { type } of own.fields) {
        expect(uniteTypes(type, type)).toEqual(type);
        expect(uniteTypes({ kind: "null" }, type)).toEqual(type);
      }
      const columns = randomColumns(dice, own, 30);
      expect(adapterOf(own, own, none)).toBeUndefined();
      const out = adapterOf(own, wide, none)?.(columns);
      expect(out?.columns.slice(0, -1)).toEqual(columns.columns);
      const empty = adapterOf({ fields: [], metadata: {} }, own, none)?.({ rows: 30, columns: [] });
      for (const [i, column] of (empty?.columns ?? []).entries()) {
        if (column.type.kind === "union") continue;
        expect([i, valuesOf(column)]).toEqual([i, Array.from({ length: 30 }, () => null)]);
      }
    }
  });
});

describe("decimals", () => {
  it("refuse a value with more digits than its type allows", () => {
    const type: DataType = { kind: "decimal", bits: 128, precision: 38, scale: 0 };
    const data = new Uint8Array(16).fill(0xff);
    data[15] = 0x7f;
    const column: Column = {
      type,
      length: 1,
      nullCount: 0,
      validity: null,
      offsets: null,
      data,
      children: [],
      dictionary: null,
    };
    const adapt = adapterOf(schemaOf(type), schemaOf({ ...type, scale: 2 }), none);
    expect(() => adapt?.({ rows: 1, columns: [column] })).toThrow(/more digits than its type allows/);
  });
});

test("timestamps in a finer unit: every bit counts, and what does not fit is refused", () => {
  const most = 2n ** 63n - 1n;
  const values = [0n, 1n, -1n, 999n, -999n, 2n ** 32n, -(2n ** 32n) - 5n, most / 1000n, -(most / 1000n)];
  const column = (numbers: bigint[]): Column => ({
    type: { kind: "timestamp", unit: "ms", timezone: null },
    length: numbers.length,
    nullCount: 0,
    validity: null,
    offsets: null,
    data: new Uint8Array(BigInt64Array.from(numbers).buffer),
    children: [],
    dictionary: null,
  });
  const refined = (numbers: bigint[], from: TimeUnit, to: TimeUnit): bigint[] => [
    ...new BigInt64Array(refineTimestamps(column(numbers), from, to).buffer),
  ];
  expect(refined(values, "ms", "us")).toEqual(values.map((value) => value * 1000n));
  const small = values.filter((value) => value < 2n ** 33n && value > -(2n ** 33n));
  expect(refined(small, "s", "ns")).toEqual(small.map((value) => value * 1_000_000_000n));
  for (const far of [most / 1000n + 1n, -(most / 1000n) - 2n, most, -most]) {
    expect(() => refined([0n, far], "us", "ns")).toThrow("timestamp 1 of a batch does not fit");
  }
});

import type { Column, DataType, Field } from "@ingest-ts/core";
import { describe, expect, it } from "vitest";
import { toParquetSchema } from "../../src/parquet/schema.ts";
import { shred } from "../../src/parquet/shred.ts";
import { column, fixedColumn, schemaOf } from "./support.ts";

const int32: DataType = { kind: "int", bits: 32, signed: true };
const item = (type: DataType, nullable = true): Field => ({ name: "item", type, nullable });
const ints = (...values: number[]): Column => fixedColumn(int32, Int32Array.from(values));

interface Entry {
  readonly r: number;
  readonly d: number;
}

function shredAll(type: DataType, root: Column, nullable = true): { entries: Entry[]; places: number[] } {
  const [leaf] = toParquetSchema(schemaOf(type, nullable)).leaves;
  const found = shred(root, leaf?.steps ?? [], 0, root.length);
  const entries = Array.from({ length: found.entries }, (_, i) => ({
    r: found.repetitions?.[i] ?? 0,
    d: typeof found.definitions === "number" ? found.definitions : (found.definitions[i] as number),
  }));
  const places = Array.from({ length: found.length }, (_, i) => found.indices?.[i] ?? found.start + i);
  return { entries, places };
}

describe("levels and places of a leaf", () => {
  it("tells a null list, an empty list and a list of null apart", () => {
    const type: DataType = { kind: "list", child: item(int32) };
    const items = fixedColumn(int32, Int32Array.of(7, 0, 9), [true, false, true]);
    // [7], null, [], [null, 9]
    const root = {
      ...column(type, 4, [true, false, true, true]),
      offsets: Int32Array.of(0, 1, 1, 1, 3),
      children: [items],
    };
    expect(shredAll(type, root)).toEqual({
      entries: [
        { r: 0, d: 3 },
        { r: 0, d: 0 },
        { r: 0, d: 1 },
        { r: 0, d: 2 },
        { r: 1, d: 3 },
      ],
      places: [0, 2],
    });
  });

  it("skips items that lie under a null list", () => {
    const type: DataType = { kind: "list", child: item(int32, false) };
    const root = {
      ...column(type, 3, [true, false, true]),
      offsets: Int32Array.of(1, 2, 4, 5),
      children: [ints(0, 1, 2, 3, 4)],
    };
    expect(shredAll(type, root)).toEqual({
      entries: [
        { r: 0, d: 2 },
        { r: 0, d: 0 },
        { r: 0, d: 2 },
      ],
      places: [1, 4],
    });
  });

  it("repeats at the level of the list that goes on", () => {
    const inner: DataType = { kind: "list", child: item(int32, false) };
    const type: DataType = { kind: "list", child: item(inner, false) };
    // [[1, 2], [3]], [[4]]
    const lists = { ...column(inner, 3), offsets: Int32Array.of(0, 2, 3, 4), children: [ints(1, 2, 3, 4)] };
    const root = { ...column(type, 2), offsets: Int32Array.of(0, 2, 3), children: [lists] };
    expect(shredAll(type, root, false).entries).toEqual([
      { r: 0, d: 2 },
      { r: 2, d: 2 },
      { r: 1, d: 2 },
      { r: 0, d: 2 },
    ]);
  });

  it("stops at a null struct, whatever lies below it", () => {
    const type: DataType = { kind: "struct", children: [item(int32)] };
    const child = fixedColumn(int32, Int32Array.of(1, 2, 3), [true, true, false]);
    const root = { ...column(type, 3, [true, false, true]), children: [child] };
    expect(shredAll(type, root)).toEqual({ entries: [2, 0, 1].map((d) => ({ r: 0, d })), places: [0] });
  });

  it("skips the slots of null fixed-size lists", () => {
    const type: DataType = { kind: "fixedSizeList", size: 2, child: item(int32, false) };
    const root = { ...column(type, 3, [true, false, true]), children: [ints(1, 2, 3, 4, 5, 6)] };
    expect(shredAll(type, root).places).toEqual([0, 1, 4, 5]);
  });

  it("makes a null of an index that points at a null value", () => {
    const index = { kind: "int", bits: 8, signed: false } as const;
    const type: DataType = { kind: "dictionary", index, value: int32, ordered: false };
    const dictionary = fixedColumn(int32, Int32Array.of(5, 0), [true, false]);
    const root = { ...fixedColumn(type, Uint8Array.of(0, 1, 0)), dictionary };
    expect(shredAll(type, root)).toEqual({ entries: [1, 0, 1].map((d) => ({ r: 0, d })), places: [0, 0] });
  });

  it.each([
    ["int8", Int8Array.of(-1), 8, true],
    ["uint16", Uint16Array.of(40_000), 16, false],
    ["int64", BigInt64Array.of(2n ** 40n), 64, true],
    ["uint64", BigUint64Array.of(2n ** 63n), 64, false],
  ] as const)("refuses a dictionary index outside its dictionary: %s", (_, data, bits, signed) => {
    const type: DataType = { kind: "dictionary", index: { kind: "int", bits, signed }, value: int32, ordered: false };
    const root = { ...fixedColumn(type, data), dictionary: ints(1) };
    expect(() => shredAll(type, root)).toThrow(/index -?\d+ is outside \[0, 1\)/);
  });

  it("refuses nulls where the schema has none, also behind an index", () => {
    expect(() => shredAll(int32, fixedColumn(int32, Int32Array.of(1, 2), [true, false]), false)).toThrow(/non-null/);
    const index = { kind: "int", bits: 32, signed: true } as const;
    const type: DataType = { kind: "dictionary", index, value: int32, ordered: false };
    const dictionary = fixedColumn(int32, Int32Array.of(5, 0), [true, false]);
    expect(() => shredAll(type, { ...fixedColumn(type, Int32Array.of(1)), dictionary }, false)).toThrow(/non-null/);
  });

  it("refuses offsets that point outside the items", () => {
    const type: DataType = { kind: "list", child: item(int32) };
    const root = { ...column(type, 2), offsets: Int32Array.of(0, 1, 5), children: [ints(1, 2)] };
    expect(() => shredAll(type, root)).toThrow(/list 1 spans items 1 to 5 of 2/);
    const backward = { ...root, offsets: Int32Array.of(0, 2, 1) };
    expect(() => shredAll(type, backward)).toThrow(/list 1 spans items 2 to 1/);
  });
});

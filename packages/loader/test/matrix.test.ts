import type { Column, Columns, DataType, Schema } from "@ingest-ts/core";
import { expect, test } from "vitest";
import { BlockMatrix, matrixPlan } from "../src/matrix.ts";

const none = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };

function column(type: DataType, values: ArrayBufferView, length: number, nulls?: Partial<Column>): Column {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { ...none, type, length, data, ...nulls };
}

const columns: Record<string, Column> = {
  float: column({ kind: "float", bits: 32 }, Float32Array.of(0.5, -0, 3), 3),
  double: column({ kind: "float", bits: 64 }, Float64Array.of(1e300, 0.1, -1), 3),
  half: column({ kind: "float", bits: 16 }, Uint16Array.of(0x3c00, 0xc000, 0x7c00), 3),
  byte: column({ kind: "int", bits: 8, signed: true }, Int8Array.of(-128, 0, 127), 3),
  short: column({ kind: "int", bits: 16, signed: false }, Uint16Array.of(65_535, 1, 2), 3),
  int: column({ kind: "int", bits: 32, signed: true }, Int32Array.of(-1, 2, 3), 3),
  long: column({ kind: "int", bits: 64, signed: true }, BigInt64Array.of(-5n, 2n ** 40n, -(2n ** 52n) - 1n), 3),
  wide: column({ kind: "int", bits: 64, signed: false }, BigUint64Array.of(2n ** 63n, 1n, 0n), 3),
  bool: column({ kind: "bool" }, Uint8Array.of(0b101), 3),
  nulls: column({ kind: "int", bits: 32, signed: true }, Int32Array.of(7, 8, 9), 3, {
    nullCount: 1,
    validity: Uint8Array.of(0b101),
  }),
};
columns["text"] = {
  ...none,
  type: { kind: "utf8" },
  length: 3,
  offsets: Int32Array.of(0, 0, 0, 0),
  data: new Uint8Array(0),
};
columns["vector"] = {
  ...none,
  type: { kind: "fixedSizeList", size: 2, child: { name: "item", type: { kind: "float", bits: 32 }, nullable: true } },
  length: 3,
  data: null,
  nullCount: 1,
  validity: Uint8Array.of(0b011),
  children: [
    column({ kind: "float", bits: 32 }, Float32Array.of(1, 2, 3, 4, 5, 6), 6, {
      nullCount: 1,
      validity: Uint8Array.of(0b110111),
    }),
  ],
};
columns["struct"] = {
  ...none,
  type: { kind: "struct", children: [{ name: "x", type: { kind: "int", bits: 32, signed: true }, nullable: false }] },
  length: 3,
  data: null,
  nullCount: 1,
  validity: Uint8Array.of(0b110),
  children: [column({ kind: "int", bits: 32, signed: true }, Int32Array.of(4, 5, 6), 3)],
};

const schema: Schema = {
  fields: Object.entries(columns).map(([name, { type }]) => ({ name, type, nullable: true })),
  metadata: {},
};
const block: Columns = { rows: 3, columns: Object.values(columns) };

function matrix(names: string[], from = 0, to = 3): number[] {
  return [...new BlockMatrix(block, matrixPlan(names, schema)).rows(from, to, Float64Array)];
}

test("numbers of every kind, row by row", () => {
  expect(matrix(["float", "double"])).toEqual([0.5, 1e300, -0, 0.1, 3, -1]);
  expect(matrix(["half", "byte", "short"])).toEqual([1, -128, 65_535, -2, 0, 1, Infinity, 127, 2]);
  expect(matrix(["int", "long", "wide"])).toEqual([-1, -5, 2 ** 63, 2, 2 ** 40, 1, 3, -(2 ** 52) - 1, 0]);
  expect(matrix(["bool"])).toEqual([1, 0, 1]);
  expect(matrix(["int"], 1, 2)).toEqual([2]);
});

test("null is NaN, also inside lists and structs; lists of fixed size are several columns", () => {
  expect(matrix(["nulls"])).toEqual([7, NaN, 9]);
  expect(matrix(["vector", "int"])).toEqual([1, 2, -1, 3, NaN, 2, NaN, NaN, 3]);
  expect(matrix(["struct.x"])).toEqual([NaN, 5, 6]);
});

test("float32 is the nearest number", () => {
  const plan = matrixPlan(["long"], schema);
  expect([...new BlockMatrix(block, plan).rows(0, 3, Float32Array)]).toEqual([
    -5,
    2 ** 40,
    Math.fround(-(2 ** 52) - 1),
  ]);
});

test("columns that hold no numbers are refused", () => {
  expect(() => matrixPlan(["text"], schema)).toThrow(/the column is utf8 \(column "text"\)/);
  expect(() => matrixPlan(["struct"], schema)).toThrow(/struct/);
  expect(() => matrixPlan(["missing"], schema)).toThrow(/no column "missing"/);
});

test("many rows go through several tiles", () => {
  const values = Float32Array.from({ length: 1_000 }, (_, i) => i);
  const rows: Columns = { rows: 1_000, columns: [0, 1].map(() => column({ kind: "float", bits: 32 }, values, 1_000)) };
  const fields = ["a", "b"].map((name) => ({ name, type: { kind: "float", bits: 32 } as const, nullable: false }));
  const out = new BlockMatrix(rows, matrixPlan(["b", "a"], { fields, metadata: {} })).rows(130, 700, Float32Array);
  expect([...out]).toEqual(Array.from({ length: 570 * 2 }, (_, i) => 130 + (i >> 1)));
});

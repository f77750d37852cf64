import type { Column, DataType, Schema } from "@ingest-ts/core";
import { describe, expect, it } from "vitest";
import { castColumn, castColumns, CastError } from "../../src/bench/cast.ts";

const int64: DataType = { kind: "int", bits: 64, signed: true };

function column(type: DataType, length: number, parts: Partial<Column>): Column {
  return {
    type,
    length,
    nullCount: 0,
    validity: null,
    offsets: null,
    data: null,
    children: [],
    dictionary: null,
    ...parts,
  };
}

function words(...values: bigint[]): Column {
  return column(int64, values.length, { data: new Uint8Array(BigInt64Array.from(values).buffer) });
}

function listOf(item: Column, offsets: number[], parts: Partial<Column> = {}): Column {
  const type: DataType = { kind: "list", child: { name: "item", type: item.type, nullable: true } };
  return column(type, offsets.length - 1, { offsets: Int32Array.from(offsets), children: [item], ...parts });
}

describe("castColumn", () => {
  it("keeps 64-bit words and narrows what fits", () => {
    const timestamp: DataType = { kind: "timestamp", unit: "us", timezone: null };
    expect(castColumn(words(5n, -5n), timestamp)).toMatchObject({ type: timestamp, data: words(5n, -5n).data });
    const narrow = castColumn(words(127n, -128n), { kind: "int", bits: 8, signed: true });
    expect([...new Int8Array((narrow.data as Uint8Array).buffer)]).toEqual([127, -128]);
    const bits = castColumn(words(1n, 0n, 1n), { kind: "bool" });
    expect(bits.data).toEqual(Uint8Array.of(0b101));
  });

  it("refuses values outside the type", () => {
    expect(() => castColumn(words(128n), { kind: "int", bits: 8, signed: true })).toThrow(CastError);
    expect(() => castColumn(words(-1n), { kind: "int", bits: 32, signed: false })).toThrow(CastError);
    expect(() => castColumn(words(2n ** 40n), { kind: "date", unit: "day" })).toThrow(CastError);
    expect(() => castColumn(words(2n), { kind: "bool" })).toThrow(CastError);
    expect(() => castColumn(words(1n), { kind: "utf8" })).toThrow(CastError);
  });

  it("reads lists of at most one value as values and nulls", () => {
    const dense = castColumn(listOf(words(7n, 8n), [0, 1, 2]), int64);
    expect(dense).toMatchObject({ length: 2, nullCount: 0 });
    const sparse = castColumn(
      listOf(words(7n, 8n), [0, 1, 1, 2], { nullCount: 1, validity: Uint8Array.of(0b101) }),
      int64,
    );
    expect(sparse).toMatchObject({ length: 3, nullCount: 1, validity: Uint8Array.of(0b101) });
    expect([...new BigInt64Array((sparse.data as Uint8Array).buffer)]).toEqual([7n, 0n, 8n]);
    expect(() => castColumn(listOf(words(7n, 8n), [0, 2]), int64)).toThrow(/2 values/);
  });

  it("reads bytes as text, also in lists with absent ones", () => {
    const bytes = column({ kind: "binary" }, 2, { offsets: Int32Array.of(0, 1, 3), data: Uint8Array.of(97, 98, 99) });
    const text = castColumn(listOf(bytes, [0, 1, 1, 2], { nullCount: 1, validity: Uint8Array.of(0b101) }), {
      kind: "utf8",
    });
    expect(text).toMatchObject({ type: { kind: "utf8" }, nullCount: 1, offsets: Int32Array.of(0, 1, 1, 3) });
    const fixed = castColumn(
      column({ kind: "binary" }, 2, { offsets: Int32Array.of(0, 2, 4), data: Uint8Array.of(1, 2, 3, 4) }),
      { kind: "fixedSizeBinary", byteWidth: 2 },
    );
    expect(fixed.data).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it("gives a column without any value the type it has to have", () => {
    const nothing = castColumn(column({ kind: "null" }, 3, { nullCount: 3 }), { kind: "utf8" });
    expect(nothing).toMatchObject({ type: { kind: "utf8" }, length: 3, nullCount: 3, offsets: new Int32Array(4) });
  });
});

describe("castColumns", () => {
  it("finds columns by name", () => {
    const schema = (...names: string[]): Schema => ({
      fields: names.map((name) => ({ name, type: int64, nullable: true })),
      metadata: {},
    });
    const cast = castColumns({ rows: 1, columns: [words(1n), words(2n)] }, schema("b", "a"), schema("a", "b"));
    expect(cast.columns.map(({ data }) => data?.[0])).toEqual([2, 1]);
    expect(() => castColumns({ rows: 1, columns: [words(1n)] }, schema("b"), schema("a"))).toThrow(/"a" is missing/);
  });
});

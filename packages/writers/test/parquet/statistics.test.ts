import type { DataType } from "@ingest-ts/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lowerBound, upperBound } from "../../src/columns/bounds.ts";
import { toParquetSchema } from "../../src/parquet/schema.ts";
import { type Bounds, ChunkStatistics } from "../../src/parquet/statistics.ts";
import type { Values } from "../../src/columns/values.ts";
import { schemaOf, textColumn } from "./support.ts";

function boundsOf(type: DataType, ...batches: readonly Values[]): Bounds | undefined {
  const [leaf] = toParquetSchema(schemaOf(type)).leaves;
  if (leaf === undefined) throw new Error("no leaf");
  const statistics = new ChunkStatistics(leaf);
  for (const batch of batches) statistics.update(batch);
  return statistics.finish();
}

function words(array: Float32Array | Float64Array | Int32Array | BigInt64Array | BigUint64Array): Values {
  const perValue = array.BYTES_PER_ELEMENT === 8 ? 2 : 1;
  return { form: "words", count: array.length, perValue, words: new Int32Array(array.buffer) };
}

const float64: DataType = { kind: "float", bits: 64 };
const doubles = (bounds: Bounds | undefined): (number | undefined)[] =>
  [bounds?.min, bounds?.max].map((bytes) => bytes && new DataView(bytes.buffer).getFloat64(0, true));

describe("min and max of a chunk", () => {
  it("leave NaN out and widen zeros", () => {
    expect(doubles(boundsOf(float64, words(Float64Array.of(NaN, 2, NaN, -3))))).toEqual([-3, 2]);
    expect(doubles(boundsOf(float64, words(Float64Array.of(0))))).toEqual([-0, 0]);
    expect(doubles(boundsOf(float64, words(Float64Array.of(-0)), words(Float64Array.of(NaN))))).toEqual([-0, 0]);
    expect(boundsOf(float64, words(Float64Array.of(NaN, NaN)))).toBeUndefined();
  });

  it("are absent without values and for null columns", () => {
    expect(boundsOf(float64)).toBeUndefined();
    expect(boundsOf({ kind: "null" }, words(Int32Array.of(1)))).toBeUndefined();
  });

  it("order integers by their sign and unsigned ones without", () => {
    const int64: DataType = { kind: "int", bits: 64, signed: true };
    const values = [-(2n ** 63n), -1n, 0n, 2n ** 32n, 2n ** 63n - 1n, 2n ** 31n];
    const integers = (bounds: Bounds | undefined, signed: boolean): (bigint | undefined)[] =>
      [bounds?.min, bounds?.max].map((bytes) => {
        const raw = bytes && new DataView(bytes.buffer).getBigUint64(0, true);
        return raw === undefined ? undefined : signed ? BigInt.asIntN(64, raw) : raw;
      });
    expect(integers(boundsOf(int64, words(BigInt64Array.from(values))), true)).toEqual([-(2n ** 63n), 2n ** 63n - 1n]);
    expect(integers(boundsOf({ ...int64, signed: false }, words(BigInt64Array.from(values))), false)).toEqual([
      0n,
      2n ** 64n - 1n,
    ]);
    const int32 = boundsOf({ kind: "int", bits: 32, signed: false }, words(Int32Array.of(-1, 5)));
    expect([[...(int32?.min ?? [])], [...(int32?.max ?? [])]]).toEqual([
      [5, 0, 0, 0],
      [255, 255, 255, 255],
    ]);
  });

  it("order halves as numbers, without NaN", () => {
    const bits = Uint16Array.of(0x3c00, 0xfe00, 0xbc00, 0x0000, 0x7c01);
    const values: Values = { form: "fixed", count: 5, width: 2, bytes: new Uint8Array(bits.buffer) };
    expect(boundsOf({ kind: "float", bits: 16 }, values)).toMatchObject({
      min: Uint8Array.of(0, 0xbc),
      max: Uint8Array.of(0, 0x3c),
    });
  });

  it("order decimals as signed numbers and bytes as unsigned ones", () => {
    const bytes = Uint8Array.from([0x00, 1, 0xff, 0xfe, 0x7f, 0]);
    const values: Values = { form: "fixed", count: 3, width: 2, bytes };
    const wide: DataType = { kind: "decimal", bits: 128, precision: 20, scale: 0 };
    expect(boundsOf(wide, values)).toMatchObject({ min: Uint8Array.of(0xff, 0xfe), max: Uint8Array.of(0x7f, 0) });
    expect(boundsOf({ kind: "fixedSizeBinary", byteWidth: 2 }, values)).toMatchObject({
      min: Uint8Array.of(0, 1),
      max: Uint8Array.of(0xff, 0xfe),
    });
  });

  it("order text by bytes, a prefix first", () => {
    const { offsets, data } = textColumn(["b", "ab", "a", "é"]);
    const ends = offsets as Int32Array;
    const values: Values = {
      form: "varying",
      count: 4,
      bytes: data as Uint8Array,
      starts: ends.subarray(0, 4),
      ends: ends.subarray(1),
    };
    expect(boundsOf({ kind: "utf8" }, values)).toEqual({
      min: new TextEncoder().encode("a"),
      max: new TextEncoder().encode("é"),
      minExact: true,
      maxExact: true,
    });
  });
});

describe("bounds of long values", () => {
  const compare = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b);

  it("enclose the value, are short, and stay UTF-8", () => {
    const text = fc.string({ unit: "binary", maxLength: 40 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 12 }), (value, maxBytes) => {
        const bytes = new TextEncoder().encode(value);
        const low = lowerBound(bytes, maxBytes, true);
        const high = upperBound(bytes, maxBytes, true);
        expect(low.length).toBeLessThanOrEqual(maxBytes);
        expect(compare(low, bytes)).toBeLessThanOrEqual(0);
        if (high !== undefined) expect(compare(high, bytes)).toBeGreaterThanOrEqual(0);
        for (const bound of [low, high]) if (bound) new TextDecoder("utf-8", { fatal: true }).decode(bound);
      }),
      { numRuns: 200 },
    );
  });

  it("enclose bytes, and are absent when nothing is above", () => {
    const value = Uint8Array.of(1, 0xff, 0xff, 7);
    expect(upperBound(value, 3, false)).toEqual(Uint8Array.of(2));
    expect(upperBound(Uint8Array.of(255, 255, 255), 2, false)).toBeUndefined();
    expect(upperBound(new TextEncoder().encode("\u{10ffff}\u{10ffff}"), 4, true)).toBeUndefined();
    expect(upperBound(new TextEncoder().encode("\u{feff}aaaa"), 3, true)).toEqual(new TextEncoder().encode("\u{ff00}"));
  });

  it("give no upper bound for text that is not UTF-8", () => {
    expect(upperBound(Uint8Array.of(0xc0, 0xc1, 0xc2, 0xc3), 2, true)).toBeUndefined();
  });
});

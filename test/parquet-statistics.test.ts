// Statistics that lie, or say less than they seem to: no row group is ruled out by them. The files are by our writer;
// their statistics are exchanged for what other writers have been seen to store.
import { type Columns, type DataType, defaultLimits, type Predicate, type Schema } from "@ingest-ts/core";
import { memorySource } from "@ingest-ts/core/testing";
import { parquet, type ParquetMetadata } from "@ingest-ts/readers/parquet";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { describe, expect, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";

type Bytes = readonly number[];

interface Stored {
  readonly max?: Bytes;
  readonly min?: Bytes;
  readonly nulls?: number;
  readonly maxValue?: Bytes;
  readonly minValue?: Bytes;
}

/** Thrift compact: `struct Statistics`. */
function statistics({ max, min, nulls, maxValue, minValue }: Stored): Uint8Array {
  const fields: [id: number, type: number, content: Bytes][] = [];
  const binary = (id: number, bytes: Bytes | undefined): void => {
    if (bytes !== undefined) fields.push([id, 8, [bytes.length, ...bytes]]);
  };
  binary(1, max);
  binary(2, min);
  if (nulls !== undefined) fields.push([3, 6, [nulls * 2]]);
  binary(5, maxValue);
  binary(6, minValue);
  let last = 0;
  const out = fields.flatMap(([id, type, content]) => {
    const header = ((id - last) << 4) | type;
    last = id;
    return [header, ...content];
  });
  return Uint8Array.from([...out, 0]);
}

const plain = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
const double: DataType = { kind: "float", bits: 64 };
const int32: DataType = { kind: "int", bits: 32, signed: true };
const uint32: DataType = { kind: "int", bits: 32, signed: false };
const text: DataType = { kind: "utf8" };

/** One column x of the one value that is given, in one row group. */
async function metadataOf(type: DataType, value: string | number): Promise<ParquetMetadata> {
  const schema: Schema = { fields: [{ name: "x", type, nullable: true }], metadata: {} };
  const numbers = type === double ? Float64Array.of(Number(value)) : Int32Array.of(Number(value));
  const data = type === text ? new TextEncoder().encode(String(value)) : new Uint8Array(numbers.buffer);
  const offsets = type === text ? Int32Array.of(0, data.length) : null;
  const columns: Columns = { rows: 1, columns: [{ ...plain, type, length: 1, data, offsets }] };
  const sink = memorySink();
  const writer = await createParquetWriter(sink, schema);
  await writer.write(columns);
  await writer.finish();
  return parquet.readMetadata(memorySource(sink.bytes), { dictionary: "decode", limits: defaultLimits });
}

/** Whether the row group is read when its statistics are `stored`. */
function isRead(metadata: ParquetMetadata, stored: Stored, where: Predicate, ordered = true): boolean {
  const rowGroups = metadata.rowGroups.map((group) => ({
    ...group,
    columns: group.columns.map((chunk) => ({ ...chunk, statistics: statistics(stored) })),
  }));
  const changed = { ...metadata, rowGroups, typeOrdered: ordered ? metadata.typeOrdered : [] };
  return parquet.plan(changed, { where, dictionary: "decode", limits: defaultLimits }).length === 1;
}

const float64 = (value: number): Bytes => [...new Uint8Array(Float64Array.of(value).buffer)];
const ascii = (value: string): Bytes => [...new TextEncoder().encode(value)];
const word = (value: number): Bytes => [...new Uint8Array(Int32Array.of(value).buffer)];

describe("statistics of Parquet", () => {
  it("rule out what they deny", async () => {
    const numbers = await metadataOf(int32, 5);
    const stored = { minValue: word(5), maxValue: word(5), nulls: 0 };
    expect(isRead(numbers, stored, ["gt", "x", 5])).toBe(false);
    expect(isRead(numbers, stored, ["isNull", "x"])).toBe(false);
    expect(isRead(numbers, stored, ["ge", "x", 5])).toBe(true);
  });

  it("may be truncated: bounds wider than the values", async () => {
    const words = await metadataOf(text, "pear");
    const stored = { minValue: ascii("p"), maxValue: ascii("q") };
    expect(isRead(words, stored, ["eq", "x", "pear"])).toBe(true);
    expect(isRead(words, stored, ["ne", "x", "p"])).toBe(true);
    expect(isRead(words, stored, ["gt", "x", "q"])).toBe(false);
  });

  it("say nothing of NaN, which is above all", async () => {
    const numbers = await metadataOf(double, Number.NaN);
    const stored = { minValue: float64(1), maxValue: float64(2) };
    expect(isRead(numbers, stored, ["gt", "x", 100])).toBe(true);
    expect(isRead(numbers, stored, ["eq", "x", "NaN"])).toBe(true);
    expect(isRead(numbers, stored, ["ne", "x", 1])).toBe(true);
    expect(isRead(numbers, stored, ["lt", "x", 1])).toBe(false);
  });

  it.each([
    ["min NaN", { minValue: float64(Number.NaN), maxValue: float64(2) }],
    ["max NaN", { minValue: float64(1), maxValue: float64(Number.NaN) }],
    ["min above max", { minValue: float64(2), maxValue: float64(1) }],
    ["bounds of no value", { minValue: float64(2), maxValue: float64(3), nulls: 1 }],
    ["more nulls than rows", { nulls: 7 }],
    ["bounds of another width", { minValue: word(1), maxValue: word(2) }],
    ["nothing", {}],
  ] as const)("that contradict themselves say nothing: %s", async (_, stored) => {
    const numbers = await metadataOf(double, 9);
    for (const where of [
      ["eq", "x", 9],
      ["isNull", "x"],
      ["lt", "x", 0],
    ] as const satisfies Predicate[]) {
      expect(isRead(numbers, stored, where), JSON.stringify(where)).toBe(true);
    }
  });

  it("know both zeros as one", async () => {
    const numbers = await metadataOf(double, -0);
    expect(isRead(numbers, { minValue: float64(0), maxValue: float64(0) }, ["eq", "x", "-0"])).toBe(true);
    expect(isRead(numbers, { minValue: float64(-0), maxValue: float64(-0) }, ["ge", "x", 0])).toBe(true);
  });

  it("of old writers compared text and unsigned numbers as signed, and are not believed", async () => {
    const words = await metadataOf(text, "\u00e9");
    const signedText = { min: ascii("\u00e9"), max: ascii("a") };
    expect(isRead(words, signedText, ["gt", "x", "b"])).toBe(true);
    const large = await metadataOf(uint32, 2 ** 31);
    expect(isRead(large, { min: word(-(2 ** 31)), max: word(1) }, ["eq", "x", 2 ** 31])).toBe(true);
    const numbers = await metadataOf(int32, 5);
    expect(isRead(numbers, { min: word(5), max: word(5) }, ["eq", "x", 6], false)).toBe(false);
  });

  it("without a column order are not believed where the order matters", async () => {
    const words = await metadataOf(text, "pear");
    const stored = { minValue: ascii("x"), maxValue: ascii("y") };
    expect(isRead(words, stored, ["eq", "x", "pear"], false)).toBe(true);
    expect(isRead(words, stored, ["eq", "x", "pear"])).toBe(false);
  });

  it("that are cut off say nothing", async () => {
    const metadata = await metadataOf(int32, 5);
    const rowGroups = metadata.rowGroups.map((group) => ({
      ...group,
      columns: group.columns.map((chunk) => ({ ...chunk, statistics: Uint8Array.of(0x58, 40, 1, 2) })),
    }));
    const select = { where: ["eq", "x", 9], dictionary: "decode", limits: defaultLimits } as const;
    expect(parquet.plan({ ...metadata, rowGroups }, select)).toHaveLength(1);
  });
});

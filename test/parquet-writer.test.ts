// Parquet written and read back by our own reader. test/python/check_parquet.py compares with pyarrow and DuckDB.
import { type ByteSink, type Columns, type Schema } from "@ingest-ts/core";
import {
  Dice,
  flatTypes,
  memorySource,
  type PlainValue,
  randomColumns,
  randomSchema,
  rowsOf,
} from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";
import { createParquetWriter, type ParquetWriterOptions } from "@ingest-ts/writers/parquet";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

class MemorySink implements ByteSink {
  readonly parts: Uint8Array[] = [];
  async write(bytes: Uint8Array): Promise<void> {
    this.parts.push(bytes.slice());
    await Promise.resolve();
  }
  close = (): Promise<void> => Promise.resolve();
  abort = (): Promise<void> => Promise.resolve();
  bytes(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.parts));
  }
}

async function write(schema: Schema, batches: readonly Columns[], options?: ParquetWriterOptions): Promise<Uint8Array> {
  const sink = new MemorySink();
  const writer = await createParquetWriter(sink, schema, options);
  for (const batch of batches) await writer.write(batch);
  await writer.finish();
  return sink.bytes();
}

async function read(bytes: Uint8Array): Promise<{ schema: Schema; rows: PlainValue[][] }> {
  const reader = await open(memorySource(bytes), { dictionary: "preserve" });
  const rows: PlainValue[][] = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
  await reader.close();
  return { schema: reader.schema, rows };
}

const options = fc.record<ParquetWriterOptions>({
  codec: fc.constantFrom("none", "snappy", "zstd", "gzip"),
  dataPageVersion: fc.constantFrom(1, 2),
  dictionary: fc.boolean(),
  pageBytes: fc.constantFrom(64, 1000, 1024 * 1024),
  rowGroupRows: fc.constantFrom(2, 50, 1_000_000),
  rowGroupBytes: fc.constantFrom(300, 1024 * 1024),
  pageCrc: fc.boolean(),
  statistics: fc.boolean(),
});

/** Types that read back as they were: seconds and dates in milliseconds come back in Parquet's own units. */
const kept = flatTypes.filter(
  (type) =>
    !(
      ("unit" in type && type.unit === "s" && type.kind !== "duration") ||
      (type.kind === "date" && type.unit === "ms")
    ),
);

const runs = Number(process.env["INGEST_FUZZ_RUNS"] ?? 150);

describe("Parquet written and read back", () => {
  it("gives equal rows for any schema, batches and options", { timeout: 600_000 }, async () => {
    const inputs = fc.record({
      seed: fc.nat(),
      columns: fc.integer({ min: 1, max: 4 }),
      depth: fc.integer({ min: 0, max: 4 }),
      batches: fc.array(fc.constantFrom(0, 1, 5, 70, 300), { maxLength: 3 }),
      options,
    });
    await fc.assert(
      fc.asyncProperty(inputs, async ({ seed, columns, depth, batches, options: chosen }) => {
        const dice = new Dice(seed);
        const schema = randomSchema(dice, { columns, depth, flat: kept });
        const data = batches.map((rows) => randomColumns(dice, schema, rows));
        const found = await read(await write(schema, data, chosen));
        expect(found.rows).toEqual(data.flatMap(rowsOf));
      }),
      { numRuns: runs },
    );
  });

  it("restores the Arrow types that Parquet lacks, and their metadata", async () => {
    const schema: Schema = {
      fields: [
        { name: "large", type: { kind: "largeUtf8" }, nullable: false, metadata: { unit: "km" } },
        { name: "zone", type: { kind: "timestamp", unit: "ns", timezone: "Asia/Kathmandu" }, nullable: true },
        { name: "duration", type: { kind: "duration", unit: "s" }, nullable: true },
        { name: "wide", type: { kind: "decimal", bits: 256, precision: 5, scale: 1 }, nullable: true },
        {
          name: "fixed",
          type: {
            kind: "fixedSizeList",
            size: 2,
            child: { name: "item", type: { kind: "largeBinary" }, nullable: true },
          },
          nullable: true,
        },
      ],
      metadata: { origin: "test" },
    };
    const found = await read(await write(schema, [randomColumns(new Dice(1), schema, 20)]));
    expect(found.schema.fields[0]).toEqual(schema.fields[0]);
    expect(found.schema.fields.slice(1, 4)).toEqual(schema.fields.slice(1, 4));
    expect(found.schema.fields[4]).toMatchObject({
      type: { kind: "fixedSizeList", size: 2, child: { type: { kind: "largeBinary" } } },
    });
    expect(found.schema.metadata).toMatchObject({ origin: "test" });
  });

  it("stores seconds as milliseconds and dates in milliseconds as days", async () => {
    const types = [
      { kind: "time", unit: "s" },
      { kind: "timestamp", unit: "s", timezone: null },
      { kind: "date", unit: "ms" },
    ] as const;
    const fields = types.map((type) => ({ name: type.kind, type, nullable: false }));
    const columns = [Int32Array.of(86_399), BigInt64Array.of(-5n), BigInt64Array.of(-86_400_000n)].map((data, i) => ({
      type: types[i] as (typeof types)[number],
      length: 1,
      nullCount: 0,
      validity: null,
      offsets: null,
      data: new Uint8Array(data.buffer),
      children: [],
      dictionary: null,
    }));
    const { schema, rows } = await read(await write({ fields, metadata: {} }, [{ rows: 1, columns }]));
    expect(schema.fields.map((field) => field.type)).toEqual([
      { kind: "time", unit: "ms" },
      { kind: "timestamp", unit: "ms", timezone: null },
      { kind: "date", unit: "day" },
    ]);
    const numbers = [Int32Array.of(86_399_000), BigInt64Array.of(-5000n), Int32Array.of(-1)];
    expect(rows[0]).toEqual(numbers.map((number) => Buffer.from(number.buffer).toString("hex")));
  });
});

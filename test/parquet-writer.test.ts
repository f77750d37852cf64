// Parquet written and read back by our own reader. test/python/check_parquet.py compares with pyarrow and DuckDB.
import { type ByteSink, type Columns, type Schema } from "@ingest-ts/core";
import { Dice, memorySource, type PlainValue, randomColumns, randomSchema, rowsOf } from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";
import { createParquetWriter, type ParquetWriterOptions } from "@ingest-ts/writers/parquet";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutDictionaries } from "./lib/write-read.ts";

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

async function read(
  bytes: Uint8Array,
  dictionary: "decode" | "preserve" = "decode",
): Promise<{ schema: Schema; rows: PlainValue[][] }> {
  const reader = await open(memorySource(bytes), { dictionary });
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
        const schema = randomSchema(dice, { columns, depth });
        const data = batches.map((rows) => randomColumns(dice, schema, rows));
        const bytes = await write(schema, data, chosen);
        const found = await read(bytes);
        expect(found.rows).toEqual(data.flatMap(rowsOf));
        expect((await read(bytes, "preserve")).rows).toEqual(found.rows);
        expect(found.schema.fields).toEqual(withoutDictionaries(schema).fields);
      }),
      {
        numRuns: runs,
        // Null lists of a fixed size whose items are dictionaries.
        examples: [
          [
            {
              seed: 30,
              columns: 2,
              depth: 1,
              batches: [0, 5],
              options: {
                codec: "none",
                dataPageVersion: 1,
                dictionary: true,
                pageBytes: 64,
                rowGroupRows: 2,
                rowGroupBytes: 300,
                pageCrc: false,
                statistics: false,
              },
            },
          ],
        ],
      },
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

  it("restores seconds and dates in milliseconds, which other writers' files have as they are stored", async () => {
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
    const hex = (arrays: readonly ArrayBufferView[]): string[] =>
      arrays.map(({ buffer }) => Buffer.from(buffer as ArrayBuffer).toString("hex"));
    const bytes = await write({ fields, metadata: {} }, [{ rows: 1, columns }]);
    const ours = await read(bytes);
    expect(ours.schema.fields).toEqual(fields);
    expect(ours.rows[0]).toEqual(hex([Int32Array.of(86_399), BigInt64Array.of(-5n), BigInt64Array.of(-86_400_000n)]));

    const other = await read(renamed(bytes));
    expect(other.schema.fields.map((field) => field.type)).toEqual([
      { kind: "time", unit: "ms" },
      { kind: "timestamp", unit: "ms", timezone: null },
      { kind: "date", unit: "day" },
    ]);
    expect(other.rows[0]).toEqual(hex([Int32Array.of(86_399_000), BigInt64Array.of(-5000n), Int32Array.of(-1)]));
  });

  it("filters by seconds and dates in milliseconds as by any other", async () => {
    const type = { kind: "timestamp", unit: "s", timezone: null } as const;
    const data = BigInt64Array.from({ length: 100 }, (_, i) => BigInt(i * 60));
    const column = { type, length: 100, nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
    const rows = { rows: 100, columns: [{ ...column, data: new Uint8Array(data.buffer) }] };
    const schema: Schema = { fields: [{ name: "t", type, nullable: false }], metadata: {} };
    const bytes = await write(schema, [rows], { rowGroupRows: 10 });
    const reader = await open(memorySource(bytes), { where: ["ge", "t", "1970-01-01T01:30:00"] });
    let found = 0;
    for await (const slab of reader.slabs()) found += slab.rows;
    expect(found).toBe(10);
  });
});

/** The same file as if another program had written it. */
function renamed(bytes: Uint8Array): Uint8Array {
  const at = Buffer.from(bytes).lastIndexOf("ingest version");
  expect(at).toBeGreaterThan(0);
  return Uint8Array.from(bytes, (byte, i) => (i === at ? 0x49 : byte));
}

// Avro written and read back by our own reader; by avsc in avro-avsc.test.ts. test/python/check_avro.py compares with fastavro.
import { type ByteSink, type DataType, type Schema, sliceRows, UnsupportedError } from "@ingest-ts/core";
import { Dice, flatTypes, randomColumns, randomSchema, rowsOf } from "@ingest-ts/core/testing";
import { type AvroWriterOptions, createAvroWriter } from "@ingest-ts/writers/avro";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";
import { readBack, withoutDictionaries } from "./lib/write-read.ts";

async function write(
  schema: Schema,
  batches: readonly ReturnType<typeof randomColumns>[],
  options?: AvroWriterOptions,
): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = await createAvroWriter(sink, schema, options);
  for (const batch of batches) await writer.write(batch);
  await writer.finish();
  return sink.bytes;
}

const options = fc.record<AvroWriterOptions>({
  codec: fc.constantFrom("null", "deflate", "snappy", "zstandard"),
  blockBytes: fc.constantFrom(1, 100, 64 * 1024),
});

/** Every type but uint64, whose upper half Avro cannot hold. */
const held = flatTypes.filter((type) => !(type.kind === "int" && type.bits === 64 && !type.signed));

const runs = Number(process.env["INGEST_FUZZ_RUNS"] ?? 150);

it("takes other values of the metadata until the end, of as many bytes", async () => {
  const metadata: Record<string, string> = { end: "00", start: "7" };
  const schema: Schema = {
    fields: [{ name: "a", type: { kind: "fixedSizeBinary", byteWidth: 500 }, nullable: false }],
    metadata,
  };
  const rows = randomColumns(new Dice(3), schema, 1000);
  for (const batches of [[], [rows], [rows, rows, rows]]) {
    metadata["end"] = "00";
    const sink = memorySink();
    const writer = await createAvroWriter(sink, schema, { codec: "null" });
    for (const batch of batches) await writer.write(batch);
    metadata["end"] = "42";
    await writer.finish();
    const back = await readBack(sink.bytes);
    expect(back.schema.metadata).toMatchObject({ end: "42", start: "7" });
    expect(back.rows).toHaveLength(1000 * batches.length);
  }
  metadata["end"] = "00";
  const writer = await createAvroWriter(memorySink(), schema);
  metadata["end"] = "100";
  await expect(writer.finish()).rejects.toThrow(/changed its size/);
  const plain: ByteSink = memorySink();
  delete plain.patch;
  metadata["end"] = "00";
  const long = await createAvroWriter(plain, schema, { codec: "null" });
  for (let i = 0; i < 3; i++) await long.write(rows);
  metadata["end"] = "42";
  await expect(long.finish()).rejects.toThrow(/cannot replace it/);
});

describe("Avro written and read back", () => {
  it("gives equal rows and types for any schema, batches and options", { timeout: 600_000 }, async () => {
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
        const schema = randomSchema(dice, { columns, depth, flat: held });
        const data = batches.map((rows) => randomColumns(dice, schema, rows));
        const found = await readBack(await write(schema, data, chosen));
        expect(found.rows).toEqual(data.flatMap(rowsOf));
        expect(found.schema.fields).toEqual(withoutDictionaries(schema).fields);
      }),
      { numRuns: runs },
    );
  });

  it("gives the same bytes however rows are divided into calls", async () => {
    const dice = new Dice(3);
    const schema = randomSchema(dice, { columns: 5, flat: held, nested: ["list", "struct"] });
    const data = randomColumns(dice, schema, 500);
    const parts = [sliceRows(data, 0, 7), sliceRows(data, 7, 300), sliceRows(data, 300, 500)];
    const settings: AvroWriterOptions = { codec: "deflate", blockBytes: 500 };
    expect(await write(schema, parts, settings)).toEqual(await write(schema, [data], settings));
  });

  it("keeps user metadata, and leaves the format's own keys alone", async () => {
    const schema: Schema = {
      fields: [{ name: "a", type: { kind: "largeUtf8" }, nullable: false, metadata: { unit: "km" } }],
      metadata: { origin: "test", "avro.codec": "lies" },
    };
    const found = await readBack(await write(schema, [randomColumns(new Dice(1), schema, 3)]));
    expect(found.schema).toEqual({ ...schema, metadata: { origin: "test" } });
  });
});

describe("what Avro cannot hold", () => {
  const one = (type: DataType, name = "x"): Schema => ({ fields: [{ name, type, nullable: true }], metadata: {} });
  it.each<[string, Schema, RegExp]>([
    ["a union", one({ kind: "union", mode: "dense", typeIds: [], children: [] }), /dense union.*column "x"/],
    ["an interval of days and time", one({ kind: "interval", unit: "dayTime" }), /interval\[dayTime\].*column "x"/],
    ["a negative scale", one({ kind: "decimal", bits: 128, precision: 5, scale: -1 }), /decimal128\(5, -1\)/],
    ["values of no bytes", one({ kind: "fixedSizeBinary", byteWidth: 0 }), /fixedSizeBinary\[0\]/],
    ["a name with a blank", one({ kind: "bool" }, "a b"), /name "a b".*rename the column/],
    [
      "two fields of one name",
      { fields: [...one({ kind: "bool" }).fields, ...one({ kind: "bool" }).fields], metadata: {} },
      /two fields/,
    ],
  ])("is refused by name before a byte is written: %s", async (_, schema, message) => {
    const sink = memorySink();
    const created = createAvroWriter(sink, schema);
    await expect(created).rejects.toThrow(UnsupportedError);
    await expect(created).rejects.toThrow(message);
    expect(sink).toMatchObject({ state: "open", bytes: new Uint8Array(0) });
  });

  it("is refused with its column: an unsigned value past 2^63", async () => {
    const schema = one({ kind: "int", bits: 64, signed: false });
    const data = new Uint8Array(BigUint64Array.of(2n ** 63n).buffer);
    const column = { type: (schema.fields[0] as { type: DataType }).type, length: 1, nullCount: 0, validity: null };
    const rows = { rows: 1, columns: [{ ...column, offsets: null, data, children: [], dictionary: null }] };
    await expect(write(schema, [rows])).rejects.toThrow(/9223372036854775808.*column "x"/);
  });
});

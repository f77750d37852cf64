// ORC written and read back by our own reader. test/python/check_orc.py compares with pyarrow.
import type { Schema } from "@ingest-ts/core";
import { Dice, flatTypes, randomColumns, randomSchema, rowsOf } from "@ingest-ts/core/testing";
import { type ORCWriterOptions, createORCWriter } from "@ingest-ts/writers/orc";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";
import { readBack, withoutDictionaries } from "./lib/write-read.ts";

async function write(
  schema: Schema,
  batches: readonly ReturnType<typeof randomColumns>[],
  options?: ORCWriterOptions,
): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = await createORCWriter(sink, schema, options);
  for (const batch of batches) await writer.write(batch);
  await writer.finish();
  return sink.bytes;
}

const options = fc.record<ORCWriterOptions>({
  codec: fc.constantFrom("none", "zlib", "snappy", "zstd"),
  blockBytes: fc.constantFrom(64, 300, 256 * 1024),
  stripeRows: fc.constantFrom(2, 50, 1_000_000),
  stripeBytes: fc.constantFrom(300, 64 * 1024 * 1024),
  rowIndexStride: fc.constantFrom(1, 9, 10_000),
  dictionary: fc.boolean(),
});

/** Every type but uint64, whose upper half ORC cannot hold, and decimals of more than 38 digits. */
const held = flatTypes.filter(
  (type) =>
    !(type.kind === "int" && type.bits === 64 && !type.signed) && !(type.kind === "decimal" && type.precision > 38),
);

const runs = Number(process.env["INGEST_FUZZ_RUNS"] ?? 150);

describe("ORC written and read back", () => {
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

  it("keeps user metadata", async () => {
    const schema: Schema = {
      fields: [{ name: "a", type: { kind: "largeUtf8" }, nullable: false, metadata: { unit: "km" } }],
      metadata: { origin: "test" },
    };
    const found = await readBack(await write(schema, [randomColumns(new Dice(1), schema, 3)]));
    expect(found.schema).toEqual(schema);
  });
});

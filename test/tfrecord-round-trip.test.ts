import { type Columns, concatRows, type DataType, type Field, isIngestError, type Schema } from "@ingest-ts/core";
import { Dice, flatTypes, memorySource, randomColumns, rowsOf } from "@ingest-ts/core/testing";
import { open, type OpenOptions } from "@ingest-ts/readers";
import { createTFRecordWriter, type TFRecordWriterOptions, tfrecordSchemaJson } from "@ingest-ts/writers/tfrecord";
import { describe, expect, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";

async function write(
  schema: Schema,
  batches: readonly Columns[],
  options: TFRecordWriterOptions = {},
): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = await createTFRecordWriter(sink, schema, options);
  for (const batch of batches) await writer.write(batch);
  const written = await writer.finish();
  expect(written).toEqual({ rows: batches.reduce((sum, { rows }) => sum + rows, 0), sizeBytes: sink.bytes.length });
  return sink.bytes;
}

async function read(bytes: Uint8Array, options: OpenOptions): Promise<{ schema: Schema; rows: unknown[][] }> {
  const reader = await open(memorySource(bytes), { format: "tfrecord", ...options });
  const rows: unknown[][] = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
  await reader.close();
  return { schema: reader.schema, rows };
}

const held = flatTypes.filter(({ kind }) => kind !== "decimal");
const widest = { kind: "int", bits: 64, signed: false } as const;

/** Lists hold no nulls, and uint64 ends at 2^63: `randomColumns` gives both, so such types are made without. */
function randomFields(dice: Dice): Field[] {
  const flat = held.filter((type) => JSON.stringify(type) !== JSON.stringify(widest));
  const values = flat.filter(({ kind }) => kind !== "null");
  const item = (): Field => ({ name: "item", type: dice.pick(values), nullable: false });
  const dictionary = (): DataType => {
    const value = dice.pick(values.filter(({ kind }) => kind !== "bool"));
    return { kind: "dictionary", index: { kind: "int", bits: 16, signed: true }, value, ordered: false };
  };
  const nested = (): DataType => {
    const size = dice.below(3);
    switch (dice.below(5)) {
      case 0:
        return { kind: "list", child: item() };
      case 1:
        return { kind: "largeList", child: item() };
      case 2:
        return { kind: "fixedSizeList", size, child: item() };
      case 3: {
        const inner: DataType = { kind: "fixedSizeList", size: 2, child: item() };
        return { kind: "fixedSizeList", size, child: { name: "item", type: inner, nullable: false } };
      }
      default:
        return dictionary();
    }
  };
  return Array.from({ length: 1 + dice.below(6) }, (_, i): Field => {
    const type = dice.chance(0.5) ? dice.pick(flat) : nested();
    return { name: dice.pick(["", "c", "ü", "10", "𝄞"]) + i, type, nullable: type.kind === "null" || dice.chance(0.7) };
  });
}

describe("rows of our writer, read with the schema it leaves beside its file", () => {
  for (let seed = 1; seed <= 150; seed++) {
    it(`are the same, seed ${seed}`, async () => {
      const dice = new Dice(seed);
      const schema: Schema = { fields: randomFields(dice), metadata: dice.chance(0.5) ? { made: "by hand" } : {} };
      const batches = Array.from({ length: 1 + dice.below(3) }, () => randomColumns(dice, schema, dice.below(70)));
      const codec = dice.pick(["none", "gzip"] as const);
      const bytes = await write(schema, batches, { codec, float64: "bits" });
      const declared = JSON.parse(JSON.stringify(tfrecordSchemaJson(schema))) as unknown;
      const got = await read(bytes, { schema: declared, batchRows: 1 + dice.below(100) });
      expect(got.rows).toEqual(batches.flatMap((batch) => rowsOf(batch)));
      expect(got.schema.metadata).toEqual(schema.metadata);
      expect(got.schema.fields.map(({ name, nullable }) => ({ name, nullable }))).toEqual(
        schema.fields.map(({ name, nullable }) => ({ name, nullable })),
      );
      // The same bytes, however the rows are divided into calls.
      if (codec === "none" && !schema.fields.some(({ type }) => type.kind === "dictionary")) {
        expect(await write(schema, [concatRows(batches)], { float64: "bits" })).toEqual(bytes);
      }
    });
  }
});

describe("what TFRecord cannot hold", () => {
  const field = (type: DataType): Schema => ({ fields: [{ name: "x", type, nullable: true }], metadata: {} });
  const utf8: Field = { name: "item", type: { kind: "utf8" }, nullable: true };
  it.each<[string, DataType]>([
    ["struct", { kind: "struct", children: [utf8] }],
    ["list of list of utf8", { kind: "list", child: { ...utf8, type: { kind: "list", child: utf8 } } }],
    ["decimal128", { kind: "decimal", bits: 128, precision: 10, scale: 2 }],
    ["interval", { kind: "interval", unit: "monthDayNano" }],
    ["float64", { kind: "float", bits: 64 }],
  ])("is refused by name before a byte is written: %s", async (shown, type) => {
    const sink = memorySink();
    const failure = await createTFRecordWriter(sink, field(type)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(isIngestError(failure, "INGEST_UNSUPPORTED")).toBe(true);
    expect(String(failure)).toContain(shown);
    expect(String(failure)).toContain('column "x"');
    expect(sink.bytes.length).toBe(0);
  });
});

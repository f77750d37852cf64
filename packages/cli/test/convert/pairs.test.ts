// One logical table, converted from Arrow to every format and from each of them to every other: equal rows, equal schema.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Columns, DataType, Field, Schema } from "@ingest-ts/core";
import { Dice, flatTypes, type PlainValue, randomColumns, randomSchema, rowsOf } from "@ingest-ts/core/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TargetFormat, TargetOptions } from "../../src/convert/targets.ts";
import { withoutDictionaries } from "../../../../test/lib/write-read.ts";
import { convertFile, readTable, writeArrow } from "./support.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest pairs "));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** uint64 above 2^63 is Parquet's alone, and so are decimals of more than 38 digits (Avro's too). */
const everywhere = flatTypes.filter(
  (type) =>
    !(type.kind === "int" && type.bits === 64 && !type.signed) && !(type.kind === "decimal" && type.precision > 38),
);
/** TFRecord has no decimals (and no nesting but lists without nulls). */
const inTFRecord = everywhere.filter(({ kind }) => kind !== "decimal");

const dictionaryOf = (value: DataType): DataType => ({
  kind: "dictionary",
  index: { kind: "int", bits: 16, signed: true },
  value,
  ordered: false,
});

const named = (types: readonly DataType[], nullable: boolean, prefix: string): Field[] =>
  types.map((type, i) => ({ name: `${prefix}${i}`, type, nullable: nullable || type.kind === "null" }));

/** Every flat type, nullable and not, and lists of each: what TFRecord holds as well. */
function flatTable(): Schema {
  const values = inTFRecord.filter(({ kind }) => kind !== "null");
  const item = (type: DataType): Field => ({ name: "item", type, nullable: false });
  return {
    fields: [
      ...named(inTFRecord, true, "optional"),
      ...named(inTFRecord, false, "required"),
      ...named(
        values.map((type): DataType => ({ kind: "list", child: item(type) })),
        true,
        "list",
      ),
      ...named(
        values.map((type): DataType => ({ kind: "fixedSizeList", size: 2, child: item(type) })),
        true,
        "pair",
      ),
      ...named([dictionaryOf({ kind: "utf8" }), dictionaryOf({ kind: "int", bits: 64, signed: true })], true, "words"),
    ],
    metadata: { note: "größer 𝄞" },
  };
}

/** Every type that the other three hold, with structs, maps and lists in one another, nulls and empties at every level. */
function nestedTable(dice: Dice): Schema {
  const nested = randomSchema(dice, { columns: 24, depth: 5, flat: everywhere });
  return { fields: [...nested.fields, ...named(everywhere, true, "flat")], metadata: { note: "nested" } };
}

/** Some codec and small groups for each format, so that files have several of everything. */
const settings: Record<TargetFormat, readonly Partial<TargetOptions>[]> = {
  parquet: [{ codec: "zstd", groupRows: 70 }, { codec: "none" }, { codec: "gzip", groupBytes: 9000 }],
  orc: [{ codec: "snappy", groupRows: 33 }, { codec: "zlib", groupBytes: 9000 }, { codec: "none" }, { codec: "zstd" }],
  avro: [{ codec: "none" }, { codec: "deflate", groupBytes: 900 }, { codec: "zstd" }, { codec: "snappy" }],
  tfrecord: [
    { codec: "none", float64: "bits" },
    { codec: "gzip", float64: "bits" },
  ],
};

interface Truth {
  readonly fields: readonly Field[];
  readonly metadata: Schema["metadata"];
  readonly rows: PlainValue[][];
}

async function expectTruth(path: string, truth: Truth): Promise<void> {
  const { schema, rows } = await readTable(path);
  expect(schema.fields).toEqual(truth.fields);
  expect(schema.metadata).toEqual(truth.metadata);
  expect(rows).toEqual(truth.rows);
}

/** Arrow to each of `formats`, and each of these to each. */
function everyPair(name: string, formats: readonly TargetFormat[], schema: Schema, batches: readonly Columns[]): void {
  const truth: Truth = {
    fields: withoutDictionaries(schema).fields,
    metadata: schema.metadata,
    rows: batches.flatMap(rowsOf),
  };
  let turn = 0;
  const next = (format: TargetFormat): Partial<TargetOptions> => {
    const choices = settings[format];
    return choices[turn++ % choices.length] as Partial<TargetOptions>;
  };
  describe(name, () => {
    const first = (format: TargetFormat): string => join(folder, `${name} first.${format}`);
    beforeAll(async () => {
      await writeArrow(join(folder, `${name}.arrow`), schema, batches);
      for (const format of formats) {
        await convertFile(join(folder, `${name}.arrow`), first(format), { options: next(format) });
      }
    }, 120_000);
    it.each(formats)("arrow → %s", async (format) => {
      await expectTruth(first(format), truth);
    });
    const pairs = formats.flatMap((from) => formats.map((to) => [from, to] as const));
    it.each(pairs)("%s → %s", async (from, to) => {
      const output = join(folder, `${name} ${from} second.${to}`);
      const done = await convertFile(first(from), output, { options: next(to) });
      expect(done.rows).toBe(truth.rows.length);
      await expectTruth(output, truth);
    });
  });
}

{
  const dice = new Dice(1);
  const schema = flatTable();
  // One batch: arrow-js does not join the dictionaries of several.
  everyPair("every flat type", ["parquet", "orc", "avro", "tfrecord"], schema, [randomColumns(dice, schema, 200)]);
}
for (const seed of [7, 8, 9]) {
  const dice = new Dice(seed);
  const schema = nestedTable(dice);
  everyPair(`nested, seed ${seed}`, ["parquet", "orc", "avro"], schema, [randomColumns(dice, schema, 150)]);
}
{
  const schema: Schema = { fields: named(inTFRecord, true, "c"), metadata: {} };
  everyPair("no rows", ["parquet", "orc", "avro", "tfrecord"], schema, [randomColumns(new Dice(2), schema, 0)]);
}

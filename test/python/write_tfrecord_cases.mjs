// Writes TFRecord files through the built packages, each beside the Arrow IPC stream of the rows it was given, for
// check_tfrecord.py: node write_tfrecord_cases.mjs FOLDER [SEEDS]
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { takeRows } from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { Dice, flatTypes, randomColumns } from "@ingest-ts/core/testing";
import { fileSink } from "@ingest-ts/storage";
import { createTFRecordWriter, tfrecordSchemaJson } from "@ingest-ts/writers/tfrecord";
import { RecordBatchStreamWriter } from "apache-arrow";

const [folder = ".", seeds = "30"] = process.argv.slice(2);
await mkdir(folder, { recursive: true });

async function writeCase(name, schema, batches, options) {
  const path = join(folder, `${name}.tfrecord`);
  const writer = await createTFRecordWriter(await fileSink(path), schema, options);
  try {
    for (const batch of batches) await writer.write(batch);
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writeFile(`${path}.schema.json`, JSON.stringify(tfrecordSchemaJson(schema)));
  const arrowSchema = toArrowSchema(schema);
  const stream = new RecordBatchStreamWriter();
  stream.reset(undefined, arrowSchema);
  for (const batch of batches) {
    // Copied together: arrow-js's stream writer mistakes null counts below offsets that do not start at 0.
    const rows = Int32Array.from({ length: batch.rows }, (_, i) => i);
    stream.write(toRecordBatch(takeRows(batch, rows), arrowSchema));
  }
  stream.finish();
  await writeFile(join(folder, `${name}.arrows`), await stream.toUint8Array());
}

const int64 = { kind: "int", bits: 64, signed: true };
const float32 = { kind: "float", bits: 32 };
// uint64 above 2^63 and decimals are refused; float64 has a case of its own.
const held = flatTypes.filter(({ kind, bits, signed }) => {
  return kind !== "decimal" && !(bits === 64 && (kind === "float" || signed === false));
});
const named = (types, nullable = true) => ({
  fields: types.map((type, i) => ({ name: `c${i}`, type, nullable })),
  metadata: {},
});
const item = (type) => ({ name: "item", type, nullable: false });

for (let seed = 1; seed <= Number(seeds); seed++) {
  const dice = new Dice(seed);
  const values = held.filter(({ kind }) => kind !== "null");
  const nested = () => {
    const child = item(dice.pick(values));
    return dice.pick([
      { kind: "list", child },
      { kind: "largeList", child },
      { kind: "fixedSizeList", size: 1 + dice.below(3), child },
    ]);
  };
  const types = Array.from({ length: 1 + dice.below(6) }, () => (dice.chance(0.5) ? dice.pick(held) : nested()));
  const schema = named(types);
  const batches = Array.from({ length: 1 + dice.below(3) }, () => randomColumns(dice, schema, dice.below(80)));
  await writeCase(`random-${seed}`, schema, batches, { codec: dice.pick(["none", "gzip"]) });
}
// What tf.io.parse_example wants declared: every row has every value.
const matrix = {
  kind: "fixedSizeList",
  size: 2,
  child: item({ kind: "fixedSizeList", size: 3, child: item(float32) }),
};
const fixed = named([int64, float32, { kind: "utf8" }, matrix, { kind: "int", bits: 8, signed: true }], false);
await writeCase("fixed", fixed, [randomColumns(new Dice(99), fixed, 300)], {});
await writeCase("fixed-gzip", fixed, [randomColumns(new Dice(98), fixed, 300)], { codec: "gzip", level: 9 });
const doubles = named([{ kind: "float", bits: 64 }]);
await writeCase("bits", doubles, [randomColumns(new Dice(97), doubles, 200)], { float64: "bits" });
// More than one gzip member.
const wide = named([{ kind: "list", child: item(int64) }, { kind: "binary" }]);
const big = (seed) => randomColumns(new Dice(seed), wide, 30_000);
await writeCase("members", wide, [big(1), big(2), big(3), big(4)], { codec: "gzip", level: 1 });

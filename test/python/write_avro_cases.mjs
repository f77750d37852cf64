// Writes Avro files through the built packages, each beside the Arrow IPC stream of the rows it was given, for
// check_avro.py: node write_avro_cases.mjs FOLDER [SEEDS]
import { Dice, flatTypes, randomColumns, randomSchema } from "@ingest-ts/core/testing";
import { createAvroWriter } from "@ingest-ts/writers/avro";
import { caseWriter, numberColumn, textColumn } from "./case_writer.mjs";

const [folder = ".", seeds = "60"] = process.argv.slice(2);
const writeCase = await caseWriter(folder, "avro", createAvroWriter);

const codecs = ["null", "deflate", "snappy", "zstandard"];
/** Every type but uint64, whose upper half Avro cannot hold. */
const held = flatTypes.filter((type) => !(type.kind === "int" && type.bits === 64 && !type.signed));
const one = (type) => ({ fields: [{ name: "x", type, nullable: false }], metadata: {} });
const writeOne = (name, column, options) =>
  writeCase(name, one(column.type), [{ rows: column.length, columns: [column] }], options);

// Every flat type, nullable and not, in every codec, in many blocks.
for (const [i, codec] of codecs.entries()) {
  const fields = held.flatMap((type, place) => [
    { name: `optional${place}`, type, nullable: true },
    { name: `required${place}`, type, nullable: type.kind === "null" },
  ]);
  const schema = { fields, metadata: { note: "flat types" } };
  await writeCase(`flat-${codec}`, schema, [randomColumns(new Dice(i), schema, 1500)], { codec, blockBytes: 20_000 });
}

// Random nested types, five deep, over all settings: nulls and empties at every level.
for (let seed = 0; seed < Number(seeds); seed++) {
  const dice = new Dice(2000 + seed);
  const schema = randomSchema(dice, { depth: 5, flat: held });
  const rows = dice.pick([0, 1, 7, 100, 1000]);
  await writeCase(`nested-${seed}`, schema, [randomColumns(dice, schema, rows)], {
    codec: dice.pick(codecs),
    blockBytes: dice.pick([1, 100, 64 * 1024]),
  });
}

// Several batches, which are not cut where blocks are.
{
  const schema = randomSchema(new Dice(5), { columns: 8, nested: ["list", "map", "struct"], flat: held });
  const batches = [100, 0, 1, 399].map((rows, i) => randomColumns(new Dice(i), schema, rows));
  await writeCase("batches", schema, batches, { blockBytes: 3000 });
}

// Numbers of every length of a varint, and decimals of 38 and 76 digits, among them the largest and the smallest.
const int64 = { kind: "int", bits: 64, signed: true };
const longs = Array.from({ length: 64 }, (_, bit) => 2n ** BigInt(bit)).flatMap((power) => [power - 1n, -power]);
await writeOne("longs", numberColumn(int64, BigInt64Array.from(longs)));
for (const [bits, precision] of [
  [128, 38],
  [256, 76],
]) {
  const largest = 10n ** BigInt(precision) - 1n;
  const values = [0n, 1n, -1n, largest, -largest, 10n ** 37n, -(10n ** 19n), 2n ** 64n, -(2n ** 64n)];
  const words = values.flatMap((value) =>
    Array.from({ length: bits / 64 }, (_, word) => BigInt.asUintN(64, value >> BigInt(64 * word))),
  );
  for (const scale of [0, precision]) {
    const type = { kind: "decimal", bits, precision, scale };
    await writeOne(`decimals-${precision}-${scale}`, numberColumn(type, BigUint64Array.from(words)));
  }
}

// Text and bytes of all lengths around the places where lengths take one more byte.
const lengths = [0, 1, 63, 64, 65, 8191, 8192, 100_000];
await writeOne(
  "text-lengths",
  textColumn(
    { kind: "utf8" },
    lengths.map((length) => "ä".repeat(length)),
  ),
);
await writeOne(
  "bytes-lengths",
  textColumn(
    { kind: "binary" },
    lengths.map((length) => new Uint8Array(length).fill(length)),
  ),
  { codec: "zstandard" },
);

// Writes ORC files through the built packages, each beside the Arrow IPC stream of the rows it was given, for
// check_orc.py: node write_orc_cases.mjs FOLDER [SEEDS]
import { Dice, flatTypes, randomColumns, randomSchema } from "@ingest-ts/core/testing";
import { createORCWriter } from "@ingest-ts/writers/orc";
import { caseWriter, numberColumn, textColumn } from "./case_writer.mjs";

const [folder = ".", seeds = "60"] = process.argv.slice(2);
const writeCase = await caseWriter(folder, "orc", createORCWriter);

const codecs = ["none", "zlib", "snappy", "zstd"];
/** Every type but uint64, whose upper half ORC cannot hold, and decimals of more than 38 digits. */
const held = flatTypes.filter(
  (type) =>
    !(type.kind === "int" && type.bits === 64 && !type.signed) && !(type.kind === "decimal" && type.precision > 38),
);
const one = (type) => ({ fields: [{ name: "x", type, nullable: false }], metadata: {} });
const writeOne = (name, column, options) =>
  writeCase(name, one(column.type), [{ rows: column.length, columns: [column] }], options);

// Every flat type, nullable and not, in every codec, with dictionaries and without, in several stripes of several row groups.
for (const [i, codec] of codecs.entries()) {
  const fields = held.flatMap((type, place) => [
    { name: `optional${place}`, type, nullable: true },
    { name: `required${place}`, type, nullable: type.kind === "null" },
  ]);
  const schema = { fields, metadata: { note: "flat types" } };
  await writeCase(`flat-${codec}`, schema, [randomColumns(new Dice(i), schema, 1500)], {
    codec,
    dictionary: i % 2 === 0,
    stripeRows: 400,
    rowIndexStride: 150,
    blockBytes: 1000,
  });
}

// Random nested types, five deep, over all settings: nulls and empties at every level.
for (let seed = 0; seed < Number(seeds); seed++) {
  const dice = new Dice(1000 + seed);
  const schema = randomSchema(dice, { depth: 5, flat: held });
  const rows = dice.pick([0, 1, 7, 100, 1000]);
  await writeCase(`nested-${seed}`, schema, [randomColumns(dice, schema, rows)], {
    codec: dice.pick(codecs),
    dictionary: dice.chance(0.6),
    blockBytes: dice.pick([64, 1000, 256 * 1024]),
    stripeRows: dice.pick([3, 64, 1_000_000]),
    rowIndexStride: dice.pick([2, 50, 10_000]),
  });
}

// Several batches, which are not cut where stripes are.
{
  const nested = ["list", "map", "struct"];
  const schema = randomSchema(new Dice(5), { columns: 8, nested, flat: held });
  const batches = [100, 0, 1, 399].map((rows, i) => randomColumns(new Dice(i), schema, rows));
  await writeCase("batches", schema, batches, { stripeRows: 150 });
}

// Dictionaries: large ones, ones that do not pay, and more than one stripe of them.
const utf8 = { kind: "utf8" };
const random = new Dice(9);
const words = (count, of) => Array.from({ length: count }, (_, i) => `value ${of(i)} ${"é".repeat(of(i) % 5)}`);
await writeOne(
  "dictionary-large",
  textColumn(
    utf8,
    words(400_000, () => random.below(100_000)),
  ),
);
await writeOne(
  "dictionary-distinct",
  textColumn(
    utf8,
    words(100_000, (i) => i),
  ),
);
await writeOne(
  "dictionary-stripes",
  textColumn(
    utf8,
    words(200_000, (i) => (i >> 8) % 700),
  ),
  { stripeRows: 60_000 },
);
await writeOne(
  "dictionary-one",
  textColumn(
    utf8,
    words(50_000, () => 3),
  ),
);

// Integers in every kind of run: long repeats, steps, outliers, all widths.
const int64 = { kind: "int", bits: 64, signed: true };
const integers = {
  repeats: (i) => BigInt(i >> 9),
  steps: (i) => BigInt(i) * 7919n - 5_000_000n,
  outliers: (i) => (i % 97 === 0 ? BigInt(random.below(2 ** 31)) << 31n : BigInt(random.below(200))),
  widths: (i) => BigInt.asIntN(64, (BigInt(random.below(2 ** 31)) << 33n) >> BigInt(i % 64)),
  extremes: (i) => [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n][i % 4],
};
for (const [name, of] of Object.entries(integers)) {
  await writeOne(
    `integers-${name}`,
    numberColumn(
      int64,
      BigInt64Array.from({ length: 30_000 }, (_, i) => of(i)),
    ),
  );
}

// Decimals of 38 digits, among them the largest, the least and the smallest.
{
  const largest = 10n ** 38n - 1n;
  const values = [
    0n,
    1n,
    -1n,
    largest,
    -largest,
    10n ** 37n,
    -(10n ** 19n),
    2n ** 64n,
    -(2n ** 64n),
    2n ** 127n % largest,
  ];
  const halves = values.flatMap((value) => [BigInt.asUintN(64, value), BigInt.asUintN(64, value >> 64n)]);
  for (const scale of [0, 19, 38]) {
    const type = { kind: "decimal", bits: 128, precision: 38, scale };
    await writeOne(`decimals-38-${scale}`, numberColumn(type, BigUint64Array.from(halves)));
  }
}

// Times before and after 1970 and 2015, where a second ends in zeros, and around changes of daylight saving.
{
  const nanos = [0n, 1n, -1n, 1_000_000n, -1_000_000n, 999_999_999n, -999_999_999n, 1_420_070_400_000_000_000n];
  const dst = [1_616_893_199_000_000_000n, 1_616_893_200_000_000_000n, 1_635_638_400_123_456_789n];
  const edges = [
    -9_000_000_000_000_000_000n,
    9_000_000_000_000_000_000n,
    -9_000_000_000_000_000_001n,
    1_000_000_000n,
    -1_000_000_000n,
  ];
  const data = BigInt64Array.from([...nanos, ...dst, ...edges]);
  for (const timezone of [null, "UTC", "Europe/Vienna", "America/St_Johns"]) {
    const type = { kind: "timestamp", unit: "ns", timezone };
    await writeOne(`times-${(timezone ?? "none").replace("/", "-")}`, numberColumn(type, data));
  }
}

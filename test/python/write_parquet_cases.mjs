// Writes Parquet files through the built packages, each beside the Arrow IPC stream of the rows it was given, for
// check_parquet.py: node write_parquet_cases.mjs FOLDER [SEEDS]
import { Dice, flatTypes, randomColumns, randomSchema } from "@ingest-ts/core/testing";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { caseWriter, numberColumn as flat, textColumn } from "./case_writer.mjs";

const [folder = ".", seeds = "60"] = process.argv.slice(2);
const writeCase = await caseWriter(folder, "parquet", createParquetWriter);

const float64 = { kind: "float", bits: 64 };
const float32 = { kind: "float", bits: 32 };
const int64 = { kind: "int", bits: 64, signed: true };
const int32 = { kind: "int", bits: 32, signed: true };
const one = (type) => ({ fields: [{ name: "x", type, nullable: false }], metadata: {} });

async function writeOne(name, column, options) {
  await writeCase(name, one(column.type), [{ rows: column.length, columns: [column] }], options);
}

// Every flat type, nullable and not, with and without dictionaries.
for (const [variant, options] of Object.entries({
  plain: { codec: "none", dictionary: false },
  dictionary: { codec: "none" },
  v2: { codec: "snappy", dataPageVersion: 2 },
})) {
  const dice = new Dice(1);
  const fields = flatTypes.flatMap((type, i) => [
    { name: `optional${i}`, type, nullable: true },
    { name: `required${i}`, type, nullable: type.kind === "null" },
  ]);
  const schema = { fields, metadata: { note: "flat types" } };
  await writeCase(`flat-${variant}`, schema, [randomColumns(dice, schema, 1500)], { ...options, pageBytes: 2000 });
}

// Random nested types over all settings, small pages and row groups among them.
for (let seed = 0; seed < Number(seeds); seed++) {
  const dice = new Dice(1000 + seed);
  const schema = randomSchema(dice, { depth: 4 });
  const rows = dice.pick([0, 1, 7, 100, 1000]);
  await writeCase(`nested-${seed}`, schema, [randomColumns(dice, schema, rows)], {
    codec: dice.pick(["none", "snappy", "zstd", "gzip"]),
    dataPageVersion: dice.pick([1, 2]),
    dictionary: dice.chance(0.6),
    pageBytes: dice.pick([100, 1000, 1024 * 1024]),
    rowGroupRows: dice.pick([3, 64, 1_000_000]),
    pageCrc: dice.chance(0.9),
    statistics: dice.chance(0.9),
  });
}

// Several batches, which are not cut where row groups are.
{
  const schema = randomSchema(new Dice(5), { columns: 8, nested: ["list", "map", "struct"] });
  const batches = [100, 0, 1, 399].map((rows, i) => randomColumns(new Dice(i), schema, rows));
  await writeCase("batches", schema, batches, { rowGroupRows: 150 });
}

// Dictionaries that stop to pay: at once, after some pages, never.
const random = new Dice(9);
await writeOne(
  "dictionary-distinct",
  flat(
    int64,
    BigInt64Array.from({ length: 300_000 }, (_, i) => BigInt(i * 7919)),
  ),
);
await writeOne(
  "dictionary-grows",
  flat(
    int64,
    BigInt64Array.from({ length: 900_000 }, (_, i) => BigInt(i < 400_000 ? i % 100 : i)),
  ),
);
await writeOne(
  "dictionary-small",
  flat(
    int32,
    Int32Array.from({ length: 300_000 }, () => random.below(1000)),
  ),
);
await writeOne(
  "dictionary-text",
  textColumn(
    { kind: "utf8" },
    Array.from({ length: 50_000 }, (_, i) => `value ${i % 3 === 0 ? i : i % 50}`),
  ),
);

// Where min and max are easy to get wrong.
const zeros = { codec: "none" };
await writeOne("bounds-nan", flat(float64, Float64Array.of(NaN, NaN)), zeros);
await writeOne("bounds-nan-some", flat(float32, Float32Array.of(NaN, 3, -1, NaN)), zeros);
await writeOne("bounds-zero-plus", flat(float64, Float64Array.of(0, 5)), zeros);
await writeOne("bounds-zero-minus", flat(float32, Float32Array.of(-5, -0)), zeros);
await writeOne("bounds-infinite", flat(float64, Float64Array.of(-Infinity, Infinity)), zeros);
await writeOne(
  "bounds-unsigned",
  flat({ kind: "int", bits: 64, signed: false }, BigUint64Array.of(1n, 2n ** 63n, 2n ** 64n - 1n)),
);
await writeOne("bounds-unsigned-32", flat({ kind: "int", bits: 32, signed: false }, Uint32Array.of(7, 4_000_000_000)));
await writeOne(
  "bounds-long-text",
  textColumn({ kind: "utf8" }, ["a".repeat(100), "é".repeat(100), "\u{10ffff}".repeat(40)]),
);
await writeOne(
  "bounds-long-text-2",
  textColumn({ kind: "utf8" }, ["b".repeat(63) + "é".repeat(9), "\u{d7ff}".repeat(90)]),
);
await writeOne(
  "bounds-long-binary",
  textColumn({ kind: "binary" }, [new Uint8Array(100).fill(0xff), new Uint8Array(100).fill(7)]),
);
await writeOne(
  "bounds-long-binary-2",
  textColumn({ kind: "binary" }, [Uint8Array.from({ length: 90 }, (_, i) => (i < 60 ? 9 : 0xff)), new Uint8Array(0)]),
);

// Parquet written by pyarrow, DuckDB and Polars (test/fixtures/parquet/generate.py), against the rows they were given.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Columns, concatRows, type Field, isIngestError } from "@ingest-ts/core";
import { fromRecordBatch } from "@ingest-ts/core/arrow";
import { memorySource, type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { open, type OpenOptions, type Reader } from "@ingest-ts/readers";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { root } from "./lib/tree.ts";

const fixtures = join(root, "test", "fixtures", "parquet");
const files = readdirSync(fixtures).filter((name) => name.endsWith(".parquet") && !name.startsWith("spark"));

function expectedRows(rows: string): PlainValue[][] {
  const table = tableFromIPC(readFileSync(join(fixtures, `${rows}.arrow`)));
  return table.batches.flatMap((batch) => rowsOf(fromRecordBatch(batch)));
}

function opened(file: string, options: OpenOptions = {}): Promise<Reader> {
  return open(memorySource(readFileSync(join(fixtures, file)), file), options);
}

async function readRows(file: string, options: OpenOptions = {}): Promise<PlainValue[][]> {
  const reader = await opened(file, options);
  const parts: Columns[] = [];
  for await (const slab of reader.slabs()) parts.push(slab);
  await reader.close();
  return parts.length === 0 ? [] : rowsOf(concatRows(parts));
}

describe.each(files)("%s", (file) => {
  const expected = expectedRows(file.split(".")[0] as string);

  test.each([65_536, 97])("gives the rows that were written, %i at a time", async (batchRows) => {
    expect(await readRows(file, { batchRows })).toEqual(expected);
  });

  test("gives them with dictionaries kept", async () => {
    for (const batchRows of [65_536, 97]) {
      expect(await readRows(file, { batchRows, dictionary: "preserve" })).toEqual(expected);
    }
  });
});

describe("timestamps: one column in Spark's three encodings", () => {
  const expected = expectedRows("spark");
  const field = async (file: string, options: OpenOptions = {}): Promise<Field> => {
    const reader = await opened(file, options);
    await reader.close();
    return reader.schema.fields[0] as Field;
  };

  test("INT96 is nanoseconds of no zone, unless asked for otherwise", async () => {
    const near = "spark-near.int96.parquet";
    expect(await field(near)).toMatchObject({ type: { kind: "timestamp", unit: "ns", timezone: null } });
    expect(await field(near, { int96: "utc" })).toMatchObject({ type: { unit: "ns", timezone: "UTC" } });
    expect(await field(near, { timestampUnit: "us" })).toMatchObject({ type: { unit: "us", timezone: null } });
    expect(await readRows(near, { timestampUnit: "us" })).toEqual(expectedRows("spark-near"));
  });

  test("what nanoseconds cannot hold is an error of its row, and no error where the row is not read", async () => {
    await expect(readRows("spark.int96.parquet")).rejects.toThrow(
      /row 0: an INT96 timestamp does not fit nanoseconds.*column "t".*timestampUnit "us"/,
    );
    const reader = await opened("spark.int96.parquet");
    const [fragment] = reader.fragments as [Reader["fragments"][0]];
    let rows = 0;
    for await (const slab of reader.fragmentSlabs(fragment, { rows: [3, 8] })) rows += slab.rows;
    expect(rows).toBe(5);
    await expect(async () => {
      for await (const _ of reader.fragmentSlabs(fragment, { rows: [3, 10] }));
    }).rejects.toThrow("row 8: an INT96");
  });

  test.each(["spark.int96.parquet", "spark.micros.parquet", "spark.millis.parquet"])(
    "%s in microseconds",
    async (file) => {
      expect(await readRows(file, { timestampUnit: "us", int96: "utc" })).toEqual(expected);
      expect(await field(file, { timestampUnit: "us", int96: "utc" })).toMatchObject({
        type: { kind: "timestamp", unit: "us", timezone: "UTC" },
      });
    },
  );

  test("conditions see the values that are read", async () => {
    const where = ["ge", "t", "2263-01-01T00:00:00Z"] as const;
    for (const file of ["spark.int96.parquet", "spark.micros.parquet", "spark.millis.parquet"]) {
      const found = await readRows(file, { timestampUnit: "us", int96: "utc", where });
      expect(found, file).toEqual(expected.slice(-2));
    }
  });

  test("a folder that mixes them is read as one column, or refused by name", async () => {
    const names = ["micros", "millis"].map((name) => join(fixtures, `spark.${name}.parquet`));
    const read = async (paths: string[], options: OpenOptions = {}): Promise<PlainValue[][]> => {
      const reader = await open(paths, options);
      const parts: Columns[] = [];
      for await (const slab of reader.slabs()) parts.push(slab);
      await reader.close();
      return rowsOf(concatRows(parts));
    };
    expect(await read(names)).toEqual([...expected, ...expected]);
    const all = [...names, join(fixtures, "spark.int96.parquet")];
    const wanted = { timestampUnit: "us", int96: "utc" } as const;
    expect(await read(all, wanted)).toEqual([...expected, ...expected, ...expected]);
    const where = ["lt", "t", "1900-01-01T00:00:00.000001Z"] as const;
    expect(await read(all, { ...wanted, where })).toEqual([0, 1, 2].flatMap(() => expected.slice(0, 3)));
    await expect(open(all)).rejects.toThrow(/column "t".*--int96 utc/);
    // Nanoseconds of the one cannot hold what is in the others.
    await expect(read(all, { int96: "utc" })).rejects.toThrow(/--timestamp-unit us/);
  });
});

test("uuid and json are extension types by the file's own annotations", async () => {
  const reader = await opened("extensions.parquet");
  await reader.close();
  expect(reader.schema.fields).toMatchObject([
    { type: { kind: "fixedSizeBinary", byteWidth: 16 }, metadata: { "ARROW:extension:name": "arrow.uuid" } },
    { type: { kind: "utf8" }, metadata: { "ARROW:extension:name": "arrow.json" } },
  ]);
});

test("text keeps its dictionary when asked, also where its writer gave it up in mid chunk", async () => {
  // DuckDB found no use for a dictionary in its file.
  const kept = files.filter((name) => name.startsWith("dictionary") && !name.includes("duckdb"));
  expect(kept).toHaveLength(3);
  for (const file of kept) {
    const reader = await opened(file, { dictionary: "preserve", batchRows: 500 });
    expect(reader.schema.fields[0], file).toMatchObject({
      type: { kind: "dictionary", value: { kind: expect.stringMatching(/utf8/i) } },
    });
    expect(reader.schema.fields[2]).toMatchObject({ type: { kind: "int" } });
    const words: number[] = [];
    for await (const slab of reader.slabs()) words.push(slab.columns[0]?.dictionary?.length ?? -1);
    await reader.close();
    // As its writer made it: pyarrow gave it up, Polars did not.
    const [first, last] = [words[0] as number, words.at(-1) as number];
    if (file.includes("polars")) expect(new Set(words)).toEqual(new Set([first]));
    else expect(first, file).toBeLessThan(last);
    const where = ["eq", "word", "é"] as const;
    const found = await readRows(file, { dictionary: "preserve", where });
    expect(found).toEqual(expectedRows("dictionary").filter(([word]) => word === "c3a9"));
  }
});

test("errors are of the five kinds", async () => {
  const error = await readRows("spark.int96.parquet").catch((reason: unknown) => reason);
  expect(isIngestError(error, "INGEST_FORMAT")).toBe(true);
});

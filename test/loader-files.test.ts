// The loader over real files: every kind of column, projection, predicates, several files, and indices of row formats.
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, rmdir, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Columns, isIngestError, type Schema } from "@ingest-ts/core";
import { Dice, memorySource, randomColumns, randomSchema, rowsOf } from "@ingest-ts/core/testing";
import { buildIndexFile, load, type LoadOptions } from "@ingest-ts/loader";
import { open } from "@ingest-ts/readers";
import { fileSink } from "@ingest-ts/storage";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { createTFRecordWriter } from "@ingest-ts/writers/tfrecord";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const world = { rank: 0, worldSize: 1 };
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest-loader-"));
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function writeParquet(
  path: string,
  schema: Schema,
  slabs: readonly Columns[],
  rowGroupRows = 50,
): Promise<string> {
  const writer = await createParquetWriter(await fileSink(path), schema, { rowGroupRows });
  for (const slab of slabs) await writer.write(slab);
  await writer.finish();
  return path;
}

async function rowsInFile(path: string, options = {}): Promise<string[]> {
  const reader = await open(path, options);
  const rows: string[] = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab).map((row) => JSON.stringify(row)));
  await reader.close();
  return rows;
}

async function rowsLoaded(options: Omit<LoadOptions, "batchSize" | "world">, batchSize = 16): Promise<string[]> {
  const loader = await load({ world, batchSize, ...options });
  const rows: string[] = [];
  for await (const batch of loader) rows.push(...rowsOf(batch.toColumns()).map((row) => JSON.stringify(row)));
  return rows;
}

describe("parquet", () => {
  test("any columns: each row once, whole; in order without shuffling", async () => {
    for (let seed = 0; seed < 25; seed++) {
      const dice = new Dice(seed);
      const schema = randomSchema(dice, { nested: ["list", "largeList", "fixedSizeList", "map", "struct"] });
      const path = await writeParquet(join(folder, `any-${seed}.parquet`), schema, [
        randomColumns(dice, schema, 90 + dice.below(60)),
        randomColumns(dice, schema, 40),
      ]);
      const expected = await rowsInFile(path);
      expect(await rowsLoaded({ source: path, shuffle: false })).toEqual(expected);
      const shuffled = await rowsLoaded({ source: path, shuffle: { lanes: 4, windowRows: 20 }, seed });
      expect(shuffled.toSorted()).toEqual(expected.toSorted());
      expect(shuffled.length < 20 || shuffled.some((row, i) => row !== expected[i])).toBe(true);
    }
  });

  const schema: Schema = {
    fields: [
      { name: "id", type: { kind: "int", bits: 32, signed: true }, nullable: true },
      {
        name: "point",
        type: {
          kind: "struct",
          children: [
            { name: "x", type: { kind: "float", bits: 32 }, nullable: true },
            { name: "label", type: { kind: "utf8" }, nullable: true },
          ],
        },
        nullable: true,
      },
      {
        name: "words",
        type: { kind: "list", child: { name: "item", type: { kind: "utf8" }, nullable: true } },
        nullable: true,
      },
    ],
    metadata: {},
  };

  test("columns that only where looks at are read and not delivered", async () => {
    const path = await writeParquet(join(folder, "where.parquet"), schema, [randomColumns(new Dice(4), schema, 300)]);
    for (const [columns, where] of [
      [["words"], ["gt", "id", 0]],
      [["point.label"], ["ge", "point.x", 0]],
      [
        ["words", "id"],
        ["and", ["isNull", "point.label"], ["le", "id", 5]],
      ],
      [undefined, ["gt", "id", 0]],
    ] as const) {
      const expected = await rowsInFile(path, { columns, where });
      const loaded = await rowsLoaded({ source: path, columns, where, shuffle: { lanes: 2, windowRows: 64 } });
      expect(loaded.toSorted()).toEqual(expected.toSorted());
      const loader = await load({ source: path, columns, where, batchSize: 1, world });
      const reader = await open(path, { columns, where });
      expect(loader.schema.fields.map(({ name }) => name)).toEqual(reader.schema.fields.map(({ name }) => name));
      await Promise.all([loader.close(), reader.close()]);
    }
  });

  test("several files, in the order of their names; a copy elsewhere goes on with the state", async () => {
    const dice = new Dice(9);
    const paths: string[] = [];
    for (const name of ["b", "a", "c"]) {
      paths.push(await writeParquet(join(folder, `part-${name}.parquet`), schema, [randomColumns(dice, schema, 77)]));
    }
    const [b, a, c] = paths as [string, string, string];
    const inOrder = [...(await rowsInFile(a)), ...(await rowsInFile(b)), ...(await rowsInFile(c))];
    expect(await rowsLoaded({ source: paths, shuffle: false })).toEqual(inOrder);
    const whole = await rowsLoaded({ source: paths, seed: 1 });
    const loader = await load({ source: paths, batchSize: 10, seed: 1, world });
    for (let i = 0; i < 7; i++) await loader.next();
    const state = loader.stateDict();
    await loader.close();
    const copies = await mkdtemp(join(folder, "copy-"));
    for (const path of paths) await copyFile(path, join(copies, path.split("/").at(-1) as string));
    const again = await load({
      source: paths.map((path) => join(copies, path.split("/").at(-1) as string)),
      batchSize: 10,
      world,
    });
    again.loadStateDict(state);
    const rest: string[] = [];
    for await (const batch of again) rest.push(...rowsOf(batch.toColumns()).map((row) => JSON.stringify(row)));
    expect(rest).toEqual(whole.slice(70));
    const changed = await load({ source: [a, b], batchSize: 10, world });
    expect(() => changed.loadStateDict(state)).toThrow(/231 rows in 1 segments, this has 154/);
    await changed.close();
  });

  test("a damaged page in the middle is an error, and nothing stays open", async () => {
    const path = await writeParquet(join(folder, "damaged.parquet"), schema, [randomColumns(new Dice(2), schema, 400)]);
    const bytes = await readFile(path);
    bytes.fill(0xff, Math.floor(bytes.length * 0.4), Math.floor(bytes.length * 0.4) + 64);
    await writeFile(path, bytes);
    const loader = await load({ source: path, batchSize: 10, world });
    const drain = async (): Promise<void> => {
      for (;;) if ((await loader.next()).done === true) return;
    };
    await expect(drain()).rejects.toMatchObject({ code: "INGEST_FORMAT" });
    expect((await loader.next()).done).toBe(true);
  });

  test("a missing file is told with its path", async () => {
    const path = join(folder, "missing.parquet");
    await expect(load({ source: [path], batchSize: 1, world })).rejects.toMatchObject({ code: "INGEST_SOURCE" });
  });

  test("sources that are given stay open for their owner", async () => {
    const path = await writeParquet(join(folder, "given.parquet"), schema, [randomColumns(new Dice(3), schema, 60)]);
    const source = memorySource(await readFile(path), "memory/given.parquet");
    expect((await rowsLoaded({ source })).toSorted()).toEqual((await rowsInFile(path)).toSorted());
    expect((await rowsLoaded({ source })).length).toBe(60);
    const reader = await open(path);
    expect((await rowsLoaded({ source: reader })).length).toBe(60);
    expect((await rowsLoaded({ source: reader })).length).toBe(60);
    await reader.close();
  });
});

describe("tfrecord", () => {
  const schema: Schema = {
    fields: [
      { name: "id", type: { kind: "int", bits: 64, signed: true }, nullable: false },
      { name: "bytes", type: { kind: "binary" }, nullable: true },
    ],
    metadata: {},
  };
  let path = "";
  let expected: string[] = [];

  async function write(name: string, rows: number, seed: number): Promise<string> {
    const target = join(await mkdtemp(join(folder, "tf-")), name);
    const writer = await createTFRecordWriter(await fileSink(target), schema);
    for (let left = rows; left > 0; left -= 10_000) {
      await writer.write(randomColumns(new Dice(seed + left), schema, Math.min(left, 10_000)));
    }
    await writer.finish();
    return target;
  }

  beforeAll(async () => {
    path = await write("data.tfrecord", 40_000, 1);
    expected = (await rowsInFile(path)).toSorted();
  });

  afterEach(async () => {
    await rm(`${path}.ingest-index`, { force: true });
    await rm(join(folder, "cache"), { recursive: true, force: true });
  });

  const loaded = async (): Promise<string[]> =>
    (await rowsLoaded({ source: path, shuffle: { lanes: 4 } }, 512)).toSorted();

  interface IndexLine {
    readonly rows: number[];
    etag: string;
  }

  /** An index with something else in its line, whole again. */
  function changedIndex(text: string, change: (line: IndexLine) => void): string {
    const [head, line = ""] = text.split("\n");
    const value = JSON.parse(line) as IndexLine;
    change(value);
    const body = `${head}\n${JSON.stringify(value)}\n`;
    return `${body}{"objects":1,"sha256":"${createHash("sha256").update(body).digest("hex")}"}\n`;
  }
  const oneLess = ({ rows }: IndexLine): void => rows.forEach((count, i) => (rows[i] = count - 1));

  test("the index is built once and kept beside the data", async () => {
    expect(await loaded()).toEqual(expected);
    const text = await readFile(`${path}.ingest-index`, "utf8");
    expect(text).toMatch(/^\{"manifest":1\}\n\{"sizeBytes":\d+,"etag":"[^"]+","format":"tfrecord","rows":/);
    const line = JSON.parse(text.split("\n")[1] as string) as IndexLine;
    expect(line.rows).toEqual([16_384, 16_384, 7_232]);
    expect(changedIndex(text, () => {})).toBe(text);
    // One that says something else would be noticed: it is used, not built again.
    await writeFile(`${path}.ingest-index`, changedIndex(text, oneLess));
    await expect(loaded()).rejects.toMatchObject({ code: "INGEST_FORMAT" });
  });

  test("a stale or broken index is built again", async () => {
    await loaded();
    for (const change of [
      (text: string) => text.replace('"manifest":1', '"manifest":2'),
      (text: string) => text.replace("16384", "16383"),
      (text: string) => changedIndex(text, (line) => (line.etag = "x")),
      (text: string) => changedIndex(text, ({ rows }) => rows.pop()),
      (text: string) => text.slice(0, -5),
      (text: string) => `${text}\n`,
      () => "null",
      () => '{"manifest":1}\n{"sizeBytes":1,"etag":"","format":"tfrecord","rows":[1],"runs":[null]}\n',
    ]) {
      const good = await readFile(`${path}.ingest-index`, "utf8");
      await writeFile(`${path}.ingest-index`, change(good));
      expect(await loaded()).toEqual(expected);
      expect(await readFile(`${path}.ingest-index`, "utf8")).toBe(good);
    }
  });

  test("where nothing can be written beside the data, the cache has it", async () => {
    await mkdir(`${path}.ingest-index`);
    try {
      expect(await loaded()).toEqual(expected);
      const cached = join(folder, "cache", "ingest", "index");
      const [name] = await readdir(cached);
      const index = await readFile(join(cached, name as string), "utf8");
      // Used the next time: what does not fit is noticed.
      await writeFile(join(cached, name as string), changedIndex(index, oneLess));
      await expect(loaded()).rejects.toMatchObject({ code: "INGEST_FORMAT" });
    } finally {
      await rmdir(`${path}.ingest-index`);
    }
  });

  test("an object above 1 GB needs an index that was built on purpose", async () => {
    const large = await write("large.tfrecord", 10, 2);
    await truncate(large, 1_100_000_000);
    const declared = { features: [{ name: "id", kind: "fixedLen", dtype: "int64", shape: [] }] };
    const error: unknown = await load({
      source: large,
      format: "tfrecord",
      schema: declared,
      batchSize: 1,
      world,
    }).catch((reason: unknown) => reason);
    expect(isIngestError(error, "INGEST_OPTIONS"), String(error)).toBe(true);
    expect((error as Error).message).toContain("ingest index");
  });

  test("buildIndexFile writes the index that load uses", async () => {
    expect(await buildIndexFile(path)).toBe(`${path}.ingest-index`);
    expect(await loaded()).toEqual(expected);
  });
});

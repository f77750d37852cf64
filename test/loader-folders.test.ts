// The loader over folders and patterns: every row once with the values of its folders, resumed, and refused by name.
import { appendFile, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Columns, Schema } from "@ingest-ts/core";
import { rowsOf } from "@ingest-ts/core/testing";
import { load, type LoadOptions } from "@ingest-ts/loader";
import { open } from "@ingest-ts/readers";
import { fileSink } from "@ingest-ts/storage";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { afterAll, beforeAll, expect, test } from "vitest";

const world = { rank: 0, worldSize: 1 };
const shuffle = { windowRows: 16, lanes: 4 };
let folder = "";
let data = "";

async function writeIds(path: string, from: number, rows: number, bits: 32 | 64): Promise<void> {
  const schema: Schema = {
    fields: [{ name: "id", type: { kind: "int", bits, signed: true }, nullable: false, metadata: {} }],
    metadata: {},
  };
  const values = Array.from({ length: rows }, (_, i) => from + i);
  const array = bits === 32 ? Int32Array.from(values) : BigInt64Array.from(values, BigInt);
  const column = {
    type: (schema.fields[0] as Schema["fields"][number]).type,
    length: rows,
    nullCount: 0,
    validity: null,
    offsets: null,
    data: new Uint8Array(array.buffer),
    children: [],
    dictionary: null,
  };
  const columns: Columns = { rows, columns: [column] };
  const writer = await createParquetWriter(await fileSink(path), schema, { rowGroupRows: 20 });
  await writer.write(columns);
  await writer.finish();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest loader folders "));
  data = join(folder, "data");
  for (const month of [1, 2, 3]) await mkdir(join(data, `month=${month}`), { recursive: true });
  await writeIds(join(data, "month=1", "a.parquet"), 0, 50, 32);
  await writeIds(join(data, "month=2", "a.parquet"), 50, 30, 64);
  await writeIds(join(data, "month=2", "b.parquet"), 80, 7, 32);
  await writeIds(join(data, "month=3", "a.parquet"), 87, 41, 32);
  await writeFile(join(data, "_SUCCESS"), "");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** [id, month] of every row, in the order of the batches. */
async function rowsLoaded(options: Partial<LoadOptions>): Promise<(readonly [number, number])[]> {
  const loader = await load({ source: data, batchSize: 9, world, shuffle, ...options });
  const rows: (readonly [number, number])[] = [];
  for await (const batch of loader) {
    const table = batch.toRecordBatch();
    for (let i = 0; i < table.numRows; i++) {
      rows.push([Number(table.getChild("id")?.get(i)), Number(table.getChild("month")?.get(i))]);
    }
  }
  return rows;
}

const monthOf = (id: number): number => (id < 50 ? 1 : id < 87 ? 2 : 3);
const every = Array.from({ length: 128 }, (_, id) => [id, monthOf(id)] as const);
const byId = (a: readonly number[], b: readonly number[]): number => (a[0] as number) - (b[0] as number);

test("every row once, with its folder's value and the united type, whatever the path", async () => {
  const rows = await rowsLoaded({});
  expect(rows).not.toEqual(every);
  expect([...rows].sort(byId)).toEqual(every);
  expect(await rowsLoaded({ source: `${data}/` })).toEqual(rows);
  expect(await rowsLoaded({ source: join(data, "*", "*.parquet") })).toEqual(rows);
  expect(await rowsLoaded({ shuffle: false })).toEqual(every);
});

test("ranks and resumed runs share the order", async () => {
  const whole = await rowsLoaded({ batchSize: 8 });
  const loader = await load({ source: data, batchSize: 8, world, shuffle });
  for (let i = 0; i < 5; i++) await loader.next();
  const state = loader.stateDict();
  await loader.close();
  const ranks: (readonly [number, number])[][] = [];
  for (const rank of [0, 1]) {
    const resumed = await load({ source: data, batchSize: 8, world: { rank, worldSize: 2 }, shuffle, ends: "uneven" });
    resumed.loadStateDict(state);
    const rows: (readonly [number, number])[] = [];
    for await (const batch of resumed) {
      const table = batch.toRecordBatch();
      for (let i = 0; i < table.numRows; i++)
        rows.push([Number(table.get(i)?.["id"]), Number(table.get(i)?.["month"])]);
    }
    ranks.push(rows);
  }
  const woven = whole.slice(40).map((_, i) => (ranks[i % 2] as (readonly [number, number])[])[i >> 1]);
  expect(woven).toEqual(whole.slice(40));
});

test("conditions look at folders too, and leave the order as it is", async () => {
  const rows = await rowsLoaded({});
  const passing = rows.filter(([id, month]) => month === 2 && id > 60);
  expect(await rowsLoaded({ where: "month = 2 and id > 60" })).toEqual(passing);
});

test("a state of another data set, a file that changes, and what cannot be loaded are named", async () => {
  const copy = join(folder, "copy");
  for (const name of ["month=1/a", "month=2/a", "month=2/b", "month=3/a"]) {
    await mkdir(join(copy, name, ".."), { recursive: true });
    await copyFile(join(data, `${name}.parquet`), join(copy, `${name}.parquet`));
  }
  const first = await load({ source: data, batchSize: 9, world, shuffle });
  const state = first.stateDict();
  await first.close();
  const same = await load({ source: copy, batchSize: 9, world, shuffle });
  same.loadStateDict(state);
  await appendFile(join(copy, "month=3", "a.parquet"), "x");
  const read = async () => {
    for await (const batch of same) expect(batch.rows).toBeGreaterThan(0);
  };
  await expect(read()).rejects.toMatchObject({ code: "INGEST_SOURCE" });
  await writeIds(join(copy, "month=3", "a.parquet"), 500, 41, 32);
  const other = await load({ source: copy, batchSize: 9, world, shuffle });
  expect(() => other.loadStateDict(state)).toThrow(expect.objectContaining({ code: "INGEST_STATE" }) as Error);
  await other.close();
  const reader = await open(data);
  await expect(load({ source: reader, batchSize: 9, world })).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
  await reader.close();
  await copyFile(new URL("fixtures/avro/flat-null.avro", import.meta.url), join(copy, "month=1", "z.avro"));
  const mixed = await load({ source: copy, batchSize: 9, world });
  expect(mixed.plan.rows).toBeGreaterThan(128);
  await mixed.close();
});

test("what comes into the folder after it was listed is not read, in later epochs neither", async () => {
  const growing = join(folder, "growing");
  for (const month of [1, 2]) await mkdir(join(growing, `month=${month}`), { recursive: true });
  await writeIds(join(growing, "month=1", "b.parquet"), 0, 50, 32);
  const loader = await load({ source: growing, batchSize: 50, epochs: 2, shuffle: false, world });
  const reader = await open(growing);
  await writeIds(join(growing, "month=1", "a.parquet"), 500, 50, 32);
  await writeIds(join(growing, "month=2", "a.parquet"), 600, 50, 32);
  const epochs: number[][] = [];
  for await (const batch of loader) epochs.push(batch.toColumns().columns.map(({ length }) => length));
  expect(epochs).toEqual([
    [50, 50],
    [50, 50],
  ]);
  let rows = 0;
  for await (const slab of reader.slabs()) rows += slab.rows;
  expect(rows).toBe(50);
  await reader.close();
  const again = await open(growing);
  expect(again.rows).toBe(150);
  await again.close();
});

test("open reads the same rows", async () => {
  const reader = await open(data);
  const rows: unknown[] = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
  await reader.close();
  expect(rows).toHaveLength(128);
});

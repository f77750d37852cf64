import { type Batch, load, type LoadOptions } from "@ingest-ts/loader";
import { expect, test } from "vitest";
import { idsOf, MemoryReader } from "./memory-reader.ts";

const shuffle = { windowRows: 16, lanes: 4 };

async function ranksOf(worldSize: number, options: Partial<LoadOptions> & { batchSize: number }) {
  const ranks = [];
  for (let rank = 0; rank < worldSize; rank++) {
    const source = new MemoryReader({ fragmentRows: [30, 71] });
    const loader = await load({ source, shuffle, world: { rank, worldSize }, ...options });
    const all: Batch[] = [];
    for await (const batch of loader) all.push(batch);
    ranks.push({ loader, all, rows: all.map((batch) => batch.rows), ids: all.flatMap((b) => idsOf(b.toColumns())) });
  }
  return ranks;
}

test("several ranks drop by default what does not fill a step of all, and count it", async () => {
  const ranks = await ranksOf(4, { batchSize: 8, epochs: 2 });
  for (const { rows } of ranks) expect(rows).toEqual(new Array<number>(6).fill(8));
  expect(new Set(ranks.flatMap(({ all }) => all.slice(0, 3).flatMap((b) => idsOf(b.toColumns())))).size).toBe(96);
  // 101 rows, 96 delivered an epoch: positions 96 to 100 belong to ranks 0, 1, 2, 3 and 0.
  expect(ranks.map(({ loader }) => loader.droppedRows)).toEqual([4, 2, 2, 2]);
});

test("uneven: every row once, the last batches as they come", async () => {
  const ranks = await ranksOf(4, { batchSize: 8, ends: "uneven" });
  expect(ranks.map(({ rows }) => rows)).toEqual([
    [8, 8, 8, 2],
    [8, 8, 8, 1],
    [8, 8, 8, 1],
    [8, 8, 8, 1],
  ]);
  expect(new Set(ranks.flatMap(({ ids }) => ids)).size).toBe(101);
});

test("pad: equal batches on every rank; valid rows are every row once", async () => {
  const ranks = await ranksOf(4, { batchSize: 8, ends: "pad" });
  const valid: number[] = [];
  let last: number | undefined;
  for (const { rows, all } of ranks) {
    expect(rows).toEqual([8, 8, 8, 8]);
    for (const batch of all) {
      for (const row of batch.toRecordBatch().toArray() as unknown as {
        id: number;
        name: string;
        ingest_valid: boolean;
      }[]) {
        expect(row.name).toBe(`row ${row.id}`);
        if (row.ingest_valid) valid.push(row.id);
        else expect((last ??= row.id)).toBe(row.id);
      }
    }
  }
  expect(new Set(valid).size).toBe(101);
  expect(valid.length).toBe(101);
  // What fills up is the row at the last position, 100, which is rank 0's.
  expect(last).toBe(ranks[0]?.all.flatMap((b) => idsOf(b.toColumns()))[25]);
});

test("pad: a rank without any row gets copies only", async () => {
  const source = new MemoryReader({ fragmentRows: [2] });
  const loader = await load({ source, shuffle, batchSize: 3, ends: "pad", world: { rank: 3, worldSize: 4 } });
  const { value } = await loader.next();
  const rows = (value as Batch).toRecordBatch().toArray() as unknown as { ingest_valid: boolean }[];
  expect(rows.map((row) => row.ingest_valid)).toEqual([false, false, false]);
  expect((await loader.next()).done).toBe(true);
});

test("where: a batch is its positions less the rows that fail", async () => {
  const whole = await ranksOf(1, { batchSize: 8 });
  const some = await ranksOf(1, { batchSize: 8, where: "id < 40 and id != 7" });
  const passes = (id: number): boolean => id < 40 && id !== 7;
  const expected = whole[0]?.all.map((b) => idsOf(b.toColumns()).filter(passes));
  expect(some[0]?.all.map((b) => idsOf(b.toColumns()))).toEqual(expected);
  expect(some[0]?.all.map((b) => b.rows)).toEqual(expected?.map((ids) => ids.length));
  for (const batch of some[0]?.all ?? []) {
    expect(batch.toColumns().columns.length).toBe(2);
    expect(batch.toRecordBatch().schema.fields.map((f) => f.name)).toEqual(["id", "name"]);
    expect([...batch.toMatrix(["id"])]).toEqual(idsOf(batch.toColumns()));
  }
});

test("where that nothing passes: empty batches, so that steps still agree", async () => {
  const [rank] = await ranksOf(1, { batchSize: 50, where: ["gt", "id", 1_000] });
  expect(rank?.rows).toEqual([0, 0, 0]);
  expect(rank?.all[0]?.toRecordBatch().numRows).toBe(0);
});

test("no rows: no batches, also of endless epochs", async () => {
  for (const ends of ["drop", "pad", "uneven"] as const) {
    const source = new MemoryReader({ fragmentRows: [0] });
    const loader = await load({ source, batchSize: 5, epochs: Infinity, ends, world: { rank: 0, worldSize: 1 } });
    expect((await loader.next()).done).toBe(true);
  }
  const few = new MemoryReader({ fragmentRows: [3] });
  const loader = await load({
    source: few,
    batchSize: 5,
    epochs: Infinity,
    ends: "drop",
    world: { rank: 0, worldSize: 1 },
  });
  expect((await loader.next()).done).toBe(true);
  expect(loader.droppedRows).toBe(3);
});

test("calls of next that overlap get batches in order", async () => {
  const loader = await load({
    source: new MemoryReader({ fragmentRows: [50] }),
    batchSize: 10,
    world: { rank: 0, worldSize: 1 },
  });
  const results = await Promise.all(Array.from({ length: 6 }, () => loader.next()));
  expect(results.map(({ value }) => value?.step)).toEqual([0, 1, 2, 3, 4, undefined]);
});

test("closing while a batch is on its way ends the stream", async () => {
  const source = new MemoryReader({ fragmentRows: [5_000] });
  const loader = await load({ source, batchSize: 10, world: { rank: 0, worldSize: 1 } });
  await loader.next();
  const state = loader.stateDict();
  const pending = loader.next();
  await loader.close();
  expect((await pending).done).toBe(true);
  expect(loader.stateDict()).toEqual(state);
  expect(source.open).toBe(0);
});

test("an abort passes through", async () => {
  const controller = new AbortController();
  const source = new MemoryReader({ fragmentRows: [5_000] });
  const loader = await load({ source, batchSize: 10, signal: controller.signal, world: { rank: 0, worldSize: 1 } });
  await loader.next();
  controller.abort();
  await expect(loader.next()).rejects.toMatchObject({ name: "AbortError" });
  expect(source.open).toBe(0);
});

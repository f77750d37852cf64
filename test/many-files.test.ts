// A folder of very many small files: counted opens, before and after `ingest index`. `.ci/run` takes 10,000 files
// (INGEST_MANY_FILES); what it costs is reported, not judged.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { channels, type SourceOpened } from "@ingest-ts/core";
import { indexDataset, load, planRun } from "@ingest-ts/loader";
import { open } from "@ingest-ts/readers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { opensOf } from "./lib/opens.ts";
import { idsOfFolder, writeIds } from "./lib/write-ids.ts";

const COUNT = Number(process.env["INGEST_MANY_FILES"] ?? 1000);
const ROWS_OF_EACH = 3;
/** docs/ARCHITECTURE.md: metadata of 16 files at a time, 64 files kept open. */
const [AT_ONCE, KEPT_OPEN] = [16, 64];
const world = { rank: 0, worldSize: 1 };
let folder = "";
let data = "";

/** Rows i·3 … i·3 + 2 lie in file i. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest many "));
  data = join(folder, "data");
  await mkdir(data);
  for (let i = 0; i < COUNT; i++) {
    await writeIds(join(data, `${String(i).padStart(5, "0")}.parquet`), i * ROWS_OF_EACH, ROWS_OF_EACH);
  }
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Watched {
  readonly seconds: number;
  /** Files that were being opened at one time. */
  readonly atOnce: number;
  /** Descriptors beyond those before. */
  readonly descriptors: number;
}

/** Watches openings while `body` runs. */
async function watched(body: () => Promise<void>): Promise<Watched> {
  const steps: [at: number, by: 1 | -1][] = [];
  const before = readdirSync("/proc/self/fd").length;
  let descriptors = 0;
  const note = (message: unknown): void => {
    const { durationMs } = message as SourceOpened;
    const now = performance.now();
    steps.push([now - durationMs, 1], [now, -1]);
    if (steps.length % 100 === 0) descriptors = Math.max(descriptors, readdirSync("/proc/self/fd").length - before);
  };
  subscribe(channels.sourceOpened.name, note);
  const started = performance.now();
  try {
    await body();
  } finally {
    unsubscribe(channels.sourceOpened.name, note);
  }
  const seconds = (performance.now() - started) / 1000;
  let [atOnce, now] = [0, 0];
  for (const [, by] of steps.sort(([a, x], [b, y]) => a - b || x - y)) atOnce = Math.max(atOnce, (now += by));
  return { seconds, atOnce, descriptors };
}

test(`${COUNT} files: one open each, some at a time, and few stay open`, { timeout: 300_000 }, async () => {
  const seen: string[] = [];
  const cases: [name: string, body: () => Promise<void>][] = [
    [
      "schema",
      async () => {
        const reader = await open(data);
        expect(reader.rows).toBe(COUNT * ROWS_OF_EACH);
        await reader.close();
      },
    ],
    [
      "plan",
      async () => expect((await planRun({ source: data, batchSize: 8, world })).rows).toBe(COUNT * ROWS_OF_EACH),
    ],
    [
      "index",
      async () => expect(await indexDataset(data)).toMatchObject({ files: COUNT, opened: COUNT, written: true }),
    ],
  ];
  for (const [name, body] of cases) {
    let watch: Watched | undefined;
    const opens = await opensOf(async () => void (watch = await watched(body)));
    expect({ name, ...opens }).toEqual({ name, files: COUNT, most: 1 });
    const { seconds, atOnce, descriptors } = watch as Watched;
    expect(atOnce, name).toBeGreaterThan(1);
    expect(atOnce, name).toBeLessThanOrEqual(AT_ONCE);
    expect(descriptors, name).toBeLessThanOrEqual(KEPT_OPEN + 2 * AT_ONCE);
    seen.push(`${name} ${COUNT} opens in ${seconds.toFixed(1)} s, ${atOnce} at once, ${descriptors} descriptors`);
  }
  process.stdout.write(`${COUNT} files: ${seen.join("; ")}\n`);
});

test(`${COUNT} files with their kept manifest: none is opened before its rows are read`, {
  timeout: 300_000,
}, async () => {
  const started = performance.now();
  const again = await opensOf(async () => {
    expect((await planRun({ source: data, batchSize: 8, world })).rows).toBe(COUNT * ROWS_OF_EACH);
    expect(await indexDataset(data)).toMatchObject({ opened: 0, written: false });
    await (await load({ source: data, batchSize: 8, world })).close();
  });
  expect(again).toEqual({ files: 0, most: 0 });
  const seconds = (performance.now() - started) / 1000;
  const reading = await opensOf(async () => {
    const ids = await idsOfFolder({ source: data, batchSize: 512, shuffle: false });
    expect(ids).toEqual(Array.from({ length: COUNT * ROWS_OF_EACH }, (_, id) => id));
  });
  expect(reading).toEqual({ files: COUNT, most: 1 });
  process.stdout.write(`${COUNT} files: plan, index and load again without an open in ${seconds.toFixed(1)} s\n`);
});

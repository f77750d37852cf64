// A directory of many files: how often each is opened, with and without a kept manifest.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load, planRun } from "@ingest-ts/loader";
import { afterAll, beforeAll, expect, test } from "vitest";
import { opensOf } from "./lib/opens.ts";
import { idsOfFolder, writeIds } from "./lib/write-ids.ts";

const world = { rank: 0, worldSize: 1 };
let folder = "";
let data = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest manifest "));
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
  data = join(folder, "data");
  await mkdir(data);
  for (let i = 0; i < 40; i++) await writeIds(join(data, `part-${String(i).padStart(2, "0")}.parquet`), i * 30, 30);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("load opens every file once, and so does plan", async () => {
  const loading = await opensOf(async () => expect(await idsOfFolder({ source: data })).toHaveLength(1200));
  expect(loading.files).toBe(40);
  expect(loading.most).toBe(1);

  const planning = await opensOf(async () => {
    expect((await planRun({ source: data, batchSize: 8, world })).rows).toBe(1200);
  });
  expect(planning).toMatchObject({ files: 40, most: 1 });
});

test("plan counts the bytes of the selected columns, not a share of all", async () => {
  const whole = await planRun({ source: data, batchSize: 8, world });
  const ids = await planRun({ source: data, batchSize: 8, world, columns: ["id"] });
  const words = await planRun({ source: data, batchSize: 8, world, columns: ["word"] });
  expect(ids.storedBytes + words.storedBytes).toBe(whole.storedBytes);
  expect(words.storedBytes).toBeGreaterThan(2 * ids.storedBytes);
});

test("what was opened is closed again, whether or not it was read", async () => {
  const loader = await load({ source: data, batchSize: 8, world });
  await loader.close();
});

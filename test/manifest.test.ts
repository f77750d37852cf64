// A directory of many files: how often each is opened, with and without a kept manifest.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isIngestError } from "@ingest-ts/core";
import { Dice } from "@ingest-ts/core/testing";
import { indexDataset, load, planRun } from "@ingest-ts/loader";
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

const run = promisify(execFile);
const main = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));
const manifest = (): string => join(data, "_ingest-manifest");

test("with the kept manifest plan opens no file, and load none before its rows are read; the order stays", async () => {
  const before = await idsOfFolder({ source: data, seed: 3 });
  const built = await opensOf(async () => {
    expect(await indexDataset(data)).toMatchObject({ files: 40, rows: 1200, fragments: 80, opened: 40, written: true });
  });
  expect(built).toEqual({ files: 40, most: 1 });
  const text = await readFile(manifest(), "utf8");
  // Golden: the first two lines, and the members of an object.
  const [first, schema, object] = text.split("\n") as [string, string, string];
  expect(first).toBe('{"manifest":1}');
  expect(schema).toBe(
    '{"schema":"' +
      String((JSON.parse(schema) as { schema: string }).schema) +
      '","fields":[{"name":"id","type":{"kind":"int","bits":32,"signed":true},"nullable":false},' +
      '{"name":"word","type":{"kind":"utf8"},"nullable":false}],"metadata":{}}',
  );
  expect(JSON.parse(object)).toMatchObject({ name: "part-00.parquet", format: "parquet", rows: [20, 10] });
  expect(Object.keys(JSON.parse(object) as object).join()).toBe(
    "name,sizeBytes,etag,format,digest,schema,rows,bytes,columnBytes",
  );
  const planning = await opensOf(async () => {
    expect((await planRun({ source: data, batchSize: 8, world })).rows).toBe(1200);
    await (await load({ source: data, batchSize: 8, world })).close();
    expect(await indexDataset(data)).toMatchObject({ opened: 0, written: false });
  });
  expect(planning.files).toBe(0);
  expect(await idsOfFolder({ source: data, seed: 3 })).toEqual(before);
});

test("files that changed, are new or gone are noticed: load reads them as they are, index opens them alone", async () => {
  const other = join(folder, "changing");
  await mkdir(other);
  for (let i = 0; i < 5; i++) await writeIds(join(other, `${i}.parquet`), i * 30, 30);
  await indexDataset(other);
  await writeIds(join(other, "1.parquet"), 1000, 30);
  await writeIds(join(other, "9.parquet"), 2000, 30);
  await rm(join(other, "4.parquet"));
  const opens = await opensOf(async () => {
    expect((await planRun({ source: other, batchSize: 8, world })).rows).toBe(150);
  });
  expect(opens.files).toBe(2);
  const ids = await idsOfFolder({ source: other, shuffle: false });
  const expected = [0, 1000, 60, 90, 2000].flatMap((from) => Array.from({ length: 30 }, (_, i) => from + i));
  expect(ids).toEqual(expected);
  expect(await indexDataset(other)).toMatchObject({ files: 5, opened: 2, written: true });
  expect(await indexDataset(other)).toMatchObject({ files: 5, opened: 0, written: false });
  // One that changes after the manifest was read is an error by name.
  const loader = await load({ source: other, batchSize: 8, world });
  await appendFile(join(other, "3.parquet"), "x");
  const drain = async (): Promise<void> => {
    for await (const batch of loader) expect(batch.rows).toBeGreaterThan(0);
  };
  await expect(drain()).rejects.toMatchObject({ code: "INGEST_SOURCE", message: expect.stringMatching(/3\.parquet/) });
});

test("of a pattern only its files are described; what is known of the others stays", async () => {
  const other = join(folder, "parts");
  await mkdir(other);
  for (const name of ["a1", "a2", "b1"]) await writeIds(join(other, `${name}.parquet`), 0, 30);
  await indexDataset(other);
  await writeIds(join(other, "a2.parquet"), 100, 30);
  expect(await indexDataset(join(other, "a*"))).toMatchObject({ files: 2, opened: 1, written: true });
  expect(await indexDataset(join(other, "b1.parquet"))).toMatchObject({ files: 1, opened: 0, written: false });
  expect(await indexDataset(other)).toMatchObject({ files: 3, opened: 0, written: false });
  await rm(join(other, "b1.parquet"));
  expect(await indexDataset(`${other}/`)).toMatchObject({ files: 2, opened: 0, written: true });
  expect(await readFile(join(other, "_ingest-manifest"), "utf8")).not.toContain("b1.parquet");
});

test("a damaged manifest is a typed error that names it, whatever the damage", async () => {
  await indexDataset(data);
  const good = await readFile(manifest());
  const dice = new Dice(5);
  try {
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const bytes = Buffer.from(i % 3 === 0 ? good.subarray(0, dice.below(good.length)) : good);
      if (bytes.length > 0) for (let n = 0; n <= dice.below(3); n++) bytes[dice.below(bytes.length)] = dice.below(256);
      await writeFile(manifest(), bytes);
      try {
        expect((await planRun({ source: data, batchSize: 8, world })).rows).toBe(1200);
      } catch (error) {
        expect(isIngestError(error, "INGEST_FORMAT"), String(error)).toBe(true);
        expect((error as Error).message).toContain("_ingest-manifest");
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
  } finally {
    await writeFile(manifest(), good);
  }
});

async function manyFiles(name: string, count: number): Promise<string> {
  const many = join(folder, name);
  await mkdir(many);
  const one = join(data, "part-00.parquet");
  for (let i = 0; i < count; i++) await copyFile(one, join(many, `${String(i).padStart(5, "0")}.parquet`));
  return many;
}

test("processes that build at once: one writes, all end well, nothing is left over", async () => {
  const many = await manyFiles("race", 60);
  const reports = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { stdout } = await run(process.execPath, [main, "index", many, "--json"]);
      return JSON.parse(stdout) as { written: boolean; rows: number };
    }),
  );
  expect(reports.map(({ rows }) => rows)).toEqual([1800, 1800, 1800, 1800]);
  expect(reports.filter(({ written }) => written)).toHaveLength(1);
  expect((await readdir(many)).filter((name) => name.startsWith("_"))).toEqual(["_ingest-manifest"]);
});

test("a builder that was killed is taken over from: what it had opened is not opened again", async () => {
  const many = await manyFiles("killed", 600);
  const child = spawn(process.execPath, [main, "index", many], { stdio: "ignore" });
  const journal = async (): Promise<string> => {
    const name = (await readdir(many)).find((each) => each.endsWith(".part"));
    return name === undefined ? "" : readFile(join(many, name), "utf8");
  };
  while ((await journal()).split("\n").length < 50) await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill("SIGKILL");
  await once(child, "exit");
  const { stdout } = await run(process.execPath, [main, "index", many, "--json"]);
  const report = JSON.parse(stdout) as { files: number; opened: number };
  expect(report.files).toBe(600);
  // Of 49 whole lines two are no objects.
  expect(report.opened).toBeLessThanOrEqual(600 - 47);
});

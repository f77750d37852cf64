// What `ingest plan` says, against what `load` does.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { channels, type FragmentRead, type SourceRead } from "@ingest-ts/core";
import { Dice, randomColumns } from "@ingest-ts/core/testing";
import { load, type LoadOptions, planRun } from "@ingest-ts/loader";
import { open } from "@ingest-ts/readers";
import { fileSink } from "@ingest-ts/storage";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeIds } from "./lib/write-ids.ts";

const run = promisify(execFile);
const main = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest-plan-"));
  const type = { kind: "int", bits: 32, signed: true } as const;
  const schema = { fields: [{ name: "id", type, nullable: true }], metadata: {} };
  for (const month of [1, 2, 3]) {
    await mkdir(join(folder, `month=${month}`));
    const sink = await fileSink(join(folder, `month=${month}`, "a.parquet"));
    const writer = await createParquetWriter(sink, schema, { rowGroupRows: 40 });
    await writer.write(randomColumns(new Dice(month), schema, 100));
    await writer.finish();
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The files of which a fragment was read to its end, once for each. */
async function readsOf(body: () => Promise<void>): Promise<string[]> {
  const reads: string[] = [];
  const note = (message: unknown): void => {
    reads.push((message as FragmentRead).url);
  };
  subscribe(channels.fragmentRead.name, note);
  await body();
  unsubscribe(channels.fragmentRead.name, note);
  return reads;
}

test.each(["drop", "pad", "uneven"] as const)(
  "ends %s: rows, steps and fragment reads are those of load",
  async (ends) => {
    const options = { source: folder, batchSize: 7, shuffle: { lanes: 4, windowRows: 16 }, ends } as const;
    const planned = await planRun({ ...options, world: { rank: 0, worldSize: 2 } });
    expect(planned).toMatchObject({ rows: 300, objects: 3, fragments: 9, maxFragmentReads: 12, worldSizes: [1, 2, 4] });
    for (const rank of [0, 1]) {
      const expected = planned.ranks[rank];
      let steps = 0;
      const reads = await readsOf(async () => {
        for await (const batch of await load({ ...options, world: { rank, worldSize: 2 } })) {
          steps++;
          expect(batch.rows).toBeLessThanOrEqual(7);
        }
      });
      expect(steps).toBe(expected?.steps);
      // A lane stops at its last row, which is not always the end of a fragment.
      expect(reads.length).toBeLessThanOrEqual(expected?.fragmentReads ?? 0);
      expect(reads.length).toBeGreaterThan(0);
    }
  },
);

test("no row is read, and what each rank reads is told of its lanes", async () => {
  const options = { source: folder, batchSize: 7, shuffle: { lanes: 4, windowRows: 16 } } as const;
  const reads = await readsOf(async () => {
    const { ranks, storedBytes, readAmplification } = await planRun({ ...options, world: { rank: 0, worldSize: 2 } });
    for (const { lanes, readBytes, readAmplification: times } of ranks) {
      expect(lanes).toBe(2);
      expect(times).toBeCloseTo(readBytes / (storedBytes / 2));
    }
    // Nine fragments in four lanes: three of them lie in two.
    expect(readAmplification).toBeGreaterThan(1.1);
    expect(readAmplification).toBeCloseTo(ranks.reduce((sum, { readAmplification: times }) => sum + times / 2, 0));
  });
  expect(reads).toEqual([]);
});

test("the bytes of every rank are those that load asks its files for", async () => {
  for (const columns of [undefined, ["id"], ["month"]]) {
    const options = { source: folder, batchSize: 7, columns, shuffle: { lanes: 4, windowRows: 16 } };
    for (const rank of [0, 1]) {
      const world = { rank, worldSize: 2 };
      const { ranks } = await planRun({ ...options, ends: "uneven", world });
      const loader = await load({ ...options, ends: "uneven", world });
      let askedBytes = 0;
      const note = (message: unknown): void => void (askedBytes += (message as SourceRead).askedBytes);
      subscribe(channels.sourceRead.name, note);
      for await (const batch of loader) expect(batch.rows).toBeGreaterThan(0);
      unsubscribe(channels.sourceRead.name, note);
      expect({ columns, rank, askedBytes }).toEqual({ columns, rank, askedBytes: ranks[rank]?.readBytes });
    }
  }
});

test("files that the condition rules out are not read", async () => {
  const options = { source: folder, batchSize: 7, where: "month = 2", world: { rank: 0, worldSize: 1 } } as const;
  const planned = await planRun(options);
  expect(planned.prunedObjects).toBe(2);
  let rows = 0;
  const reads = await readsOf(async () => {
    for await (const batch of await load(options)) rows += batch.rows;
  });
  expect(rows).toBe(100);
  expect(new Set(reads)).toEqual(new Set([join(folder, "month=2", "a.parquet")]));
  expect(reads.length).toBeLessThanOrEqual(planned.fragmentReads);
});

test("of one file too, what a condition rules out is not fetched, and the batches are the same", async () => {
  const path = join(folder, "..", `${basename(folder)}-ids.parquet`);
  await writeIds(path, 0, 2000);
  try {
    const shuffle = { lanes: 4, windowRows: 64 };
    const options = { batchSize: 32, where: "id >= 500 and id < 620", shuffle, world: { rank: 0, worldSize: 1 } };
    const read = async (source: LoadOptions["source"]): Promise<{ ids: number[][]; askedBytes: number }> => {
      const loader = await load({ ...options, source });
      let askedBytes = 0;
      const note = (message: unknown): void => void (askedBytes += (message as SourceRead).askedBytes);
      subscribe(channels.sourceRead.name, note);
      const ids: number[][] = [];
      for await (const batch of loader) ids.push([...batch.toMatrix(["id"], Float64Array)]);
      unsubscribe(channels.sourceRead.name, note);
      return { ids, askedBytes };
    };
    // A reader that was given reads every fragment.
    const reader = await open(path);
    const whole = await read(reader);
    await reader.close();
    const pruned = await read(path);
    expect(pruned.ids).toEqual(whole.ids);
    expect(pruned.ids.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, i) => 500 + i));
    expect(pruned.askedBytes).toBeGreaterThan(0);
    expect(pruned.askedBytes).toBeLessThan(whole.askedBytes / 8);
  } finally {
    await rm(path);
  }
});

test("the command: a table of 80 columns, JSON, and refusals with the next good values", async () => {
  const { stdout, stderr } = await run(process.execPath, [main, "plan", folder, "--world", "4", "--batch", "8"]);
  expect(stderr).toBe("world: 4 ranks (--world)\n");
  expect(stdout).toMatch(/300 rows in 3 files/);
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  await writeFile(join(folder, "_SUCCESS"), "");
  await writeFile(join(folder, "month=1", "empty.parquet"), "");
  const passed = await run(process.execPath, [main, "plan", folder, "--batch", "8", "--world", "1", "--no-partitions"]);
  expect(passed.stdout).toContain("passed over: 1 name that begins with _ or ., 1 empty file\n");
  const by = ["--where", "month = 2"];
  await expect(
    run(process.execPath, [main, "plan", folder, "--batch", "8", "--world", "1", "--no-partitions", ...by]),
  ).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/month/) as string });
  const json = await run(process.execPath, [main, "plan", folder, "--batch", "8", "--json"], {
    env: { ...process.env, RANK: "3", WORLD_SIZE: "8", LOCAL_RANK: "3", TORCHELASTIC_RUN_ID: "x" },
  });
  expect(json.stderr).toBe("world: rank 3 of 8 (torchrun)\n");
  expect(JSON.parse(json.stdout)).toMatchObject({ rows: 300, worldSize: 8, lanes: 8 });
  const refused = run(process.execPath, [main, "plan", folder, "--world", "5", "--lanes", "8", "--batch", "8"]);
  await expect(refused).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/Use 4 or 8 ranks/) as string });
});

// Ledgers of real runs, killed, resized and damaged, and what the audit says of them.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StateDict } from "@ingest-ts/core";
import { type Batch, load, type LoadOptions } from "@ingest-ts/loader";
import { auditLedgers } from "@ingest-ts/loader/ledger";
import { positionsOfRank } from "@ingest-ts/sharder";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { idsOf, MemoryReader } from "../memory-reader.ts";
import { anyStart, type Start } from "./starts.ts";

const fragmentRows = [30, 71, 0, 120];
const total = 221;
const shuffle = { windowRows: 16, lanes: 4 };
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest-ledger-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Place {
  readonly epoch: number;
  readonly position: number;
}

function placeOf(state: StateDict): Place {
  return { epoch: state["epoch"] as number, position: state["position"] as number };
}

/** Whether a rank at `place` has all its batches before `stop`: in an uneven last step it may have none. */
function isBehind(place: Place, stop: Place, rank: number, worldSize: number): boolean {
  if (place.epoch === stop.epoch) return place.position >= stop.position;
  if (place.epoch > stop.epoch) return true;
  const rest = positionsOfRank(place.position, total, rank, worldSize);
  return stop.epoch === place.epoch + 1 && stop.position === 0 && rest === 0;
}

/** Runs all ranks of one start; returns the checkpoint they leave. */
async function run(start: Start, state: StateDict | undefined, options: Partial<LoadOptions> = {}) {
  const { worldSize, batchSize, steps: most, back } = start;
  let checkpoint = state;
  /** Where rank 0, which has a batch in every step, was killed: the others get as far. */
  let stop: Place | undefined;
  // Starts are ordered by their clock, which counts milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 3));
  for (let rank = 0; rank < worldSize; rank++) {
    const source = new MemoryReader({ fragmentRows });
    const world = { rank, worldSize };
    const loader = await load({ source, shuffle, ends: "uneven", ledger: folder, ...options, world, batchSize });
    if (state !== undefined) loader.loadStateDict(state);
    let steps = 0;
    const isDone = (at: StateDict): boolean =>
      rank === 0 ? steps >= most : stop !== undefined && isBehind(placeOf(at), stop, rank, worldSize);
    if (!isDone(loader.stateDict())) {
      for await (const batch of loader) {
        steps++;
        if (rank === 0 && steps === most - back) checkpoint = batch.state;
        if (isDone(batch.state)) break;
      }
    }
    if (rank === 0 && most !== Infinity) stop = placeOf(loader.stateDict());
    await loader.close();
  }
  return checkpoint;
}

async function lines(file: string): Promise<string[]> {
  return (await readFile(join(folder, file), "utf8")).trimEnd().split("\n");
}

async function onlyFile(): Promise<string> {
  const [file] = await readdir(folder);
  return file as string;
}

test("random kills, batches and worlds: every row once, and what was done again is rolled back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStart, { maxLength: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom("uneven", "pad"),
      async (starts, epochs, ends) => {
        await rm(folder, { recursive: true, force: true });
        let state: StateDict | undefined;
        for (const one of starts) state = await run(one, state, { epochs, ends });
        await run({ worldSize: 2, batchSize: 7, steps: Infinity, back: 0 }, state, { epochs, ends });
        const report = await auditLedgers([folder]);
        expect(report.findings).toEqual([]);
        expect(report.ok).toBe(true);
        expect(report.epochs.map(({ onceRows }) => onceRows)).toEqual(Array.from({ length: epochs }, () => total));
      },
    ),
    { numRuns: Number(process.env["INGEST_LEDGER_RUNS"] ?? 25) },
  );
});

test("a line taken out is lost, by file and row, as the batch had them", async () => {
  const source = new MemoryReader({ fragmentRows });
  const ledger = join(folder, "run.jsonl");
  const batches: Batch[] = [];
  const world = { rank: 0, worldSize: 1 };
  for await (const batch of await load({ source, shuffle, batchSize: 10, ledger, world })) batches.push(batch);
  const all = await lines("run.jsonl");
  expect(all.length).toBe(2 + Math.ceil(total / 10));
  await writeFile(ledger, `${all.filter((_, i) => i !== 7).join("\n")}\n`);
  const report = await auditLedgers([ledger], { rangeLimit: 100 });
  const [finding] = report.findings;
  expect(finding).toMatchObject({ kind: "lost", epoch: 0, rows: 10, more: 0 });
  const rows = finding?.ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
  expect(rows).toEqual(idsOf((batches[5] as Batch).toColumns()).sort((a, b) => a - b));

  await writeFile(ledger, `${[...all, all[7]].join("\n")}\n`);
  const twice = await auditLedgers([ledger], { rangeLimit: 100 });
  expect(twice.findings).toMatchObject([{ kind: "doubled", rows: 10, ranges: finding?.ranges }]);

  await writeFile(ledger, `${[...all, (all[7] as string).replace(/"digest":"./, '"digest":"z')].join("\n")}\n`);
  const differ = await auditLedgers([ledger], { rangeLimit: 100 });
  expect(differ.findings.map(({ kind, rows }) => [kind, rows])).toEqual([
    ["doubled", 10],
    ["differ", 10],
  ]);

  await writeFile(ledger, `${all.slice(0, -2).join("\n")}\n`);
  expect((await auditLedgers([ledger])).findings).toMatchObject([{ kind: "unreached", rows: 11 }]);
});

test("a torn last line does not count; a damaged one is named", async () => {
  await run({ worldSize: 1, batchSize: 50, steps: Infinity, back: 0 }, undefined);
  const file = await onlyFile();
  const text = await readFile(join(folder, file), "utf8");
  await writeFile(join(folder, file), text.slice(0, -5));
  const report = await auditLedgers([folder]);
  expect(report).toMatchObject({ tornLines: 1, findings: [{ kind: "unreached", rows: 21 }] });
  await writeFile(join(folder, file), text.replace('"epoch":0,"step":1', '"epoch":0,"stop":1'));
  await expect(auditLedgers([folder])).rejects.toThrow(/line 4 is no line of a ledger/);
  // Numbers that no run can have are refused, not counted up to.
  await writeFile(join(folder, file), text.replace('"epoch":0,"step":1', '"epoch":9000000000000000,"step":1'));
  await expect(auditLedgers([folder])).rejects.toThrow(/line 4 is no line of a ledger/);
  await writeFile(join(folder, file), text.replace('"worldSize":1', '"worldSize":4000000007'));
  await expect(auditLedgers([folder])).rejects.toThrow(/line 2: rank 0 of 4000000007, a world that does not divide/);
  await writeFile(join(folder, file), text.replace(/"lanes":\d+/, '"lanes":9000000000000000'));
  await expect(auditLedgers([folder])).rejects.toThrow(/line 1 is no line of a ledger/);
});

test("a restart appends to a file behind a torn line, and refuses another run's", async () => {
  const ledger = join(folder, "run.jsonl");
  const state = await run({ worldSize: 1, batchSize: 10, steps: 3, back: 0 }, undefined, { ledger });
  await writeFile(ledger, `${await readFile(ledger, "utf8")}{"batch":"`);
  await run({ worldSize: 1, batchSize: 9, steps: Infinity, back: 0 }, state, { ledger });
  expect(await auditLedgers([ledger])).toMatchObject({ ok: true, attempts: 2, ledgers: 1 });
  const other = { ledger, seed: 5 };
  await expect(run({ worldSize: 1, batchSize: 9, steps: 1, back: 0 }, undefined, other)).rejects.toThrow(
    /not a ledger of this run/,
  );
});

test("dropped and padded rows are counted", async () => {
  await run({ worldSize: 2, batchSize: 10, steps: Infinity, back: 0 }, undefined, { ends: "drop" });
  expect((await auditLedgers([folder])).findings).toMatchObject([{ kind: "dropped", rows: 1 }]);
  await rm(folder, { recursive: true });
  await run({ worldSize: 2, batchSize: 10, steps: Infinity, back: 0 }, undefined, { ends: "pad" });
  const report = await auditLedgers([folder]);
  expect(report).toMatchObject({ ok: true, epochs: [{ onceRows: total, paddedRows: 19 }] });
  const ids: number[] = [];
  const world = { rank: 0, worldSize: 1 };
  for await (const batch of await load({ source: new MemoryReader({ fragmentRows }), shuffle, batchSize: 10, world })) {
    ids.push(...idsOf(batch.toColumns()));
  }
  const last = ids.at(-1) as number;
  expect(report.epochs[0]?.paddedWith).toMatchObject({ from: last, to: last + 1 });
});

test("a missing rank is lost; ledgers of two seeds are refused", async () => {
  await run({ worldSize: 4, batchSize: 10, steps: Infinity, back: 0 }, undefined);
  const files = await readdir(folder);
  await rm(join(folder, files.find((name) => name.startsWith("rank-2-")) as string));
  expect((await auditLedgers([folder])).findings).toMatchObject([{ kind: "lost", rows: 55 }]);
  await run({ worldSize: 1, batchSize: 10, steps: 1, back: 0 }, undefined, { seed: 9 });
  await expect(auditLedgers([folder])).rejects.toThrow(/has seed/);
});

// Ledgers of a stream, killed, resized and damaged, and what the audit says of them.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StateDict, StateError } from "@ingest-ts/core";
import { prepareShuffle } from "@ingest-ts/shuffler";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { auditLedgers } from "../../src/ledger/index.ts";
import { settingsOf } from "../../src/options.ts";
import { SealStore } from "../../src/stream/seal-store.ts";
import { datasetOfWindow } from "../../src/stream/window-dataset.ts";
import { WindowLoader } from "../../src/stream/window-loader.ts";
import { WindowSource } from "../../src/stream/window-source.ts";
import { FakeStream, filled } from "./fake-stream.ts";
import { anyStart, type Start } from "../ledger/starts.ts";

let folder: string;
beforeAll(() => prepareShuffle());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ingest-window-ledger-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const topic = (): FakeStream => new FakeStream([filled(0, 61), filled(1, 33, (o) => o % 5 === 2), filled(2, 0)]);
const total = 61 + 33 - 7;

const ledgers = (): string => join(folder, "ledger");

function loaderOf(rank: number, { worldSize, batchSize }: Start, ledger = ledgers()): WindowLoader {
  const stream = topic();
  const source = new WindowSource(stream, new SealStore(folder, stream.digest), {
    rows: 40,
    ageMs: 60_000,
    sizeBytes: 1e9,
  });
  const world = { rank, worldSize };
  const options = { source: [], batchSize, epochs: Infinity, seed: 3, ends: "pad", world, ledger } as const;
  return new WindowLoader({
    windows: {
      digest: stream.digest,
      seal: (k) => source.seal(k),
      load: (k) => source.load(k),
      close: () => source.close(),
    },
    settings: settingsOf(options, {}),
    schema: stream.schema,
    datasetOf: (loaded) => datasetOfWindow(loaded, stream.schema, undefined, undefined),
  });
}

/** Runs all ranks of one start; returns the checkpoint that they leave. */
async function run(start: Start, state?: StateDict): Promise<StateDict | undefined> {
  // Starts are ordered by their clock, which counts milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 3));
  let checkpoint = state;
  for (let rank = 0; rank < start.worldSize; rank++) {
    const loader = loaderOf(rank, start);
    if (state !== undefined) loader.loadStateDict(state);
    for (let step = 1; step <= start.steps; step++) {
      const { value } = await loader.next();
      if (value === undefined) break;
      if (step === start.steps - start.back) checkpoint = value.state;
    }
    await loader.close();
  }
  return checkpoint;
}

const whole: Start = { worldSize: 2, batchSize: 7, steps: Infinity, back: 0 };

function onlyFile(): string {
  const [name = ""] = readdirSync(ledgers());
  return join(ledgers(), name);
}

describe("a ledger of windows", () => {
  test("property: random kills, batches and worlds, every row once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStart, { maxLength: 4 }), async (starts) => {
        rmSync(ledgers(), { recursive: true, force: true });
        let state: StateDict | undefined;
        for (const one of starts) state = await run(one, state);
        await run(whole, state);
        const report = await auditLedgers([ledgers()]);
        expect(report.findings).toEqual([]);
        expect(report.epochs.map(({ onceRows }) => onceRows)).toEqual([40, 40, total - 80]);
        expect(report.partitions).toEqual([
          { topic: "t", partition: 0, startOffset: 0, endOffset: 61, rows: 61 },
          { topic: "t", partition: 1, startOffset: 0, endOffset: 33, rows: 26 },
          { topic: "t", partition: 2, startOffset: 0, endOffset: 0, rows: 0 },
        ]);
      }),
      { numRuns: Number(process.env["INGEST_LEDGER_RUNS"] ?? 25) },
    );
  });

  test("a line taken out is lost, one written twice doubled, by partition and row", async () => {
    const one = { worldSize: 1, batchSize: 10, steps: Infinity, back: 0 };
    await run(one);
    const file = onlyFile();
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    const at = lines.findIndex((line) => line.includes('"epoch":1,"step":2'));
    const text = (list: readonly string[]): void => writeFileSync(file, `${list.join("\n")}\n`);
    text(lines.filter((_, i) => i !== at));
    const lost = await auditLedgers([file], { rangeLimit: 100 });
    expect(lost.findings).toMatchObject([{ kind: "lost", epoch: 1, rows: 10 }]);
    const named = lost.findings[0]?.ranges.map((range) => range.file) ?? [];
    expect(new Set(named).size).toBeGreaterThan(0);
    for (const name of named) expect(name).toMatch(/^t\/00000[01]\/\d+-\d+$/);
    text([...lines, lines[at] as string]);
    const doubled = await auditLedgers([file], { rangeLimit: 100 });
    expect(doubled.findings).toEqual([{ ...lost.findings[0], kind: "doubled" }]);
  });

  test("a window that is not told of, told otherwise, or does not meet the one before is refused", async () => {
    await run({ ...whole, worldSize: 1 });
    const file = onlyFile();
    const text = readFileSync(file, "utf8");
    const attempt = async (change: (line: string) => string | undefined): Promise<unknown> => {
      const lines = text.trimEnd().split("\n");
      writeFileSync(file, `${lines.flatMap((line) => change(line) ?? []).join("\n")}\n`);
      return auditLedgers([file]).catch((error: unknown) => error);
    };
    const isWindow = (line: string, k: number): boolean => line.startsWith(`{"window":${k},`);
    const untold = await attempt((line) => (isWindow(line, 1) ? undefined : line));
    expect(untold).toBeInstanceOf(StateError);
    expect(String(untold)).toMatch(/no ledger says what window 1 held/);
    const otherwise = await attempt((line) => (isWindow(line, 0) ? `${line}\n{"window":0,"ranges":[]}` : line));
    expect(String(otherwise)).toMatch(/hold different rows as window 0/);
    const apart = await attempt((line) =>
      isWindow(line, 1) ? line.replace(/\["t",2,0,0,0\]/, '["t",2,5,5,0]') : line,
    );
    expect(String(apart)).toMatch(/window 1 begins at offset 5 of t, partition 2; the one before ends at 0/);
    const wrong = await attempt((line) => (isWindow(line, 0) ? '{"window":0,"ranges":[["t",0,5,6,9]]}' : line));
    expect(wrong).toMatchObject({ code: "INGEST_FORMAT" });
    expect(String(wrong)).toMatch(/line 3 is no line of a ledger/);
  });

  test("one file goes on when the run starts again, and refuses another stream's", async () => {
    const file = join(folder, "run.jsonl");
    const first = loaderOf(0, { ...whole, worldSize: 1 }, file);
    for (let i = 0; i < 8; i++) await first.next();
    const state = first.stateDict();
    await first.close();
    await new Promise((resolve) => setTimeout(resolve, 3));
    const again = loaderOf(0, { ...whole, worldSize: 1 }, file);
    again.loadStateDict(state);
    while ((await again.next()).done !== true) {
      // To the end.
    }
    expect(await auditLedgers([file])).toMatchObject({ ok: true, attempts: 2, findings: [] });
    writeFileSync(file, readFileSync(file, "utf8").replace('"stream":"fake"', '"stream":"other"'));
    await expect(loaderOf(0, { ...whole, worldSize: 1 }, file).next()).rejects.toThrow(/not a ledger of this run/);
  });
});

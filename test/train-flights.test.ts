// The example's promise: killed at any step and started again, it trains the very same model, and every row counts once.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Dice } from "@ingest-ts/core/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const flights = at("../packages/cli/node_modules/vega-datasets/data/flights-3m.parquet");
const absent = !existsSync(at("../examples/train-flights/dist/train.js"))
  ? " (skipped: packages are not built, run npm run build)"
  : existsSync(flights)
    ? ""
    : " (skipped: the optional package vega-datasets is not installed)";
/** Steps of two epochs of 3,000,000 rows in batches of 4,096. */
const STEPS = 1466;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ingest-train-test-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(name: string, stop: number): NodeJS.Signals | null {
  const args = [at("lib/train-worker.mjs"), flights, join(folder, name), String(stop), join(folder, `${name}.log`)];
  const { status, signal, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (signal === null && status !== 0) throw new Error(stderr);
  return signal;
}

/** Every step's rows and loss; a step that was done twice has to be the same twice. */
function stepsOf(name: string): Map<number, string> {
  const steps = new Map<number, string>();
  for (const line of readFileSync(join(folder, `${name}.log`), "utf8")
    .trimEnd()
    .split("\n")) {
    const space = line.indexOf(" ");
    const [step, rest] = [Number(line.slice(0, space)), line.slice(space)];
    expect(steps.get(step) ?? rest).toBe(rest);
    steps.set(step, rest);
  }
  return steps;
}

const weightsOf = (name: string): unknown =>
  (JSON.parse(readFileSync(join(folder, name, "checkpoint.json"), "utf8")) as { weights: unknown }).weights;

test.skipIf(absent !== "")(
  `five kills leave losses, weights and rows as they would have been${absent}`,
  { timeout: 300_000 },
  () => {
    expect(run("unbroken", 0)).toBe(null);
    const dice = new Dice(20);
    const stops = Array.from({ length: 5 }, () => 1 + dice.below(STEPS)).sort((a, b) => a - b);
    for (const stop of stops) expect(run("broken", stop)).toBe("SIGKILL");
    expect(run("broken", 0)).toBe(null);

    const unbroken = stepsOf("unbroken");
    expect(unbroken.size).toBe(STEPS);
    expect([...stepsOf("broken")].sort(([a], [b]) => a - b)).toEqual([...unbroken]);
    expect(weightsOf("broken")).toEqual(weightsOf("unbroken"));
    // It learns: one flight of five is late, and knowing only that gives 0.5003.
    const losses = [...unbroken.values()].map((line) => Number(line.split(" ").at(-1)));
    const mean = losses.slice(-733).reduce((sum, loss) => sum + loss, 0) / 733;
    expect(mean).toBeLessThan(0.49);

    const audit = spawnSync(
      process.execPath,
      [at("../packages/cli/dist/main.js"), "audit", join(folder, "broken", "ledger")],
      {
        encoding: "utf8",
      },
    );
    expect(audit.stdout + audit.stderr).toContain("each once");
    expect(audit.status).toBe(0);
  },
);

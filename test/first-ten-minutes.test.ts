// "The first ten minutes" of the README, command by command. Needs `npm run build` first (npm test does it); its trainer
// needs Python with pyarrow in .venv.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "./lib/tree.ts";

const ROWS = 3_000_000;
const main = join(root, "packages", "cli", "dist", "main.js");
const flights = join(root, "packages", "cli", "node_modules", "vega-datasets", "data", "flights-3m.parquet");
const python = join(root, ".venv", "bin", "python");

const [, section = ""] =
  /^## The first ten minutes\n([\s\S]*?)^## /m.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
const blocks = [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", code = ""]) => ({
  language,
  code,
}));
const [, looking = "", crashing = "", resuming = ""] = blocks.flatMap(({ language, code }) =>
  language === "sh" ? [code] : [],
);
const trainer = blocks.find(({ language }) => language === "python")?.code ?? "";

const noFlights = existsSync(flights) ? "" : " (skipped: the optional package vega-datasets is not installed)";
const hasPyarrow = existsSync(python) && spawnSync(python, ["-c", "import pyarrow"]).status === 0;
const noPython = hasPyarrow ? noFlights : " (skipped: there is no Python with pyarrow in .venv)";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ingest ten "));
  mkdirSync(join(folder, "run"));
  for (const name of ["packages", "examples"]) symlinkSync(join(root, name), join(folder, name));
  const command = (path: string, ...words: string[]): void =>
    writeFileSync(join(folder, path), `#!/bin/sh\nexec ${words.map((word) => `"${word}"`).join(" ")} "$@"\n`, {
      mode: 0o755,
    });
  command("ingest", process.execPath, main);
  command("python", python);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the commands one after the other, as somebody types them; the first that fails ends it. */
async function bash(code: string): Promise<string> {
  const child = spawn("bash", ["-euo", "pipefail", "-c", code], {
    cwd: join(folder, "run"),
    // What is installed by the README's first block.
    env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}`, PYTHONPATH: join(root, "python", "src") },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 280_000,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  const status = await new Promise((ended) => child.once("close", ended));
  expect(status, `${code}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

const placeIn = (name: string): Readonly<Record<string, unknown>> =>
  JSON.parse(readFileSync(join(folder, "run", name), "utf8")) as Readonly<Record<string, unknown>>;

describe("the first ten minutes", { timeout: 300_000 }, () => {
  test.skipIf(noFlights !== "")(`a folder for each month: what is in it, and what it costs${noFlights}`, async () => {
    const output = await bash(looking);
    expect(output).toMatch(/^month=6: \d+ rows$/m);
    expect(output).toContain("flights: 7 files, parquet, 3,000,000 rows, ");
    expect(output).toMatch(/^month +int64$/m);
    expect(output.match(/^\{"date":.*"month":1\}$/gm)).toHaveLength(5);
    expect(output).toContain("8 ranks; may go on with 1, 2, 4 or 8");
    expect(output).toContain("91 steps of 4,096 rows on each rank");
    expect(output).toMatch(/give back the same rows in the same order/);
  });

  test.skipIf(noPython !== "")(`killed on both sides, it goes on, and every row counts once${noPython}`, async () => {
    writeFileSync(join(folder, "run", "train.py"), trainer);
    const stopped = "cp place.json stopped.json; wait || true; ";
    const output = await bash(`${crashing}${stopped}${resuming}`);
    expect(placeIn("stopped.json")).toMatchObject({ epoch: 0 });
    expect(placeIn("stopped.json")["position"]).toBeGreaterThan(0);
    expect(placeIn("stopped.json")["position"]).toBeLessThan(ROWS);
    expect(placeIn("place.json")).toMatchObject({ epoch: 1, position: 0 });
    expect(output).toContain("3,000,000 rows, each once\n");
    expect(output).toContain("from 2 ledgers, 2 starts, ranks: 1\n");
  });
});

// Side-by-side benchmarks: node bench/run.mjs [--only TEXT …] [--engines a,b] [--rounds n] [--seed n]
//
//   --only parquet/        benchmarks whose name contains the text; may repeat
//   --engines ours,pyarrow only these
//   --rounds 5             rounds; in each, every engine runs once, in a seeded random order
//   --minutes 8            no further round is begun that would not end by then
//   --seed 1               of that order
//   --list                 names the benchmarks
//
// Python engines need bench/requirements.txt in the interpreter that INGEST_PYTHON names (else .venv, else python3);
// those that are missing are reported as absent. Writes bench/record/<date>-<machine>/ and bench/RESULTS.md.
// Method: bench/METHODOLOGY.md.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeParquetjsFile } from "./data/make-parquetjs.mjs";
import { benchmarks, engines } from "./definitions.mjs";
import { environment, findPython, recordFolder, seededRandom, shuffled } from "./machine.mjs";
import { writeResults } from "./report.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const dataFolder = join(here, ".data");
/** Passes of one process: as many as fit, so that short ones are measured more often. */
const PASSES = 5;
const SPEND_MS = 500;
const TIMEOUT_MS = 120_000;

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    engines: { type: "string" },
    rounds: { type: "string", default: "5" },
    minutes: { type: "string", default: "8" },
    seed: { type: "string", default: "1" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

/** A Node 24 from npm, started directly so that npx itself is not measured. */
function findNode24() {
  const found = spawnSync("npx", ["-y", "-p", "node@24", "node", "-p", "process.execPath"], { encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

function makeData(python, selected) {
  mkdirSync(dataFolder, { recursive: true });
  const missing = selected.filter(({ file }) => !existsSync(join(dataFolder, file))).map(({ file }) => file);
  const ofPython = [...new Set(missing.filter((file) => !file.startsWith("parquetjs")))];
  if (ofPython.length === 0) return;
  if (python === undefined) throw new Error("the data sets are made with Python: see bench/requirements.txt");
  const script = join(here, "data", "make.py");
  const { status } = spawnSync(python, [script, dataFolder, ...ofPython], { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error("the data sets could not be made");
}

function commandOf(engine, task, runtimes) {
  const { runtime, module } = engines[engine];
  const program = runtimes[runtime];
  if (program === undefined) return undefined;
  const text = JSON.stringify(task);
  return runtime === "python"
    ? [program, [join(here, "engines", "engines.py"), module, text]]
    : [program, ["--expose-gc", join(here, "engines", "worker.mjs"), module, text]];
}

/** Options of a benchmark for one engine. */
function optionsFor(benchmark, engine) {
  return { ...benchmark.options, ...benchmark.engineOptions?.[engines[engine].module] };
}

function runProcess(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: here, stdio: ["ignore", "pipe", "pipe"] });
    const out = [];
    const err = [];
    child.stdout.on("data", (chunk) => out.push(chunk));
    child.stderr.on("data", (chunk) => err.push(chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const line = Buffer.concat(out).toString().trim().split("\n").at(-1) ?? "";
      try {
        resolve(JSON.parse(line));
      } catch {
        const tail = Buffer.concat(err).toString().trim().split("\n").at(-1) ?? "";
        resolve({ refused: `ended with ${signal ?? code}: ${tail}` });
      }
    });
  });
}

/** The sum of floats depends on the order of adding: equal to one part in 10^9. */
function sameChecksum(a, b) {
  return a.rows === b.rows && a.valid === b.valid && Math.abs(a.sum - b.sum) <= 1e-9 * Math.abs(b.sum);
}

async function runOne(benchmark, engine, round, runtimes) {
  const base = { benchmark: benchmark.name, engine, round };
  const path = join(dataFolder, benchmark.file);
  const task = {
    measure: benchmark.measure,
    path,
    passes: PASSES,
    spendMs: SPEND_MS,
    ...optionsFor(benchmark, engine),
  };
  const command = commandOf(engine, task, runtimes);
  if (command === undefined) return { ...base, absent: `no ${engines[engine].runtime}` };
  const answer = await runProcess(...command);
  if (answer.checksum === undefined) return { ...base, ...answer };
  if (sameChecksum(answer.checksum, benchmark.expect)) return { ...base, ...answer };
  return { ...base, wrong: answer.checksum, expected: benchmark.expect };
}

async function main() {
  if (flags.help || flags.list) {
    for (const { name, why } of benchmarks) console.log(`${name.padEnd(28)} ${why}`);
    return;
  }
  const selected = benchmarks.filter(
    ({ name }) => flags.only === undefined || flags.only.some((t) => name.includes(t)),
  );
  if (selected.length === 0) throw new Error(`no benchmark is called like ${flags.only?.join(" or ")}; see --list`);
  const wanted = flags.engines?.split(",");
  const unknown = wanted?.find((name) => engines[name] === undefined);
  if (unknown !== undefined) throw new Error(`no engine is called ${unknown}: ${Object.keys(engines).join(", ")}`);
  const runtimes = { node: process.execPath, node24: findNode24(), python: findPython() };
  makeData(runtimes.python, selected);
  if (selected.some(({ file }) => file.startsWith("parquetjs"))) await makeParquetjsFile(dataFolder);

  const env = environment(runtimes, ["pyarrow", "polars", "duckdb", "tensorflow-cpu"]);
  const random = seededRandom(flags.seed);
  const jobs = selected.flatMap((benchmark) =>
    benchmark.engines
      .filter((name) => wanted === undefined || wanted.includes(name))
      .map((engine) => ({ benchmark, engine })),
  );
  const lines = [];
  const settled = new Set();
  const start = performance.now();
  for (let round = 0; round < Number(flags.rounds); round++) {
    // A further round takes about as long as those before did.
    const endMs = ((performance.now() - start) * (round + 1)) / Math.max(1, round);
    if (round > 0 && endMs > Number(flags.minutes) * 60_000) break;
    for (const { benchmark, engine } of shuffled(jobs, random)) {
      const key = `${benchmark.name} ${engine}`;
      const rounds = Math.min(
        benchmark.rounds ?? Number.POSITIVE_INFINITY,
        engines[engine].rounds ?? Number.POSITIVE_INFINITY,
      );
      if (settled.has(key) || round >= rounds) continue;
      process.stderr.write(`round ${round + 1}: ${key}\n`);
      const line = await runOne(benchmark, engine, round, runtimes);
      if (line.samples === undefined) settled.add(key);
      lines.push(line);
    }
  }
  const folder = recordFolder(env);
  writeFileSync(join(folder, "environment.json"), `${JSON.stringify(env, null, 2)}\n`);
  writeFileSync(join(folder, "results.jsonl"), `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
  const wrong = lines.filter((line) => line.wrong !== undefined);
  for (const line of wrong) {
    console.error(
      `WRONG: ${line.benchmark} ${line.engine}: ${JSON.stringify(line.wrong)}, not ${JSON.stringify(line.expected)}`,
    );
  }
  const oursFailed = lines.filter(
    (line) => line.engine.startsWith("ours") && (line.refused ?? line.wrong) !== undefined,
  );
  for (const line of oursFailed)
    console.error(`FAILED: ${line.benchmark} ${line.engine}: ${line.refused ?? "wrong checksum"}`);
  // RESULTS.md shows whole runs only: a part of the table would look like all of it.
  const text = writeResults(
    folder,
    flags.only === undefined && wanted === undefined ? join(here, "RESULTS.md") : undefined,
  );
  console.log(text);
  console.log(`every sample: ${relative(process.cwd(), folder)}`);
  process.exitCode = wrong.length + oursFailed.length > 0 ? 1 : 0;
}

await main().catch((error) => {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
});

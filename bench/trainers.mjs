// Batches on their way to a trainer in Python: node bench/trainers.mjs [--rounds n] [--only TEXT] [--seed n] [--check]
//
//   --check   one short round that checks the values and writes no record
//
// "transport": `ingest serve` over batches in memory, a client that only reads, the unix socket between them. "tensors":
// a Parquet file as shuffled PyTorch tensors, through `ingest serve` and its client, beside a DataLoader over pyarrow's
// row groups. Values are added up in a pass of their own: an engine with other sums has no figure, and the run fails.
//
// Writes trainers.jsonl and trainers-environment.json into bench/record/<date>-<machine>/ and the section "Trainers" of
// bench/RESULTS.md. INGEST_TORCH_PYTHON, else .venv-torch, names a Python with PyTorch; without one it is reported absent.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { environment, findPython, recordFolder, seededRandom, shuffled } from "./machine.mjs";
import { writeSection } from "./sections.mjs";
import { benchmarks, engines, trainersSection } from "./trainers-report.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const dataFolder = join(here, ".data");
const TIMEOUT_MS = 600_000;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    passes: { type: "string", default: "5" },
    only: { type: "string" },
    seed: { type: "string", default: "1" },
    check: { type: "boolean", default: false },
  },
});
if (flags.check) Object.assign(flags, { rounds: "1", passes: "1" });

function findTorch() {
  const candidates = [process.env["INGEST_TORCH_PYTHON"], join(here, "..", ".venv-torch", "bin", "python")];
  return candidates.find(
    (path) => path !== undefined && spawnSync(path, ["-c", "import pyarrow, torch"], { stdio: "ignore" }).status === 0,
  );
}

/** Where a benchmark's file is; made when it is not there yet. */
function pathOf({ file }, python) {
  if (file === undefined) return undefined;
  if (file.startsWith("vega-datasets/")) {
    // The package of the command has it.
    return join(here, "..", "packages", "cli", "node_modules", file);
  }
  const path = join(dataFolder, file);
  if (existsSync(path)) return path;
  if (python === undefined) throw new Error("the data sets are made with Python: see bench/requirements.txt");
  mkdirSync(dataFolder, { recursive: true });
  const made = spawnSync(python, [join(here, "data", "make.py"), dataFolder, file], { stdio: ["ignore", "ignore", 2] });
  if (made.status !== 0) throw new Error("the data sets could not be made");
  return path;
}

function runEngine(program, engine, task) {
  return new Promise((resolve) => {
    const args = [join(here, "engines", "trainers.py"), engines[engine].worker, JSON.stringify(task)];
    const child = spawn(program, args, { cwd: here, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    const timer = setTimeout(() => child.kill("SIGTERM"), TIMEOUT_MS);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(out.trim().split("\n").at(-1) ?? ""));
      } catch {
        resolve({ refused: `ended with ${signal ?? code}: ${err.trim().split("\n").at(-1) ?? ""}` });
      }
    });
  });
}

/** The sum of floats depends on the order of adding: equal to one part in 10^9. */
function sameSums(a, b) {
  return a.rows === b.rows && a.valid === b.valid && Math.abs(a.sum - b.sum) <= 1e-9 * Math.abs(b.sum);
}

async function runOne({ benchmark, engine, round }, pythons, paths) {
  const base = { benchmark: benchmark.name, engine, round };
  const program = pythons[benchmark.runtime];
  if (program === undefined) return { ...base, absent: `no Python with ${benchmark.runtime}` };
  const { measure, task } = benchmark;
  const passes = Number(flags.passes);
  const path = paths.get(benchmark);
  const answer = await runEngine(program, engine, { measure, node: process.execPath, path, passes, ...task });
  const { checksum } = answer;
  if (checksum === undefined || sameSums(checksum, benchmark.expect)) return { ...base, ...answer };
  return { ...base, wrong: checksum, expected: benchmark.expect };
}

function keep(env, lines) {
  const folder = recordFolder(env);
  writeFileSync(join(folder, "trainers-environment.json"), `${JSON.stringify(env, null, 2)}\n`);
  writeFileSync(join(folder, "trainers.jsonl"), `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
  const section = trainersSection(folder);
  // RESULTS.md shows whole runs only: a part of the table would look like all of it.
  console.log(flags.only === undefined ? writeSection(section, join(here, "RESULTS.md")) : section);
  console.log(`every sample: ${relative(process.cwd(), folder)}`);
}

async function main() {
  const pythons = { pyarrow: findPython(), torch: findTorch() };
  const selected = benchmarks.filter(({ name }) => flags.only === undefined || name.includes(flags.only));
  if (selected.length === 0) throw new Error(`no benchmark is called like ${flags.only}`);
  const paths = new Map(selected.map((benchmark) => [benchmark, pathOf(benchmark, pythons.pyarrow)]));
  const env = {
    ...environment({ node: process.execPath, python: pythons.pyarrow }, ["pyarrow"]),
    torch: environment({ node: process.execPath, python: pythons.torch }, ["pyarrow", "torch", "numpy"]).packages,
  };
  const random = seededRandom(flags.seed);
  const lines = [];
  for (let round = 0; round < Number(flags.rounds); round++) {
    const jobs = selected.flatMap((benchmark) => benchmark.engines.map((engine) => ({ benchmark, engine, round })));
    for (const job of shuffled(jobs, random)) {
      process.stderr.write(`round ${round + 1}: ${job.benchmark.name} ${job.engine}\n`);
      lines.push(await runOne(job, pythons, paths));
    }
  }
  if (!flags.check) keep(env, lines);
  const failed = lines.filter((line) => line.samples === undefined);
  for (const { benchmark, engine, wrong, expected, refused, absent } of failed) {
    const why = wrong === undefined ? (refused ?? absent) : `${JSON.stringify(wrong)}, not ${JSON.stringify(expected)}`;
    console.error(`FAILED: ${benchmark} ${engine}: ${why}`);
  }
  process.exitCode = failed.length > 0 ? 1 : 0;
}

await main().catch((error) => {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
});

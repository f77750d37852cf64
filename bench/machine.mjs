// What benchmarks share: the machine, its Python, seeded order, medians, folders of records.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** The interpreter that has what the engines need. */
export function findPython() {
  const candidates = [process.env["INGEST_PYTHON"], join(here, "..", ".venv", "bin", "python"), "python3"];
  return candidates.find(
    (path) => path !== undefined && spawnSync(path, ["-c", "import pyarrow, numpy"], { stdio: "ignore" }).status === 0,
  );
}

/** Numbers in [0, 1) from a seed: SHA-256 of the seed and a counter, 32 bits each. */
export function seededRandom(seed) {
  let count = 0;
  return () => createHash("sha256").update(`${seed}/${count++}`).digest().readUInt32LE() / 2 ** 32;
}

export function shuffled(items, random) {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

/** What a record says of the machine and its programs. */
export function environment(runtimes, packages) {
  const versionOf = (program) =>
    program === undefined ? null : spawnSync(program, ["--version"], { encoding: "utf8" }).stdout.trim();
  const script = `import json, importlib.metadata as m\nout = {}\nfor n in ${JSON.stringify(packages)}:\n  try: out[n] = m.version(n)\n  except m.PackageNotFoundError: out[n] = None\nprint(json.dumps(out))`;
  const python = runtimes.python && spawnSync(runtimes.python, ["-c", script], { encoding: "utf8" }).stdout;
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    arch: arch(),
    memoryBytes: totalmem(),
    loadAverage: loadavg()[0],
    node: process.version,
    node24: versionOf(runtimes.node24),
    python: versionOf(runtimes.python),
    packages: python ? JSON.parse(python) : {},
    commit: spawnSync("git", ["describe", "--always", "--dirty"], { cwd: here, encoding: "utf8" }).stdout.trim(),
    arguments: process.argv.slice(2),
  };
}

/** Where samples of this day and machine are kept. */
export function recordFolder(env) {
  const machine = `${env.cpu} ${env.cores}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  const folder = join(here, "record", `${env.date.slice(0, 10)}-${machine}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

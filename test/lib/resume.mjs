// What the resume tests share: rows as hashes, an unbroken run with the states on its way, and runs that go on from one.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const worker = fileURLToPath(new URL("resume-worker.mjs", import.meta.url));

/** Seeded numbers of batches to stop after, each in [1, last). */
export function seededStops(count, last, seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: count }, () => 1 + Math.floor(next() * (last - 1)));
}

/** Runs one job in a new process; see resume-worker.mjs. */
function runJob(job) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [worker], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env.PATH },
    });
    let out = "";
    let errors = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (errors += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(out));
      else reject(new Error(`the process ended with ${code}: ${errors}`));
    });
    child.stdin.end(JSON.stringify(job));
  });
}

/**
 * Stops a run of one rank after each of `stops` batches and goes on from there in a new process (which takes on
 * `perProcess` stops) with every world size.
 *
 * @returns one line for each (stop, world size) whose union is not the rest of the unbroken run, and the counts.
 */
export async function checkResume({
  source,
  options,
  batchSize,
  stops,
  worldSizes,
  perProcess = 1,
  progress = () => {},
}) {
  const folder = await mkdtemp(join(tmpdir(), "ingest-resume-"));
  try {
    const orderFile = join(folder, "order");
    const unbroken = await runJob({ kind: "unbroken", source, options, batchSize, stops, orderFile });
    const failures = [];
    if (!unbroken.everyRowOnce) failures.push("the unbroken run does not give every row of the file once");
    let next = 0;
    const segmentBy = options.shuffle?.segmentBy;
    let checked = 0;
    const work = async () => {
      while (next < stops.length) {
        const some = stops.slice(next, (next += perProcess));
        const stateFile = join(folder, `states-${next}`);
        await writeFile(stateFile, JSON.stringify(some.map((stop) => unbroken.states[stop])));
        const done = await runJob({ kind: "resumed", source, batchSize, segmentBy, stateFile, orderFile, worldSizes });
        for (const { index, worldSize, problem } of done.results) {
          checked++;
          if (problem !== null) failures.push(`after ${some[index]} batches, with ${worldSize} ranks: ${problem}`);
        }
        progress(Math.min(next, stops.length), stops.length);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, work));
    return { failures, checked, rows: unbroken.rows };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

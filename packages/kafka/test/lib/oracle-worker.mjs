// A consumer that is killed: reads a topic, notes every record in a log, and dies by SIGKILL at step STOP (0: never).
// node oracle-worker.mjs OPTIONS (JSON)
import { appendFileSync, existsSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { openKafka } from "../../dist/index.js";

const { reader: options, log, state, stop, atMs, checkpointEvery, target } = JSON.parse(process.argv[2]);
let steps = 0;
/** Places where a process may die: between any two things that it does. */
function step() {
  if (++steps === stop) process.kill(process.pid, "SIGKILL");
}
if (atMs > 0) setTimeout(() => process.kill(process.pid, "SIGKILL"), atMs);

/** Lines "partition:offset:value" of a slab, and how many rows it has. */
function note(slab) {
  const [, , offsets, , , values] = slab.columns.columns;
  const view = new DataView(offsets.data.buffer, offsets.data.byteOffset, offsets.data.length);
  let lines = "";
  for (let i = 0; i < slab.columns.rows; i++) {
    const value = Buffer.from(values.data.subarray(values.offsets[i], values.offsets[i + 1])).toString("latin1");
    lines += `${slab.partition}:${view.getBigInt64(i * 8, true)}:${value}\n`;
  }
  appendFileSync(log, lines);
}

const reader = await openKafka(options);
if (options.mode === "assign") {
  // The log is cut to what the checkpoint knows of: what came after it is read again.
  if (existsSync(state)) {
    const saved = JSON.parse(readFileSync(state, "utf8"));
    truncateSync(log, saved.logBytes);
    reader.loadStateDict(saved.reader);
  } else writeFileSync(log, "");
  let slabs = 0;
  for await (const slab of reader) {
    step();
    note(slab);
    step();
    if (++slabs % checkpointEvery === 0) checkpoint();
  }
  checkpoint();
  process.stdout.write("done\n");
} else {
  // The last run ends when every partition is read to its target, which may be so without a further slab.
  const timer = setInterval(() => {
    const { positions } = reader;
    if (target === undefined || positions.length < target.length) return;
    if (!positions.every(({ partition, position }) => position >= target[partition])) return;
    clearInterval(timer);
    void reader.close();
  }, 50);
  while (true) {
    const { done, value } = await reader.next();
    if (done) break;
    step();
    note(value);
    step();
    const outcome = await reader.ack(value);
    step();
    if (value.columns.rows > 0) process.stdout.write(`${outcome} ${value.columns.rows}\n`);
  }
  await reader.close();
  process.stdout.write("done\n");
}

function checkpoint() {
  const text = JSON.stringify({ reader: reader.stateDict(), logBytes: statSync(log).size });
  writeFileSync(`${state}.new`, text);
  step();
  renameSync(`${state}.new`, state);
  step();
}

// Readers of Kafka on one broker in one run: ingest, kafkajs (eachBatch), @platformatic/kafka and kcat; values of 100 B, 1 KB
// and 1 MB × codecs, bytes only and to Arrow columns. Every engine must give the same count and the same sum of hashes of a
// small topic before it is timed, and the count and the bytes of what is timed.
// Needs `npm run setup`, `npm run build`, `node scripts/tools.mjs kafka` and kcat.
//
//   node bench/kafka.mjs [--quick] [--rounds n] [--sizes 100,1000,1000000] [--codecs none,zstd] [--engines ingest,kcat] [--dry]
//
// Rounds are those without a codec, in an order that turns around with every round; a codec has one. What was measured is recorded
// and written into RESULTS.md, not with --dry or --quick.
//
// The main figure is per CPU-second of the client (user and system time of all threads); the broker is another process.
// Wall time stands beside it: broker and client share the machine.
import "./kafka/typescript.mjs";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { kafkaSection, recordFile } from "./kafka-report.mjs";
import { codecs, partitions, sizesOf, topicOf } from "./kafka/topics.mjs";
import { environment, median, recordFolder } from "./machine.mjs";
import { writeSection } from "./sections.mjs";

const { kcatMissing, startKafka } = await import("../packages/kafka/test/lib/kafka-broker.ts");
const { values: given } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    sizes: { type: "string" },
    codecs: { type: "string" },
    engines: { type: "string" },
    dry: { type: "boolean", default: false },
  },
});
const list = (text, all) => text?.split(",") ?? all;
const chosenCodecs = list(given.codecs, codecs);
const chosenSizes = (codec) =>
  sizesOf(given.quick, codec).filter(({ sizeBytes }) =>
    list(given.sizes, [String(sizeBytes)]).includes(`${sizeBytes}`),
  );
const chosenEngines = list(given.engines, ["ingest", "kafkajs", "platformatic", "kcat"]);
const rounds = Number(given.rounds);

/** What an engine cannot read, for a reason that is stated. */
const refusals = {
  platformatic: { snappy: "Java's framing of Snappy is not read by 1.35", zstd: "no zstd on Node 20" },
};

function run(file, args) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr = (stderr + text).slice(-2000)));
    const timer = setTimeout(() => child.kill("SIGKILL"), 300_000);
    child.on("close", (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr });
    });
  });
}

async function worker(job) {
  const path = fileURLToPath(new URL("kafka/worker.mjs", import.meta.url));
  const { status, stdout, stderr } = await run(process.execPath, [path, JSON.stringify(job)]);
  if (status !== 0) return { refused: stderr.trim().split("\n").at(-1) ?? `exit ${status}` };
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

const kcatSettings = "-C -e -q -o beginning -X fetch.message.max.bytes=8388608 -X check.crcs=true".split(" ");
const kcatArgs = (brokers, topic) => [...kcatSettings, "-b", brokers.join(","), "-t", topic];

/** kcat's own CPU time; its output goes nowhere. */
async function kcat({ brokers, topic, mode, count }) {
  if (mode === "check") return kcatSum(brokers, topic);
  if (mode === "arrow") return { refused: "writes bytes" };
  const script = 'TIMEFORMAT="%R %U %S"; time kcat "$@" >/dev/null';
  const { status, stderr } = await run("bash", ["-c", script, "kcat", ...kcatArgs(brokers, topic)]);
  if (status !== 0) return { refused: stderr };
  const [wallSeconds, user, system] = stderr.trim().split("\n").at(-1).split(" ").map(Number);
  return { records: count, wallSeconds, cpuSeconds: user + system };
}

/** As the worker's: with lengths in front, so that values may hold anything. */
function kcatSum(brokers, topic) {
  return new Promise((resolve, reject) => {
    const child = spawn("kcat", [...kcatArgs(brokers, topic), "-f", "%p %o %s\n"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let records = 0;
    let bytes = 0;
    let total = 0n;
    createInterface({ input: child.stdout })
      .on("line", (line) => {
        const [partition, offset] = line.split(" ", 2);
        const value = line.slice(partition.length + offset.length + 2);
        const hash = createHash("sha256").update(`${partition}:${offset}:`).update(value).digest();
        total += BigInt(hash.readUIntBE(0, 6));
        records++;
        bytes += value.length;
      })
      .on("close", () => resolve({ records, bytes, sum: String(total) }));
    child.on("error", reject);
  });
}

const measure = (job) => (job.engine === "kcat" ? kcat(job) : worker(job));

/** Writes a topic of so many records. */
async function fill(kafka, topic, codec, { sizeBytes }, count) {
  await kafka.helper.createTopic(topic, { partitions });
  const limits = { "batch.size": 262_144, "max.request.size": 8_388_608 };
  await kafka.helper.producer(topic, { "compression.type": codec, ...limits });
  await kafka.helper.fill(topic, topic, { count, size: sizeBytes, partitions });
  await kafka.helper.closeProducer(topic, 60_000);
}

/** Engines that read the small topic as kcat and ingest do, and those that do not, with the reason. */
async function checked(brokers, codec, small) {
  let expected;
  const outcomes = new Map();
  for (const engine of chosenEngines) {
    const refused = refusals[engine]?.[codec];
    if (refused !== undefined) {
      outcomes.set(engine, { refused });
      continue;
    }
    const sample = await measure({ engine, mode: "check", brokers, ...small });
    const found = `${sample.records} records, sum ${sample.sum}`;
    expected ??= found;
    if (sample.records === small.count && found === expected) outcomes.set(engine, {});
    else outcomes.set(engine, { wrong: sample.refused ?? `${found}, not ${expected}` });
  }
  return outcomes;
}

/** The samples of all engines and modes that can read the topic, by "engine mode". */
async function timed(brokers, size, codec, full, small, outcomes) {
  const jobs = [];
  for (const engine of chosenEngines) {
    if (outcomes.get(engine)?.refused ?? outcomes.get(engine)?.wrong) continue;
    // ingest makes columns always, kcat never; the slowest engine reads the small topic alone.
    const modes = engine === "ingest" || engine === "kcat" ? ["bytes"] : ["bytes", "arrow"];
    const what = engine === "platformatic" ? small : full;
    for (const mode of modes) jobs.push({ engine, mode, brokers, ...what, warm: small });
  }
  const samples = new Map(jobs.map((job) => [`${job.engine} ${job.mode}`, []]));
  for (let round = 0; round < (codec === "none" ? rounds : 1); round++) {
    for (const job of round % 2 === 0 ? jobs : jobs.toReversed()) {
      const sample = await measure(job);
      const right =
        sample.records === job.count && (sample.bytes ?? job.count * size.sizeBytes) === job.count * size.sizeBytes;
      samples.get(`${job.engine} ${job.mode}`).push(right ? sample : { wrong: sample.refused ?? "other records" });
    }
  }
  return samples;
}

function rowsOf(size, codec, outcomes, samples) {
  const rows = [];
  for (const engine of chosenEngines) {
    for (const mode of ["bytes", "arrow"]) {
      const row = { size: size.sizeBytes, codec, mode, engine };
      const outcome = outcomes.get(engine) ?? {};
      const found = samples.get(`${engine} ${engine === "ingest" ? "bytes" : mode}`);
      const failed = outcome.wrong ?? found?.find(({ wrong }) => wrong !== undefined)?.wrong;
      if (failed !== undefined) rows.push({ ...row, wrong: failed });
      else if (outcome.refused !== undefined) rows.push({ ...row, refused: outcome.refused });
      else if (found === undefined) rows.push({ ...row, refused: "writes bytes" });
      else {
        const rate = (key) => median(found.map((sample) => sample.records / sample[key]));
        const peakMb = Math.max(...found.map((sample) => sample.peakMb ?? 0));
        rows.push({ ...row, perCpuSecond: rate("cpuSeconds"), perSecond: rate("wallSeconds"), peakMb, samples: found });
      }
    }
  }
  return rows;
}

function show({ engine, mode, size, perCpuSecond, perSecond, peakMb, refused, wrong }) {
  const name = `  ${engine.padEnd(13)}${mode.padEnd(6)}`;
  if (perCpuSecond === undefined) return console.log(`${name}${wrong === undefined ? refused : `WRONG: ${wrong}`}`);
  const rate = (value) =>
    `${Math.round(value).toString().padStart(9)} records, ${((value * size) / 1e6).toFixed(0).padStart(5)} MB`;
  console.log(`${name}${rate(perCpuSecond)} per CPU-second · ${rate(perSecond)} per second · peak ${peakMb} MB`);
}

if (chosenEngines.includes("kcat") && kcatMissing() !== undefined) throw new Error(kcatMissing());
const env = environment({ node: process.execPath }, []);
const kafka = await startKafka({ fast: true, heapMb: 1024 });
const results = [];
try {
  const brokers = kafka.brokers();
  for (const codec of chosenCodecs) {
    for (const size of chosenSizes(codec)) {
      const full = { topic: topicOf(size, codec), count: size.count };
      const small = { topic: `${full.topic}-small`, count: size.small };
      for (const { topic, count } of [full, small]) await fill(kafka, topic, codec, size, count);
      console.log(`\n${size.name}, ${codec}: ${size.count} records`);
      const outcomes = await checked(brokers, codec, small);
      const rows = rowsOf(size, codec, outcomes, await timed(brokers, size, codec, full, small, outcomes));
      for (const row of rows) show(row);
      results.push(...rows);
      for (const { topic } of [full, small]) await kafka.helper.deleteTopic(topic);
    }
  }
} finally {
  await kafka.stop();
}

/** Values of Avro, which no other engine decodes to columns: a program of its own, without a broker. */
async function avroFigures() {
  const { status, stdout, stderr } = await run(process.execPath, [
    fileURLToPath(new URL("kafka-avro.mjs", import.meta.url)),
  ]);
  if (status !== 0) throw new Error(`kafka-avro.mjs: ${stderr}`);
  console.log(`\n${stdout.trim()}`);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

const record = { environment: env, rounds, results, avro: await avroFigures() };
if (!given.dry && !given.quick) {
  const folder = recordFolder(env);
  writeFileSync(join(folder, recordFile), `${JSON.stringify(record, undefined, 1)}\n`);
  writeSection(kafkaSection(folder), fileURLToPath(new URL("RESULTS.md", import.meta.url)));
}
const failed = results.filter(({ wrong }) => wrong !== undefined).length;
console.log(failed === 0 ? "\nall engines gave the same records" : `\n${failed} rows failed`);
process.exit(failed === 0 ? 0 : 1);

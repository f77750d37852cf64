// Readers of Kafka on one broker in one run: ingest, kafkajs (eachBatch), @platformatic/kafka and kcat; values of 100 B, 1 KB
// and 1 MB × codecs, bytes only and to Arrow columns. Every engine must give the same count and the same sum of hashes before
// it is timed. Needs `npm run setup`, `npm run build`, `node scripts/tools.mjs kafka` and kcat.
//
//   node bench/kafka.mjs [--quick] [--rounds n] [--sizes 100,1000,1000000] [--codecs none,zstd] [--engines ingest,kcat] [--json file]
//
// The main figure is per CPU-second of the client (user and system time of all threads); the broker is another process.
// Wall time stands beside it: broker and client share the machine.
import "./kafka/typescript.mjs";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { codecs, partitions, sizesOf, topicOf } from "./kafka/topics.mjs";

const { kcatMissing, startKafka } = await import("../packages/kafka/test/lib/kafka-broker.ts");
const { values: given } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    sizes: { type: "string" },
    codecs: { type: "string" },
    engines: { type: "string" },
    json: { type: "string" },
  },
});
const list = (text, all) => text?.split(",") ?? all;
const chosenCodecs = list(given.codecs, codecs);
const chosenSizes = sizesOf(given.quick).filter(({ sizeBytes }) =>
  list(given.sizes, [String(sizeBytes)]).includes(String(sizeBytes)),
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
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

if (chosenEngines.includes("kcat") && kcatMissing() !== undefined) throw new Error(kcatMissing());
const kafka = await startKafka({ fast: true, heapMb: 1024 });
const results = [];
let failed = 0;
try {
  const brokers = kafka.brokers();
  for (const size of chosenSizes) {
    for (const codec of chosenCodecs) {
      const topic = topicOf(size, codec);
      await kafka.helper.createTopic(topic, { partitions });
      await kafka.helper.producer(topic, {
        "compression.type": codec,
        "batch.size": 262_144,
        "max.request.size": 8_388_608,
      });
      await kafka.helper.fill(topic, topic, { count: size.count, size: size.sizeBytes, partitions });
      await kafka.helper.closeProducer(topic, 60_000);
      console.log(`\n${size.name}, ${codec}: ${size.count} records`);
      let expected;
      for (const mode of ["bytes", "arrow"]) {
        for (const engine of chosenEngines) {
          const job = { engine, mode, brokers, topic, count: size.count };
          const row = { size: size.sizeBytes, codec, mode, engine };
          const refused =
            refusals[engine]?.[codec] ?? (engine === "kcat" && mode === "arrow" ? "writes bytes" : undefined);
          if (refused !== undefined) {
            results.push({ ...row, refused });
            continue;
          }
          if (mode === "bytes") {
            const checked = await measure({ ...job, mode: "check" });
            const found = `${checked.records} records, sum ${checked.sum}`;
            expected ??= found;
            if (checked.records !== size.count || found !== expected) {
              failed++;
              console.log(`  ${engine}: WRONG: ${checked.refused ?? found}, not ${expected}`);
              results.push({ ...row, wrong: checked.refused ?? found });
              continue;
            }
          }
          const samples = [];
          for (let round = 0; round < rounds; round++) samples.push(await measure(job));
          const bad = samples.find((sample) => sample.records !== size.count);
          if (bad !== undefined) {
            failed++;
            console.log(`  ${engine}, ${mode}: FAILED: ${bad.refused ?? `${bad.records} records`}`);
            continue;
          }
          const perCpu = median(samples.map(({ cpuSeconds }) => size.count / cpuSeconds));
          const perWall = median(samples.map(({ wallSeconds }) => size.count / wallSeconds));
          const peakMb = Math.max(...samples.map((sample) => sample.peakMb ?? 0));
          results.push({ ...row, records: size.count, perCpuSecond: perCpu, perSecond: perWall, peakMb, samples });
          const mb = (perSecond) => `${((perSecond * size.sizeBytes) / 1e6).toFixed(0).padStart(5)} MB`;
          console.log(
            `  ${engine.padEnd(13)}${mode.padEnd(6)}${Math.round(perCpu).toString().padStart(9)} records, ${mb(perCpu)} per CPU-second` +
              ` · ${Math.round(perWall).toString().padStart(9)} records, ${mb(perWall)} per second · peak ${peakMb} MB`,
          );
        }
      }
      await kafka.helper.deleteTopic(topic);
    }
  }
} finally {
  await kafka.stop();
}

console.log("\ningest compared, per CPU-second:");
for (const { size, codec, mode, engine, perCpuSecond } of results) {
  if (engine === "ingest" || perCpuSecond === undefined) continue;
  const ours = results.find(
    (row) => row.engine === "ingest" && row.size === size && row.codec === codec && row.mode === mode,
  );
  if (ours?.perCpuSecond !== undefined) {
    console.log(
      `  ${String(size).padStart(8)} B ${codec.padEnd(7)}${mode.padEnd(6)} ${(ours.perCpuSecond / perCpuSecond).toFixed(2)} × ${engine}`,
    );
  }
}
const environment = {
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  date: new Date().toISOString(),
};
if (given.json !== undefined) writeFileSync(given.json, `${JSON.stringify({ environment, results }, undefined, 1)}\n`);
console.log(failed === 0 ? "all engines gave the same records" : `${failed} engines failed`);
process.exit(failed === 0 ? 0 : 1);

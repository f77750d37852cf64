// Resident memory of a reader whose trainer stopped, while a producer goes on: at most the budget and 150 MB more. Both modes.
// Run: node bench/kafka-slow-trainer.mjs [--seconds 600] [--budget-mb 64]
import "./kafka/typescript.mjs";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { startKafka } = await import("../packages/kafka/test/lib/kafka-broker.ts");
const { values: given } = parseArgs({
  options: { seconds: { type: "string", default: "600" }, "budget-mb": { type: "string", default: "64" } },
});
const budgetBytes = Number(given["budget-mb"]) * 2 ** 20;
const worker = fileURLToPath(new URL("../test/lib/slow-trainer-worker.mjs", import.meta.url));

function run(job) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--expose-gc", worker, JSON.stringify(job)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (bytes) => (text += bytes));
    child.on("error", reject);
    child.on("close", (status) => (status === 0 ? resolve(JSON.parse(text)) : reject(new Error(`exit ${status}`))));
  });
}

// Old segments go, so that ten minutes of a producer do not fill the disk; what is read is kept.
const kafka = await startKafka({ fast: true, heapMb: 768 });
let failed = 0;
let writing = true;
try {
  const { helper } = kafka;
  await helper.createTopic("slow", { partitions: 4 });
  await helper.createTopic("noise", {
    partitions: 4,
    config: { "retention.bytes": 2 ** 27, "segment.bytes": 2 ** 25 },
  });
  await helper.producer("p");
  await helper.fill("p", "slow", { count: 600_000, size: 1000, partitions: 4 });
  const noise = (async () => {
    while (writing) await helper.fill("p", "noise", { count: 50_000, size: 1000, partitions: 4 });
  })();
  const jobs = ["assign", "group"].map((mode) =>
    run({ brokers: kafka.brokers(), topic: "slow", mode, seconds: Number(given.seconds), budgetBytes }),
  );
  for (const result of await Promise.all(jobs)) {
    const grown = result.peakMb - result.baseMb;
    const passes = grown <= result.budgetMb + 150 && result.broken === 0;
    if (!passes) failed++;
    console.log(`${passes ? "pass" : "FAIL"} ${JSON.stringify({ ...result, grownMb: Math.round(grown) })}`);
  }
  writing = false;
  await noise;
} finally {
  await kafka.stop();
}
process.exit(failed === 0 ? 0 : 1);

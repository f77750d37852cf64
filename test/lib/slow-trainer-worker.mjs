// A trainer that stops in the middle of a topic: node slow-trainer-worker.mjs '{"brokers":[…],"topic":…,"mode":"assign"|"group",
// "seconds":…,"budgetBytes":…}'. Takes a slab, then asks for nothing while memory is looked at, then goes on for some slabs.
// Prints one line: resident memory before and at most, in MB, and whether any row was lost or doubled.
import { openKafka } from "@ingest-ts/kafka";

const { brokers, topic, mode, seconds, budgetBytes } = JSON.parse(process.argv[2]);
const common = { connection: { brokers }, topics: [topic], bytesInFlight: budgetBytes };
const group = { mode: "group", groupId: `slow-${process.pid}`, sessionTimeoutMs: 6000, heartbeatIntervalMs: 1000 };
const assign = { mode: "assign", end: "none" };

globalThis.gc?.();
const baseMb = process.memoryUsage.rss() / 2 ** 20;
let peakMb = baseMb;
const look = setInterval(() => (peakMb = Math.max(peakMb, process.memoryUsage.rss() / 2 ** 20)), 100);

const reader = await openKafka({ ...common, ...(mode === "group" ? group : assign) });
const next = new Map();
let rows = 0;
let broken = 0;
async function take() {
  const { value: slab } = await reader.next();
  if (next.has(slab.partition) && next.get(slab.partition) !== slab.startOffset) broken++;
  next.set(slab.partition, slab.endOffset);
  rows += slab.columns.rows;
}

await take();
const before = rows;
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const stoppedPeakMb = peakMb;
for (let i = 0; i < 10; i++) await take();
clearInterval(look);
await reader.close();
console.log(
  JSON.stringify({
    mode,
    seconds,
    budgetMb: budgetBytes / 2 ** 20,
    baseMb,
    stoppedPeakMb,
    peakMb,
    before,
    rows,
    broken,
  }),
);

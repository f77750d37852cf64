// One engine in a process of its own: one warm-up pass, the passes that count, then the checksum of the last one's
// result (it would leave its own traces in the heap, were it taken before).
//   node worker.mjs ENGINE '{"measure": "read", "passes": 3, "spendMs": 400, …}'   prints one JSON object
const [, , name, text] = process.argv;
const task = JSON.parse(text);

/**
 * Memory is collected by force only where it is measured: with no object alive of most shapes, V8 forgets these, and with
 * them the code it has compiled, so that every pass would begin cold, as no process does that goes on reading.
 */
async function timed(pass) {
  if (task.measure === "stream") globalThis.gc?.();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const result = await pass();
  const wallMs = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpu);
  return { result, sample: { wallMs, cpuMs: (user + system) / 1000 } };
}

async function main() {
  const engine = await import(`./${name}.mjs`);
  const baseRssBytes = process.memoryUsage.rss();
  const warmUp = (await timed(() => engine[task.measure](task, false))).sample;
  const samples = [];
  let last;
  let spentMs = 0;
  while (samples.length === 0 || (samples.length < task.passes && spentMs < task.spendMs)) {
    last = undefined;
    const { result, sample } = await timed(() => engine[task.measure](task, false));
    last = result;
    samples.push(sample);
    spentMs += sample.wallMs;
  }
  const peakRssBytes = process.resourceUsage().maxRSS * 1024;
  // Shuffled batches are dropped as they come: one more pass, not timed, adds them up.
  const found = task.measure === "read" ? engine.checksum(last) : await engine[task.measure](task, true);
  const { rows, valid, sum, inFlightBytes } = found;
  return { checksum: { rows, valid, sum }, warmUp, samples, baseRssBytes, peakRssBytes, inFlightBytes };
}

main().then(
  (answer) => console.log(JSON.stringify(answer)),
  (error) => console.log(JSON.stringify({ refused: String(error instanceof Error ? error.message : error) })),
);

// Resume on three million real rows: a run of one rank with 8 lanes is stopped after every k-th batch for 50 seeded k and
// goes on in a new process with 1, 2, 4 and 8 ranks; their union must be what the unbroken run gives from there on.
// `node test/resume-flights.mjs [stops]`; a few minutes on two cores.
import { fileURLToPath } from "node:url";
import { checkResume, seededStops } from "./lib/resume.mjs";

const source = fileURLToPath(
  new URL("../packages/cli/node_modules/vega-datasets/data/flights-3m.parquet", import.meta.url),
);
const batchSize = 1_000;
const rows = 3_000_000;
const count = Number(process.argv[2] ?? 50);

const { failures, checked } = await checkResume({
  source,
  batchSize,
  options: { shuffle: { lanes: 8 }, seed: 42 },
  stops: seededStops(count, rows / batchSize, 42),
  worldSizes: [1, 2, 4, 8],
  progress: (done, all) => process.stderr.isTTY && process.stderr.write(`\r${done} of ${all} stops `),
});
for (const failure of failures) console.log(`FAIL ${failure}`);
console.log(`${checked - failures.length} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);

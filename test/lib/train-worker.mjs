// Trains as examples/train-flights does, writes one line for every step, and dies by SIGKILL after step STOP (0: never).
// node train-worker.mjs DATA FOLDER STOP LOG
import { openSync, writeSync } from "node:fs";
import { train } from "../../examples/train-flights/dist/train.js";

const [source, folder, stop, log] = process.argv.slice(2);
const file = openSync(log, "a");
await train({
  source,
  folder,
  epochs: 2,
  batchSize: 4096,
  checkpointEverySteps: 37,
  onStep: ({ steps, rows, loss }) => {
    writeSync(file, `${steps} ${rows} ${loss}\n`);
    if (steps === Number(stop)) process.kill(process.pid, "SIGKILL");
  },
});

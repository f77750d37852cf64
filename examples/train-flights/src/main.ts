// node dist/main.js DATA FOLDER [EPOCHS]: trains on DATA, keeps checkpoint and ledger in FOLDER. Stop it, start it again.
import { train } from "./train.ts";

const REPORT_EVERY_STEPS = 100;
const [source, folder, epochs = "1"] = process.argv.slice(2);
if (source === undefined || folder === undefined || !/^[1-9]\d*$/.test(epochs)) {
  process.stderr.write("usage: node dist/main.js DATA FOLDER [EPOCHS]\n");
  process.exitCode = 2;
} else {
  // Of the steps since the last line: after a restart they are fewer.
  let [sum, count] = [0, 0];
  const model = await train({
    source,
    folder,
    epochs: Number(epochs),
    batchSize: 4096,
    checkpointEverySteps: 50,
    onStep: ({ steps, loss }) => {
      sum += loss;
      count++;
      if (steps % REPORT_EVERY_STEPS !== 0) return;
      process.stdout.write(`step ${steps}: loss ${(sum / count).toFixed(4)}\n`);
      [sum, count] = [0, 0];
    },
  });
  process.stdout.write(`weights ${[...model.weights].map((weight) => weight.toFixed(4)).join(" ")}\n`);
}

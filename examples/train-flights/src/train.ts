import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Batch, load } from "@ingest-ts/loader";
import { readCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { type Examples, examplesOf, type Model, newModel, trainStep } from "./model.ts";

const COLUMNS = ["date", "delay", "distance"];
const LEARNING_RATE = 0.3;

export interface TrainOptions {
  /** Whatever `load` takes: a file, a folder, a pattern. */
  readonly source: string;
  /** Keeps the checkpoint and the ledger; a run that finds a checkpoint here goes on from it. */
  readonly folder: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly checkpointEverySteps: number;
  /** Called after every step. */
  readonly onStep: (report: StepReport) => void;
}

export interface StepReport {
  /** From 1, over all epochs and restarts. */
  readonly steps: number;
  readonly rows: number;
  /** Mean log loss of the batch before the step, in nats. */
  readonly loss: number;
}

function examplesIn(batch: Batch): Examples {
  const [date] = batch.toColumns().columns;
  if (date?.type.kind !== "timestamp" || date.type.unit !== "us" || date.nullCount > 0 || date.data === null) {
    throw new TypeError("the column date has to hold microseconds, and no nulls");
  }
  const departures = new BigInt64Array(date.data.buffer, date.data.byteOffset, batch.rows);
  return examplesOf(batch.toMatrix(["delay", "distance"], Float64Array), departures);
}

/** Trains until the data ends, from the checkpoint in the folder if there is one. Every rank of a run would do the same. */
export async function train(options: TrainOptions): Promise<Model> {
  await mkdir(options.folder, { recursive: true });
  const path = join(options.folder, "checkpoint.json");
  const batches = await load({
    source: options.source,
    columns: COLUMNS,
    batchSize: options.batchSize,
    epochs: options.epochs,
    seed: 42,
    ledger: join(options.folder, "ledger"),
  });
  const model = newModel();
  let steps = 0;
  const checkpoint = await readCheckpoint(path);
  if (checkpoint !== undefined) {
    batches.loadStateDict(checkpoint.data);
    model.weights.set(checkpoint.weights);
    steps = checkpoint.steps;
  }
  const save = (): Promise<void> =>
    saveCheckpoint(path, { steps, weights: [...model.weights], data: batches.stateDict() });
  for await (const batch of batches) {
    const loss = trainStep(model, examplesIn(batch), LEARNING_RATE);
    steps++;
    if (steps % options.checkpointEverySteps === 0) await save();
    options.onStep({ steps, rows: batch.rows, loss });
  }
  await save();
  return model;
}

import { type Columns, FormatError, isIngestError } from "@ingest-ts/core";
import { load } from "@ingest-ts/loader";
import { open } from "@ingest-ts/readers";
import { castColumns, CastError } from "./cast.ts";
import { TableDigest } from "./digest.ts";
import { measure } from "./measure.ts";
import type { ReadFacts, ReadTask } from "./protocol.ts";
import type { MeasureName, Measurement, MissingMeasure } from "./report.ts";
import { type Report, stepReporter } from "./step.ts";

interface Step {
  readonly measure: MeasureName;
  readonly title: string;
  readonly rows: number;
  readonly arrowBytes: number;
  /** One pass over the file; resolves to the rows that came. */
  readonly pass: (count: (rows: number) => void) => Promise<number>;
}

function stepsOf(task: ReadTask): readonly Step[] {
  const { rows, arrowBytes, projected, projectedArrowBytes } = task.facts;
  const { shuffled } = task;
  return [
    { measure: "read-full", title: "full read", rows, arrowBytes, pass: (count) => readPass(task, undefined, count) },
    {
      measure: "read-projected",
      title: "projected read",
      rows,
      arrowBytes: projectedArrowBytes,
      pass: (count) => readPass(task, projected, count),
    },
    {
      measure: "shuffled-batches",
      title: "shuffled batches",
      rows: shuffled.rows,
      arrowBytes: (arrowBytes * shuffled.rows) / rows,
      pass: (count) => shuffledPass(task, count),
    },
  ];
}

/** Checks that the file holds the source's rows and, only then, measures reading it. */
export async function runReadTask(task: ReadTask, report: Report): Promise<ReadFacts> {
  const start = performance.now();
  const { maxPasses, facts } = task;
  const { digest, rows } = await digestOf(task, report);
  if (digest !== facts.digest) return { digest, rows, measurements: {}, missing: [] };
  const steps = stepsOf(task);
  const measurements: Partial<Record<MeasureName, Measurement>> = {};
  const missing: MissingMeasure[] = [];
  for (const [i, { measure: name, title, rows: expected, arrowBytes, pass }] of steps.entries()) {
    const budgetMs = (task.budgetMs - (performance.now() - start)) / (steps.length - i);
    const checkedPass = async (): Promise<void> => {
      const got = await pass(stepReporter(report, title, arrowBytes / expected));
      if (got !== expected) throw new FormatError(`${title} gave ${got} rows of ${expected}`);
    };
    try {
      measurements[name] = await measure(checkedPass, { budgetMs, maxPasses, rows: expected, arrowBytes });
    } catch (error) {
      // Above a limit, for example: what can be measured still is.
      if (!isIngestError(error) || error.code === "INGEST_FORMAT") throw error;
      missing.push({ measure: name, error: error.message });
    }
  }
  return { digest, rows, measurements, missing };
}

/** Digest of the file's rows cast to the source's schema; a value that cannot be cast makes the digest unequal. */
async function digestOf(task: ReadTask, report: Report): Promise<{ digest: string; rows: number }> {
  const count = stepReporter(report, "checking the rows", task.facts.arrowBytes / task.facts.rows);
  const digest = new TableDigest(task.facts.schema);
  const reader = await open(task.path);
  let rows = 0;
  try {
    for await (const slab of reader.slabs()) {
      digest.add(castColumns(slab as Columns, slab.schema, task.facts.schema));
      rows += slab.rows;
      count(rows);
    }
  } catch (error) {
    if (!(error instanceof CastError)) throw error;
    return { digest: `not the same values: ${error.message}`, rows };
  } finally {
    await reader.close();
  }
  return { digest: digest.finish(), rows };
}

/** Every record batch of the file, as a program gets them. */
async function readPass(
  task: ReadTask,
  columns: readonly string[] | undefined,
  count: (rows: number) => void,
): Promise<number> {
  const reader = await open(task.path, columns === undefined ? {} : { columns: columns.map((name) => [name]) });
  let rows = 0;
  try {
    for await (const batch of reader) {
      rows += batch.numRows;
      count(rows);
    }
  } finally {
    await reader.close();
  }
  return rows;
}

/** One shuffled epoch, every batch as a record batch. */
async function shuffledPass(task: ReadTask, count: (rows: number) => void): Promise<number> {
  const loader = await load({
    source: task.shuffled.path,
    batchSize: task.batchRows,
    shuffle: {},
    seed: task.seed,
    epochs: 1,
    // A benchmark reads everything, whatever job it is started in.
    world: { rank: 0, worldSize: 1 },
  });
  let rows = 0;
  for await (const batch of loader) {
    rows += batch.toRecordBatch().numRows;
    count(rows);
  }
  return rows;
}

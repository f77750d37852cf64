import { type Columns, FormatError } from "@ingest-ts/core";
import { load } from "@ingest-ts/loader";
import { open } from "@ingest-ts/readers";
import { castColumns, CastError } from "./cast.ts";
import { TableDigest } from "./digest.ts";
import { measure } from "./measure.ts";
import type { ReadFacts, ReadTask } from "./protocol.ts";
import type { MeasureName, Measurement } from "./report.ts";
import type { Report } from "./step.ts";

/** Checks that the file holds the source's rows and, only then, measures reading it. */
export async function runReadTask(task: ReadTask, report: Report): Promise<ReadFacts> {
  const start = performance.now();
  const { digest, rows } = await digestOf(task, report);
  if (digest !== task.facts.digest) return { digest, rows, measurements: {} };
  const { facts } = task;
  const passes: readonly [MeasureName, number, () => Promise<number>][] = [
    ["read-full", facts.arrowBytes, () => readPass(task, undefined, counter("full read", report))],
    [
      "read-projected",
      facts.projectedArrowBytes,
      () => readPass(task, facts.projected, counter("projected read", report)),
    ],
    ["shuffled-batches", facts.arrowBytes, () => shuffledPass(task, counter("shuffled batches", report))],
  ];
  const measurements: Partial<Record<MeasureName, Measurement>> = {};
  for (const [i, [name, arrowBytes, pass]] of passes.entries()) {
    const budgetMs = (task.budgetMs - (performance.now() - start)) / (passes.length - i);
    const checked = async (): Promise<void> => requireRows(await pass(), facts.rows, name);
    measurements[name] = await measure(checked, { budgetMs, maxPasses: task.maxPasses, rows: facts.rows, arrowBytes });
  }
  return { digest, rows, measurements };
}

function counter(step: string, report: Report): (rows: number) => void {
  const start = performance.now();
  return (rows) => report(step, rows, performance.now() - start);
}

function requireRows(rows: number, expected: number, name: MeasureName): void {
  if (rows !== expected) throw new FormatError(`${name} gave ${rows} rows of ${expected}`);
}

/** Digest of the file's rows cast to the source's schema; a value that cannot be cast makes the digest unequal. */
async function digestOf(task: ReadTask, report: Report): Promise<{ digest: string; rows: number }> {
  const count = counter("checking the rows", report);
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
  const loader = await load({ source: task.path, batchSize: task.batchRows, shuffle: {}, seed: task.seed, epochs: 1 });
  let rows = 0;
  for await (const batch of loader) {
    rows += batch.toRecordBatch().numRows;
    count(rows);
  }
  return rows;
}

import { stat, writeFile } from "node:fs/promises";
import { type Columns, sliceRows } from "@ingest-ts/core";
import { fileSink } from "@ingest-ts/storage";
import type { TableWriter } from "@ingest-ts/writers";
import { type BenchFormat, findFormat } from "./definitions.ts";
import { measure } from "./measure.ts";
import type { WriteFacts, WriteTask } from "./protocol.ts";
import { sourceSlabs } from "./source-job.ts";
import { type Report, stepReporter } from "./step.ts";

/** Writes the whole source, held in memory so that only the writing is timed, as often as the budget allows. */
export async function runWriteTask(task: WriteTask, report: Report): Promise<WriteFacts> {
  const { facts, path } = task;
  const format = findFormat(task.format);
  const table: Columns[] = [];
  for await (const slab of sourceSlabs({ ...task.source, maxRows: facts.rows }, { more: false })) table.push(slab);
  const bytesPerRow = facts.arrowBytes / facts.rows;
  const write = await measure(() => writeTable(table, format, task, stepReporter(report, "writing", bytesPerRow)), {
    budgetMs: task.budgetMs,
    maxPasses: task.maxPasses,
    rows: facts.rows,
    arrowBytes: facts.arrowBytes,
  });
  const { size } = await stat(path);
  const shuffleRows = Math.min(format.shuffleRows?.(task.codec) ?? facts.rows, facts.rows);
  const shuffled = { path: shuffleRows === facts.rows ? path : `${path}.part${format.extension}`, rows: shuffleRows };
  if (shuffled.path !== path)
    await writeTable(firstRows(table, shuffled.rows), format, { ...task, path: shuffled.path });
  const beside = await format.beside?.(facts.schema);
  for (const file of new Set([path, shuffled.path])) {
    if (beside !== undefined) await writeFile(`${file}${beside.suffix}`, beside.text);
  }
  return { sizeBytes: size, write, shuffled };
}

function firstRows(table: readonly Columns[], rows: number): readonly Columns[] {
  const first: Columns[] = [];
  let left = rows;
  for (const columns of table) {
    if (left === 0) break;
    const part = columns.rows <= left ? columns : sliceRows(columns, 0, left);
    first.push(part);
    left -= part.rows;
  }
  return first;
}

async function writeTable(
  table: readonly Columns[],
  format: BenchFormat,
  task: WriteTask,
  count: (rows: number) => void = () => undefined,
): Promise<void> {
  const sink = await fileSink(task.path);
  let writer: TableWriter | undefined;
  try {
    writer = await format.createWriter(sink, task.facts.schema, task.codec);
    let rows = 0;
    for (const columns of table) {
      await writer.write(columns);
      rows += columns.rows;
      count(rows);
    }
    await writer.finish();
  } catch (error) {
    await (writer ?? sink).abort();
    throw error;
  }
}

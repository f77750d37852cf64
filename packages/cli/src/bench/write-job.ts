import { stat, writeFile } from "node:fs/promises";
import type { Columns } from "@ingest-ts/core";
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
  const beside = await format.beside?.(facts.schema);
  if (beside !== undefined) await writeFile(`${path}${beside.suffix}`, beside.text);
  return { sizeBytes: (await stat(path)).size, write };
}

async function writeTable(
  table: readonly Columns[],
  format: BenchFormat,
  task: WriteTask,
  count: (rows: number) => void,
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

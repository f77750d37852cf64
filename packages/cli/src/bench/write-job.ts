import { stat } from "node:fs/promises";
import type { Columns } from "@ingest-ts/core";
import { fileSink } from "@ingest-ts/storage";
import { findFormat } from "./definitions.ts";
import { measure } from "./measure.ts";
import type { WriteFacts, WriteTask } from "./protocol.ts";
import { sourceSlabs } from "./source-job.ts";
import { type Report, stepReporter } from "./step.ts";

/** Writes the whole source, held in memory so that only the writing is timed, as often as the budget allows. */
export async function runWriteTask(task: WriteTask, report: Report): Promise<WriteFacts> {
  const table: Columns[] = [];
  for await (const slab of sourceSlabs({ ...task.source, maxRows: task.facts.rows }, { more: false })) table.push(slab);
  const format = findFormat(task.format);
  const write = await measure(
    async () => {
      const count = stepReporter(report, "writing", task.facts.arrowBytes / task.facts.rows);
      const writer = await format.createWriter(await fileSink(task.path), task.facts.schema, task.codec);
      try {
        let rows = 0;
        for (const columns of table) {
          await writer.write(columns);
          rows += columns.rows;
          count(rows);
        }
        await writer.finish();
      } catch (error) {
        await writer.abort();
        throw error;
      }
    },
    { ...task, rows: task.facts.rows, arrowBytes: task.facts.arrowBytes },
  );
  return { sizeBytes: (await stat(task.path)).size, write };
}

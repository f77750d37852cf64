import { type Columns, type Schema, sliceRows } from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { RecordBatchFileWriter, RecordBatchStreamWriter } from "apache-arrow";

/** An Arrow stream or file of `columns` in batches of `batchRows`, by apache-arrow's writer. */
export function arrowBytes(
  columns: Columns,
  schema: Schema,
  kind: "stream" | "file" = "stream",
  batchRows = 100,
): Uint8Array {
  const arrowSchema = toArrowSchema(schema);
  const writer = kind === "stream" ? new RecordBatchStreamWriter() : new RecordBatchFileWriter();
  writer.reset(undefined, arrowSchema);
  for (let at = 0; at < columns.rows; at += batchRows) {
    writer.write(toRecordBatch(sliceRows(columns, at, Math.min(columns.rows, at + batchRows)), arrowSchema));
  }
  writer.finish();
  return writer.toUint8Array(true);
}

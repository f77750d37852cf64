// Files that our writers make of rows, each beside the Arrow IPC stream of the rows that it was given.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { takeRows } from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { fileSink } from "@ingest-ts/storage";
import { RecordBatchStreamWriter } from "apache-arrow";

/**
 * @param createWriter (sink, schema, options) → TableWriter
 * @returns writes NAME.EXTENSION and NAME.arrows of one or more batches of rows; more than one only without dictionary
 *   columns, for the truth's sake
 */
export async function caseWriter(folder, extension, createWriter) {
  await mkdir(folder, { recursive: true });
  return async (name, schema, batches, options) => {
    const sink = await fileSink(join(folder, `${name}.${extension}`));
    const writer = await createWriter(sink, schema, options);
    try {
      for (const batch of batches) await writer.write(batch);
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    const arrowSchema = toArrowSchema(schema);
    const stream = new RecordBatchStreamWriter();
    stream.reset(undefined, arrowSchema);
    for (const batch of batches) {
      // Copied together: arrow-js's stream writer mistakes null counts below offsets that do not start at 0.
      const rows = Int32Array.from({ length: batch.rows }, (_, i) => i);
      stream.write(toRecordBatch(takeRows(batch, rows), arrowSchema));
    }
    stream.finish();
    await writeFile(join(folder, `${name}.arrows`), await stream.toUint8Array());
  };
}

/** A column of numbers without nulls. */
export function numberColumn(type, data) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const length = type.kind === "decimal" ? bytes.length / (type.bits / 8) : data.length;
  return { ...nothing, type, length, data: bytes };
}

/** A column of strings (or bytes) without nulls. */
export function textColumn(type, values) {
  const encoded = values.map((value) => (typeof value === "string" ? new TextEncoder().encode(value) : value));
  const offsets = new Int32Array(values.length + 1);
  encoded.forEach((value, i) => (offsets[i + 1] = offsets[i] + value.length));
  const data = new Uint8Array(offsets.at(-1));
  encoded.forEach((value, i) => data.set(value, offsets[i]));
  return { ...nothing, type, length: values.length, offsets, data };
}

const nothing = { nullCount: 0, validity: null, offsets: null, data: null, children: [], dictionary: null };

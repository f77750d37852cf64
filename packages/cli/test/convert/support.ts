// Tables as Arrow streams, and conversions of files without a process of their own.
import { writeFile } from "node:fs/promises";
import { type Columns, type Schema, takeRows } from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { open, type OpenOptions } from "@ingest-ts/readers";
import { RecordBatchStreamWriter } from "apache-arrow";
import { type Conversion, type Converted, convertRows } from "../../src/convert/run.ts";
import { type TargetFormat, targetOf, targetOptions, type TargetOptions } from "../../src/convert/targets.ts";

export async function writeArrow(path: string, schema: Schema, batches: readonly Columns[]): Promise<void> {
  const arrowSchema = toArrowSchema(schema);
  const stream = new RecordBatchStreamWriter();
  stream.reset(undefined, arrowSchema);
  for (const batch of batches) {
    // Copied together: arrow-js's stream writer mistakes null counts below offsets that do not start at 0.
    const rows = Int32Array.from({ length: batch.rows }, (_, i) => i);
    stream.write(toRecordBatch(takeRows(batch, rows), arrowSchema));
  }
  stream.finish();
  await writeFile(path, await stream.toUint8Array());
}

export interface ConvertSettings extends Partial<Omit<Conversion, "target" | "options">> {
  readonly to?: TargetFormat;
  readonly options?: Partial<TargetOptions>;
  readonly open?: OpenOptions;
}

const none: TargetOptions = {
  codec: undefined,
  level: undefined,
  groupRows: undefined,
  groupBytes: undefined,
  float64: "refuse",
};

/** What `ingest convert FROM OUTPUT` does once its options are read. */
export async function convertFile(from: string, output: string, settings: ConvertSettings = {}): Promise<Converted> {
  const { to, options, open: openOptions, ...rest } = settings;
  const target = targetOf(to, output);
  const reader = await open(from, openOptions);
  try {
    return await convertRows(reader, {
      target,
      options: targetOptions(target, { ...none, ...options }, output),
      urlOf: () => output,
      shardRows: undefined,
      lossy: false,
      sort: undefined,
      sortBytes: 2 ** 30,
      signal: new AbortController().signal,
      onLossy: () => {},
      onHeld: () => {},
      onRows: () => {},
      ...rest,
    });
  } finally {
    await reader.close();
  }
}

export interface Table {
  readonly schema: Schema;
  readonly rows: PlainValue[][];
}

export async function readTable(path: string): Promise<Table> {
  const reader = await open(path);
  const rows: PlainValue[][] = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
  await reader.close();
  return { schema: reader.schema, rows };
}

import type { Column, Columns, Schema } from "@ingest-ts/core";
import { load, type LoadOptions } from "@ingest-ts/loader";
import { fileSink } from "@ingest-ts/storage";
import { createParquetWriter } from "@ingest-ts/writers/parquet";

const schema: Schema = {
  fields: [
    { name: "id", type: { kind: "int", bits: 32, signed: true }, nullable: false },
    { name: "word", type: { kind: "utf8" }, nullable: false },
  ],
  metadata: {},
};

const plain = { nullCount: 0, validity: null, children: [], dictionary: null } as const;

/** Rows [from, from + rows) of a numbered table with a column of words, 20 to a row group, as Parquet. */
export async function writeIds(path: string, from: number, rows: number): Promise<void> {
  const ids = Int32Array.from({ length: rows }, (_, i) => from + i);
  const text = Array.from(ids, (id) => `word number ${String(id).padStart(8, "0")}`);
  const bytes = new TextEncoder().encode(text.join(""));
  const offsets = Int32Array.from({ length: rows + 1 }, (_, i) => (i * bytes.length) / Math.max(1, rows));
  const id: Column = {
    ...plain,
    type: { kind: "int", bits: 32, signed: true },
    length: rows,
    offsets: null,
    data: new Uint8Array(ids.buffer),
  };
  const word: Column = { ...plain, type: { kind: "utf8" }, length: rows, offsets, data: bytes };
  const columns: Columns = { rows, columns: [id, word] };
  const writer = await createParquetWriter(await fileSink(path), schema, {
    rowGroupRows: 20,
    codec: "none",
    dictionary: false,
  });
  await writer.write(columns);
  await writer.finish();
}

/** The ids that `load` gives, in its order. */
export async function idsOfFolder(options: Partial<LoadOptions> & Pick<LoadOptions, "source">): Promise<number[]> {
  const loader = await load({ batchSize: 16, world: { rank: 0, worldSize: 1 }, ...options });
  const ids: number[] = [];
  for await (const batch of loader) {
    const column = batch.toRecordBatch().getChild("id");
    for (let i = 0; i < batch.rows; i++) ids.push(Number(column?.get(i)));
  }
  return ids;
}

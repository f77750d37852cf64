// Dictionaries kept: random columns written by pyarrow-like layouts are in the fixtures; here Arrow's side of it.
import { readFileSync } from "node:fs";
import { memorySource } from "@ingest-ts/core/testing";
import { type RecordBatch, RecordBatchStreamWriter, tableFromIPC } from "apache-arrow";
import { expect, test } from "vitest";
import { open } from "../../src/open.ts";

const file = new URL("../../../../test/fixtures/parquet/dictionary.pyarrow-v1.parquet", import.meta.url);

async function batchesOf(dictionary: "decode" | "preserve"): Promise<RecordBatch[]> {
  const reader = await open(memorySource(readFileSync(file), "memory:d"), { dictionary, batchRows: 700 });
  const batches: RecordBatch[] = [];
  for await (const batch of reader) batches.push(batch);
  await reader.close();
  return batches;
}

test("record batches whose dictionaries differ go through an Arrow stream unchanged", async () => {
  const texts = (batches: RecordBatch[]): unknown[] => batches.flatMap((batch) => [...(batch.getChild("word") ?? [])]);
  const decoded = texts(await batchesOf("decode"));
  const kept = await batchesOf("preserve");
  expect(texts(kept)).toEqual(decoded);
  const writer = new RecordBatchStreamWriter();
  for (const batch of kept) writer.write(batch);
  writer.close();
  const table = tableFromIPC(await writer.toUint8Array());
  expect(texts(table.batches)).toEqual(decoded);
  expect(decoded).toHaveLength(3500);
});

test("slabs of one row group share its dictionary until its writer gave it up", async () => {
  const reader = await open(memorySource(readFileSync(file), "memory:d"), { dictionary: "preserve", batchRows: 100 });
  const dictionaries = new Set<unknown>();
  let rows = 0;
  for await (const slab of reader.slabs()) {
    if (rows < 1500) dictionaries.add(slab.columns[0]?.dictionary);
    rows += slab.rows;
  }
  await reader.close();
  expect(dictionaries.size).toBe(1);
});

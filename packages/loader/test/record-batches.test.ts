import { sliceRows } from "@ingest-ts/core";
import { fromRecordBatch, toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { Dice, randomColumns, randomSchema, rowsOf } from "@ingest-ts/core/testing";
import { RecordBatch, Table, tableFromIPC, tableToIPC } from "apache-arrow";
import { expect, test } from "vitest";
import { RecordBatchMaker } from "../src/record-batches.ts";

test("parts of blocks of any columns are the record batches that core makes", () => {
  for (let seed = 0; seed < 150; seed++) {
    const dice = new Dice(seed);
    const schema = randomSchema(dice);
    const block = randomColumns(dice, schema, 40);
    const maker = new RecordBatchMaker(schema);
    const from = dice.below(41);
    const to = from + dice.below(41 - from);
    const batch = maker.make(block, from, to);
    expect(batch).toBeInstanceOf(RecordBatch);
    expect(batch.numRows).toBe(to - from);
    const plain = toRecordBatch(sliceRows(block, from, to), toArrowSchema(schema));
    expect(batch.schema.fields.map(String)).toEqual(plain.schema.fields.map(String));
    expect(rowsOf(fromRecordBatch(batch, schema))).toEqual(rowsOf(sliceRows(block, from, to)));
    expect(plain.numRows).toBe(to - from);
  }
});

test("all batches share one schema, and go through tables and IPC", () => {
  const schema = {
    fields: ["a", "b"].map((name) => ({
      name,
      type: { kind: "int", bits: 32, signed: true } as const,
      nullable: false,
    })),
    metadata: { key: "value" },
  };
  const block = randomColumns(new Dice(1), schema, 30);
  const maker = new RecordBatchMaker(schema);
  const batches = [maker.make(block, 0, 10), maker.make(block, 10, 30)];
  expect(batches[0]?.schema).toBe(batches[1]?.schema);
  const table = tableFromIPC(tableToIPC(new Table(batches), "stream"));
  expect(table.numRows).toBe(30);
  expect(table.schema.metadata.get("key")).toBe("value");
  expect(table.toArray().map(String)).toEqual(batches.flatMap((batch) => batch.toArray().map(String)));
  expect(new Table(batches).select(["b"]).schema.fields.map((field) => field.name)).toEqual(["b"]);
});

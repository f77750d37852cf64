import { type Columns, type Schema, sliceRows } from "@ingest-ts/core";
import { fromRecordBatch } from "@ingest-ts/core/arrow";
import { Dice, flatTypes, randomColumns, randomSchema, rowsOf } from "@ingest-ts/core/testing";
import { RecordBatchReader } from "apache-arrow";
import { expect, test } from "vitest";
import { END_OF_STREAM, IpcEncoder } from "../../src/serve/ipc-encoder.ts";
import { plainColumns, plainSchema } from "../../src/serve/plain-columns.ts";

const end = { kind: "end", state: {}, droppedRows: 0 } as const;

/** Rows and notices as a stream, read again by apache-arrow. */
function roundTrip(schema: Schema, parts: readonly Columns[]): void {
  const encoder = new IpcEncoder(schema);
  const messages = parts.map((columns, step) =>
    encoder.message(columns, { kind: "batch", epoch: 0, step, positions: [0, columns.rows], state: {} }),
  );
  const all = Buffer.concat([encoder.schemaMessage(), encoder.notice(end), ...messages, END_OF_STREAM].flat());
  const [notice, ...batches] = [...RecordBatchReader.from(all)];
  expect(notice?.numRows).toBe(0);
  expect(JSON.parse(notice?.metadata.get("ingest") ?? "")).toEqual(end);
  expect(batches.length).toBe(parts.length);
  for (const [step, columns] of parts.entries()) {
    const batch = batches[step] as (typeof batches)[number];
    expect(JSON.parse(batch.metadata.get("ingest") ?? "")).toMatchObject({ kind: "batch", step });
    expect(batch.numRows).toBe(columns.rows);
    if (columns.rows > 0) expect(rowsOf(fromRecordBatch(batch, schema))).toEqual(rowsOf(columns));
  }
}

const nested = ["list", "largeList", "fixedSizeList", "map", "struct", "dictionary", "union"] as const;

test("rows of any type arrive as they are, whole, in part, or none", () => {
  for (let seed = 0; seed < 150; seed++) {
    const dice = new Dice(seed);
    const schema = randomSchema(dice, { nested });
    const block = randomColumns(dice, schema, 40);
    const plain = { rows: 40, columns: plainColumns(block).columns };
    const from = dice.below(41);
    const parts = [plain, sliceRows(plain, from, 40), sliceRows(plain, from, from)];
    roundTrip(plainSchema(schema), parts);
  }
});

test.each(flatTypes.map((type) => [JSON.stringify(type), type] as const))("%s by itself and in a list", (_, type) => {
  const child = { name: "item", type, nullable: true };
  const schema: Schema = {
    fields: [
      { name: "flat", type, nullable: true },
      { name: "list", type: { kind: "list", child }, nullable: true },
    ],
    metadata: {},
  };
  roundTrip(schema, [randomColumns(new Dice(1), schema, 20)]);
});

import { type Data, RecordBatchStreamWriter, tableFromIPC } from "apache-arrow";
import { expect, test } from "vitest";
import { toArrowSchema, toRecordBatch } from "../src/arrow/index.ts";
import type { Column } from "../src/columns.ts";
import type { DataType } from "../src/schema.ts";

// apache-arrow's reader does not look at the null counts it is given: what was written is read from the message.
test("lists of nulls are written with the count of their nulls, wherever they lie", () => {
  const list: DataType = { kind: "list", child: { name: "item", type: { kind: "null" }, nullable: true } };
  const nulls = (length: number): Column => ({
    type: { kind: "null" },
    length,
    nullCount: length,
    validity: null,
    offsets: null,
    data: null,
    children: [],
    dictionary: null,
  });
  const lists: Column = {
    ...nulls(2),
    type: list,
    nullCount: 0,
    offsets: Int32Array.of(0, 2, 3),
    children: [nulls(3)],
  };
  const schema = toArrowSchema({ fields: [{ name: "l", type: list, nullable: false }], metadata: {} });
  const batch = toRecordBatch({ rows: 2, columns: [lists] }, schema);
  const items = (batch.data.children[0] as Data).children[0] as Data;
  for (const part of [items, items.slice(1, 2), items.clone(), items.slice(0, 0)]) {
    expect(part.nullCount).toBe(part.length);
  }
  const written = RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true);
  expect(JSON.stringify(tableFromIPC(written).toArray())).toBe('[{"l":[null,null]},{"l":[null]}]');
  expect(Buffer.from(written).includes(Buffer.alloc(8, 0xff))).toBe(false);
});

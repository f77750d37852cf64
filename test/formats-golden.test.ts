import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { concatRows, type Columns } from "@ingest-ts/core";
import { fromRecordBatch } from "@ingest-ts/core/arrow";
import { memorySource, rowsOf } from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { root } from "./lib/tree.ts";

const fixtures = join(root, "test", "fixtures");
/** "orc/flat-zlib.orc" and so on: formats whose fixtures lie beside their rows as `<name>.arrow`. */
const files = ["orc", "avro"].flatMap((format) =>
  readdirSync(join(fixtures, format))
    .filter((name) => name.endsWith(`.${format}`))
    .map((name) => `${format}/${name}`),
);

/** The rows that the independent writer meant. */
function expectedRows(file: string): { rows: ReturnType<typeof rowsOf>; names: string[] } {
  const table = tableFromIPC(readFileSync(join(fixtures, file.replace(/\.\w+$/, ".arrow"))));
  const rows = table.batches.flatMap((batch) => rowsOf(fromRecordBatch(batch)));
  return { rows, names: table.schema.fields.map((field) => field.name) };
}

async function readRows(file: string, options: Parameters<typeof open>[1]): Promise<ReturnType<typeof rowsOf>> {
  const source = memorySource(readFileSync(join(fixtures, file)), file);
  const reader = await open(source, options);
  const parts: Columns[] = [];
  for await (const slab of reader.slabs()) parts.push(slab);
  await reader.close();
  return parts.length === 0 ? [] : rowsOf(concatRows(parts));
}

describe.each(files)("fixture %s", (file) => {
  const expected = expectedRows(file);

  test.each([65_536, 100, 7])("gives the rows that were written, %i rows at a time", async (batchRows) => {
    expect(await readRows(file, { batchRows })).toEqual(expected.rows);
  });

  test("gives single columns", async () => {
    for (const [i, column] of expected.names.entries()) {
      const rows = await readRows(file, { columns: [[column]] });
      expect(rows).toEqual(expected.rows.map((row) => [row[i]]));
    }
  });
});

test("nested columns are read by path", async () => {
  const source = memorySource(readFileSync(join(fixtures, "orc", "nested.orc")), "nested.orc");
  const reader = await open(source, { columns: ["level2.b"] });
  expect(reader.schema.fields.map((field) => field.type)).toMatchObject([
    { kind: "struct", children: [{ name: "b" }] },
  ]);
  await reader.close();
});

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { concatRows, type Columns } from "@ingest-ts/core";
import { fromRecordBatch } from "@ingest-ts/core/arrow";
import { memorySource, rowsOf } from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { root } from "./lib/tree.ts";

const folder = join(root, "test", "fixtures", "orc");
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".orc"))
  .map((name) => basename(name, ".orc"));

/** What pyarrow read from the same file. */
function expectedRows(name: string): { rows: ReturnType<typeof rowsOf>; names: string[] } {
  const table = tableFromIPC(readFileSync(join(folder, `${name}.arrow`)));
  const rows = table.batches.flatMap((batch) => rowsOf(fromRecordBatch(batch)));
  return { rows, names: table.schema.fields.map((field) => field.name) };
}

async function readRows(name: string, options: Parameters<typeof open>[1]): Promise<ReturnType<typeof rowsOf>> {
  const source = memorySource(readFileSync(join(folder, `${name}.orc`)), `${name}.orc`);
  const reader = await open(source, options);
  const parts: Columns[] = [];
  for await (const slab of reader.slabs()) parts.push(slab);
  await reader.close();
  return parts.length === 0 ? [] : rowsOf(concatRows(parts));
}

describe.each(names)("orc fixture %s", (name) => {
  const expected = expectedRows(name);

  test.each([65_536, 100, 7])("gives what pyarrow gives, %i rows at a time", async (batchRows) => {
    expect(await readRows(name, { batchRows })).toEqual(expected.rows);
  });

  test("gives single columns", async () => {
    for (const [i, column] of expected.names.entries()) {
      const rows = await readRows(name, { columns: [[column]] });
      expect(rows).toEqual(expected.rows.map((row) => [row[i]]));
    }
  });
});

test("nested columns are read by path", async () => {
  const source = memorySource(readFileSync(join(folder, "nested.orc")), "nested.orc");
  const reader = await open(source, { columns: ["level2.b"] });
  expect(reader.schema.fields.map((field) => field.type)).toMatchObject([
    { kind: "struct", children: [{ name: "b" }] },
  ]);
  await reader.close();
});

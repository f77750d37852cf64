// Files of the Java library, against what it reads back from them itself (test/fixtures/orc-java/WriteOrc.java).
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { concatRows, type Columns } from "@ingest-ts/core";
import { memorySource, type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { open, type Reader } from "@ingest-ts/readers";
import { describe, expect, test } from "vitest";
import { root } from "./lib/tree.ts";

const folder = join(root, "test", "fixtures", "orc-java");
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".orc"))
  .map((name) => name.slice(0, -4));

function expectedRows(name: string): PlainValue[][] {
  const rowsName = /^(codec|row-index)-/.test(name) ? name.replace(/-[^-]*$/, "") : name;
  const text = gunzipSync(readFileSync(join(folder, `${rowsName}.jsonl.gz`))).toString();
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as PlainValue[]);
}

async function rowsFrom(slabs: AsyncIterable<Columns>): Promise<PlainValue[][]> {
  const parts: Columns[] = [];
  for await (const slab of slabs) parts.push(slab);
  return parts.length === 0 ? [] : rowsOf(concatRows(parts));
}

function openFile(name: string, batchRows = 65_536): Promise<Reader> {
  const bytes = new Uint8Array(readFileSync(join(folder, `${name}.orc`)));
  return open(memorySource(bytes, `${name}.orc`), { batchRows });
}

describe.each(names)("%s", (name) => {
  const expected = expectedRows(name);

  test.each([65_536, 99])("has the rows that the Java library reads, %i at a time", async (batchRows) => {
    const reader = await openFile(name, batchRows);
    const rows = await rowsFrom(reader.slabs());
    // Java's reader cuts what its writer padded; we give char as it is stored, as the C++ reader does.
    const padded = reader.schema.fields.findIndex((field) => field.name === "code");
    for (const row of rows) if (typeof row[padded] === "string") row[padded] = row[padded].replace(/(?:20)+$/, "");
    expect(rows.length).toBe(expected.length);
    for (const [i, row] of rows.entries()) expect(row, `row ${i}`).toEqual(expected[i]);
  });
});

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromRecordBatch } from "@ingest-ts/core/arrow";
import { memorySource, rowsOf } from "@ingest-ts/core/testing";
import { open, type OpenOptions } from "@ingest-ts/readers";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { root } from "./lib/tree.ts";

interface Golden {
  readonly name: string;
  readonly file: string;
  readonly arrow: string;
  readonly schema: string | undefined;
}

interface Read {
  readonly names: string[];
  readonly rows: ReturnType<typeof rowsOf>;
}

function jsonOf(path: string | undefined): unknown {
  return path === undefined ? undefined : JSON.parse(readFileSync(path, "utf8"));
}

function expected(path: string): Read {
  const table = tableFromIPC(readFileSync(path));
  const rows = table.batches.flatMap((batch) => rowsOf(fromRecordBatch(batch)));
  return { names: table.schema.fields.map(({ name }) => name), rows };
}

async function read(golden: Golden, options: OpenOptions = {}): Promise<Read> {
  const reader = await open(memorySource(new Uint8Array(readFileSync(golden.file)), golden.name), {
    format: "tfrecord",
    schema: jsonOf(golden.schema),
    ...options,
  });
  const rows: ReturnType<typeof rowsOf> = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
  await reader.close();
  return { names: reader.schema.fields.map(({ name }) => name), rows };
}

const fixtures = join(root, "test", "fixtures", "tfrecord");
const goldens = readdirSync(fixtures)
  .filter((name) => name.endsWith(".tfrecord"))
  .map((name): Golden => {
    const base = join(fixtures, name.replace(/\.tfrecord$/, ""));
    const schema = `${base}.schema.json`;
    return {
      name,
      file: join(fixtures, name),
      arrow: `${base}.arrow`,
      schema: existsSync(schema) ? schema : undefined,
    };
  });

describe.each(goldens)("$name, written by TensorFlow", (golden) => {
  const rows = expected(golden.arrow);

  test.each([65_536, 50, 1])("gives the rows that TensorFlow reads, %i at a time", async (batchRows) => {
    expect(await read(golden, { batchRows })).toEqual(rows);
  });

  test("gives columns in any order", async () => {
    const reversed = rows.names.toReversed();
    const got = await read(golden, { columns: reversed.map((name) => [name]) });
    expect(got).toEqual({ names: reversed, rows: rows.rows.map((row) => row.toReversed()) });
  });
});

interface Entry {
  readonly id: string;
  readonly format: string;
  readonly file: string;
  readonly expect: string;
  readonly expected?: string;
  readonly options?: { readonly schema?: string };
}

const shared = join(root, "..", "shared", "conformance");
const manifest = join(shared, "manifest.json");
const entries = existsSync(manifest)
  ? (jsonOf(manifest) as readonly Entry[]).filter(({ format }) => format === "tfrecord")
  : [];

describe.skipIf(entries.length === 0)("conformance files (skipped: they are not beside the repository)", () => {
  test.each(entries)("$id", async (entry) => {
    const schema = entry.options?.schema;
    const golden: Golden = {
      name: entry.file,
      file: join(shared, entry.file),
      arrow: join(shared, entry.expected ?? ""),
      schema: schema === undefined ? undefined : join(shared, schema),
    };
    if (entry.expect === "rows") expect(await read(golden)).toEqual(expected(golden.arrow));
    else await expect(read(golden)).rejects.toMatchObject({ code: "INGEST_FORMAT", where: { url: entry.file } });
  });
});

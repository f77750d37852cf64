// `inspect`, `validate` and `schema diff` as users run them: the built command line on small files of our own writers.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteSink, Columns, Schema } from "@ingest-ts/core";
import { createAvroWriter } from "@ingest-ts/writers/avro";
import { createORCWriter } from "@ingest-ts/writers/orc";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";

const main = join(import.meta.dirname, "..", "packages", "cli", "dist", "main.js");
let folder = "";

function ingest(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, COLUMNS: "80" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    encoding: "utf8",
    env,
  });
  return { status, stdout, stderr };
}

const rows = 1000;
const schema: Schema = {
  fields: [
    { name: "id", type: { kind: "int", bits: 32, signed: true }, nullable: false },
    { name: "day", type: { kind: "date", unit: "day" }, nullable: true },
    { name: "word", type: { kind: "utf8" }, nullable: true },
  ],
  metadata: { origin: "a test" },
};

function columns(): Columns {
  const plain = { length: rows, nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
  const ids = Int32Array.from({ length: rows }, (_, i) => i);
  const words = Array.from({ length: rows }, (_, i) => `word ${i % 7}`).join("");
  const offsets = Int32Array.from({ length: rows + 1 }, (_, i) => i * 6);
  const types = schema.fields.map(({ type }) => type);
  const bytes = new Uint8Array(ids.buffer);
  const columnsOf = [bytes, bytes, new TextEncoder().encode(words)].map((data, i) => ({
    ...plain,
    type: types[i] as Columns["columns"][number]["type"],
    data,
    offsets: i === 2 ? offsets : null,
  }));
  return { rows, columns: columnsOf };
}

interface Writer {
  write(batch: Columns): Promise<void>;
  finish(): Promise<unknown>;
}

async function make(name: string, create: (sink: ByteSink) => Promise<Writer>): Promise<void> {
  const sink = memorySink();
  const writer = await create(sink);
  await writer.write(columns());
  await writer.finish();
  await writeFile(join(folder, name), sink.bytes);
}

/** A copy with one bit changed at a share of the file's length. */
async function spoil(name: string, copy: string, share: number): Promise<void> {
  const bytes = await readFile(join(folder, name));
  const at = Math.floor(bytes.length * share);
  bytes[at] = (bytes[at] as number) ^ 0x10;
  await writeFile(join(folder, copy), bytes);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest inspect "));
  await make("a.parquet", (sink) => createParquetWriter(sink, schema, { rowGroupRows: 400, codec: "zstd" }));
  await make("a.orc", (sink) => createORCWriter(sink, schema, { stripeRows: 500, codec: "zlib" }));
  await make("a.avro", (sink) => createAvroWriter(sink, schema, { codec: "deflate" }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function numbersIn(line: string | undefined): number[] {
  return (line ?? "").match(/[\d,]+/g)?.map((text) => Number(text.replaceAll(",", ""))) ?? [];
}

describe.skipIf(!existsSync(main))("ingest inspect (skipped: not built)", () => {
  it("shows row groups, columns and statistics of Parquet", () => {
    const { status, stdout, stderr } = ingest("inspect", "a.parquet");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/^a\.parquet: parquet, 1,000 rows, \d+\.\d kB$/);
    expect(stdout).toContain("row groups 3 · columns 3");
    expect(stdout).toContain("metadata origin = a test");
    expect(numbersIn(lines.find((line) => /^ +1 +400/.test(line))).slice(0, 2)).toEqual([1, 400]);
    expect(stdout).toMatch(/^id +INT32 +ZSTD +/m);
    expect(stdout).toMatch(/^day +0 +1970-01-01 +1972-09-26/m);
    expect(stdout).toMatch(/^word +0 +word 0 +word 6/m);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("--json says the same for programs, --pages goes down to pages", () => {
    const { status, stdout } = ingest("inspect", "a.parquet", "--json", "--pages");
    expect(status).toBe(0);
    const { fragments, rows: total } = JSON.parse(stdout) as {
      rows: number;
      fragments: {
        rows: number;
        columns: { path: string[]; values: number; max: string; pages: { values: number }[] }[];
      }[];
    };
    expect(total).toBe(1000);
    expect(fragments.map((fragment) => fragment.rows)).toEqual([400, 400, 200]);
    for (const fragment of fragments) {
      for (const column of fragment.columns) {
        const data = column.pages.filter((page) => "kind" in page && page.kind !== "dictionary");
        expect(data.reduce((sum, page) => sum + page.values, 0)).toBe(column.values);
      }
    }
    expect(fragments[1]?.columns[0]).toMatchObject({ path: ["id"], min: "400", max: "799" });
    expect(ingest("inspect", "a.parquet", "--pages").stdout).toMatch(/^row group 2, word: 2 pages$/m);
  });

  it("shows stripes and streams of ORC", () => {
    const { stdout } = ingest("inspect", "a.orc", "--pages");
    expect(stdout).toMatch(/^ +1 +500 /m);
    expect(stdout).toMatch(/^word +string +zlib +dictionaryV2\(7\) /m);
    expect(stdout).toMatch(/^day +0 +1970-01-01 +1972-09-26 +row index/m);
    expect(stdout).toMatch(/^stripe 0, word: \d+ streams$/m);
  });

  it("shows the header of Avro, and its blocks when asked for", () => {
    const header = ingest("inspect", "a.avro").stdout;
    expect(header).toContain("rows unknown until read");
    expect(header).toMatch(/^column +type +nulls\nid +int32/m);
    const { fields } = JSON.parse(ingest("inspect", "a.avro", "--json").stdout) as { fields: object[] };
    expect(fields[0]).toEqual({ name: "id", type: "int32", nullable: expect.any(Boolean) });
    const { stdout } = ingest("inspect", "a.avro", "--pages");
    expect(stdout).toMatch(/^a\.avro: avro, 1,000 rows/);
    expect(stdout).toContain("codec deflate");
  });

  it("refuses what is no file, and fails by its kind", async () => {
    expect(ingest("inspect").status).toBe(2);
    expect(ingest("inspect", "nothing.parquet").status).toBe(4);
    await writeFile(join(folder, "cut.parquet"), (await readFile(join(folder, "a.parquet"))).subarray(0, 900));
    expect(ingest("inspect", "cut.parquet").status).toBe(3);
    await rm(join(folder, "cut.parquet"));
  });
});

describe.skipIf(!existsSync(main))("ingest validate (skipped: not built)", () => {
  it("reads every file whole and says so", () => {
    const { status, stdout, stderr } = ingest("validate", "a.*");
    expect(status).toBe(0);
    expect(stdout).toBe(
      "a.avro: ok, 1,000 rows in 1 fragment\na.orc: ok, 1,000 rows in 2 fragments\na.parquet: ok, 1,000 rows in 3 fragments\n",
    );
    expect(stderr).toContain("1,000 rows");
    expect(ingest("validate", "a.*", "--quiet")).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it("names the first bad place of every bad file, and goes on", async () => {
    await spoil("a.parquet", "bad-page.parquet", 0.5);
    await spoil("a.avro", "bad-block.avro", 0.7);
    const { status, stdout, stderr } = ingest("validate", "bad-page.parquet", "bad-block.avro", "a.orc", "--quiet");
    expect(status).toBe(3);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^.*bad-block\.avro: bad after [\d,]+ rows: /);
    expect(lines[1]).toMatch(/^.*bad-page\.parquet: bad after [\d,]+ rows: .*fragment \d, column "\w+", byte \d+/);
    expect(stderr).toBe("ingest: 2 of 3 files are bad\n");
    const [json] = ingest("validate", "bad-page.parquet", "--json", "--quiet").stdout.split("\n");
    expect(JSON.parse(json as string)).toMatchObject({
      ok: false,
      error: { code: "INGEST_FORMAT", where: { fragment: expect.any(Number) as number } },
    });
  });

  it("fails by the kind of what went wrong", () => {
    expect(ingest("validate", "nothing").status).toBe(4);
    expect(ingest("validate", "a.orc", "--columns", "nothing").status).toBe(2);
    expect(ingest("validate").status).toBe(2);
  });
});

describe.skipIf(!existsSync(main))("ingest schema diff (skipped: not built)", () => {
  it("finds none between formats that hold the same", () => {
    const same = { status: 0, stdout: "the same columns\ncan be read together\n", stderr: "" };
    expect(ingest("schema", "diff", "a.parquet", "a.orc")).toEqual(same);
  });

  it("tells of columns, types, nullability and order, and exits with 1", async () => {
    const other: Schema = {
      fields: [
        { name: "word", type: { kind: "utf8" }, nullable: true },
        { name: "id", type: { kind: "int", bits: 64, signed: true }, nullable: true },
        {
          name: "more",
          type: { kind: "list", child: { name: "item", type: { kind: "bool" }, nullable: true } },
          nullable: true,
        },
      ],
      metadata: {},
    };
    const sink = memorySink();
    const writer = await createParquetWriter(sink, other);
    await writer.finish();
    await writeFile(join(folder, "other.parquet"), sink.bytes);
    const { status, stdout } = ingest("schema", "diff", "a.parquet", "other.parquet");
    expect(status).toBe(1);
    expect(stdout.split("\n")).toEqual([
      "~ id: int32 not null → int64",
      "- day: date32",
      "+ more: list",
      "+ more[]: bool",
      "~ id: the columns come in another order from here on",
      "can be read together",
      "",
    ]);
    const json = JSON.parse(ingest("schema", "diff", "a.parquet", "other.parquet", "--json").stdout) as object;
    expect(json).toMatchObject({ same: false, readTogether: true, differences: { length: 5 } });
    expect(ingest("schema", "a.parquet").stdout).toContain("a.parquet: parquet, 1,000 rows");
  });
});

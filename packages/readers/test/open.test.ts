import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { channels, type Columns, type ReaderOpened, type Schema } from "@ingest-ts/core";
import { memorySource } from "@ingest-ts/core/testing";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { open, type OpenOptions } from "../src/index.ts";
import { arrowBytes } from "./arrow-bytes.ts";

const schema: Schema = {
  fields: [
    { name: "i", type: { kind: "int", bits: 8, signed: true }, nullable: true },
    { name: "a.b", type: { kind: "bool" }, nullable: true },
    {
      name: "a",
      type: {
        kind: "struct",
        children: [{ name: "b", type: { kind: "int", bits: 8, signed: true }, nullable: false }],
      },
      nullable: false,
    },
  ],
  metadata: {},
};

const nothing = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
const int = { type: schema.fields[0]?.type as never, length: 4, ...nothing, data: Uint8Array.of(1, 2, 3, 4) };
const columns: Columns = {
  rows: 4,
  columns: [
    int,
    { ...int, type: { kind: "bool" }, data: Uint8Array.of(0b0110) },
    { ...int, type: schema.fields[2]?.type as never, data: null, children: [int] },
  ],
};
const bytes = arrowBytes(columns, schema, "stream", 2);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest open "));
  await writeFile(join(folder, "x.arrow"), bytes);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function rowsAnd(options: OpenOptions): Promise<{ names: string[]; rows: number }> {
  const reader = await open(memorySource(bytes), options);
  let rows = 0;
  for await (const slab of reader.slabs()) rows += slab.rows;
  return { names: reader.schema.fields.map(({ name }) => name), rows };
}

describe("open", () => {
  it("opens a path, and closes what it opened", async () => {
    const reader = await open(join(folder, "x.arrow"));
    expect(reader).toMatchObject({ format: "arrow", rows: 4, url: join(folder, "x.arrow") });
    expect(reader.fragments.map(({ rows }) => rows)).toEqual([2, 2]);
    expect(await reader.buildIndex()).toBeUndefined();
    await reader.close();
    await expect(reader.slabs().next()).rejects.toMatchObject({ code: "INGEST_SOURCE" });
  });

  it("leaves a source that it was given open", async () => {
    const source = memorySource(bytes);
    await (await open(source)).close();
    expect((await source.stat()).sizeBytes).toBe(bytes.length);
  });

  it("an exact top-level name wins, then dots split", async () => {
    expect(await rowsAnd({ columns: ["a.b"] })).toEqual({ names: ["a.b"], rows: 4 });
    expect(await rowsAnd({ columns: [["a", "b"], "i"] })).toEqual({ names: ["a", "i"], rows: 4 });
  });

  it("filters by columns that are not asked for, or asked for in part", async () => {
    expect(await rowsAnd({ columns: ["i"], where: ["eq", "a.b", true] })).toEqual({ names: ["i"], rows: 2 });
    expect(await rowsAnd({ columns: [], where: ["gt", ["a", "b"], 1] })).toEqual({ names: [], rows: 3 });
    expect(await rowsAnd({ where: ["gt", "i", 100] })).toEqual({ names: ["i", "a.b", "a"], rows: 0 });
  });

  it("refuses options before any row is read", async () => {
    const wrong: OpenOptions[] = [
      { columns: ["nope"] },
      { where: ["eq", "nope", 1] },
      { where: ["eq", "i", "x"] },
      { batchRows: 0 },
      { batchBytes: 1.5 },
      { index: { version: 1, format: "tfrecord", sizeBytes: bytes.length, etag: "", fragments: [] } },
    ];
    for (const options of wrong) {
      await expect(open(memorySource(bytes), options)).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    }
  });

  it("refuses the name of no format", async () => {
    const options = { format: "lance" } as unknown as OpenOptions;
    await expect(open(memorySource(bytes), options)).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
  });

  it("refuses a declared schema beside a TFRecord that is not JSON, by its name", async () => {
    await writeFile(join(folder, "x.tfrecord"), "");
    await writeFile(join(folder, "x.tfrecord.schema.json"), "{");
    await expect(open(join(folder, "x.tfrecord"))).rejects.toMatchObject({
      code: "INGEST_FORMAT",
      where: { url: join(folder, "x.tfrecord.schema.json") },
    });
    const declared = { features: { x: { kind: "varLen", dtype: "int64" } } };
    await writeFile(join(folder, "x.tfrecord.schema.json"), JSON.stringify(declared));
    const reader = await open(join(folder, "x.tfrecord"));
    expect(reader.schema.fields.map(({ name }) => name)).toEqual(["x"]);
    await reader.close();
  });

  it("tells that it opened something", async () => {
    const seen: ReaderOpened[] = [];
    const listener = (message: unknown): number => seen.push(message as ReaderOpened);
    subscribe(channels.readerOpened.name, listener);
    await open(memorySource(bytes));
    unsubscribe(channels.readerOpened.name, listener);
    expect(seen).toMatchObject([{ url: "memory://object", format: "arrow", fragments: 2, rows: 4 }]);
  });
});

// Columns that old Hive called by their places, mapped to names on request.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Column, type DataType, parseWhere, type Schema } from "@ingest-ts/core";
import { memorySource, rowsOf } from "@ingest-ts/core/testing";
import { open, type OpenOptions } from "@ingest-ts/readers";
import { createORCWriter } from "@ingest-ts/writers/orc";
import { describe, expect, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";

const int32: DataType = { kind: "int", bits: 32, signed: true };
const nothing = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
const numbers = (from: number, length: number): Column => ({
  ...nothing,
  type: int32,
  length,
  data: new Uint8Array(Int32Array.from({ length }, (_, i) => from + i).buffer),
});

/** Three columns of 100 rows: i, 1000 + i, and a struct of 2000 + i, in stripes of ten. */
async function file(names: readonly string[]): Promise<Uint8Array> {
  const struct: DataType = { kind: "struct", children: [{ name: "x", type: int32, nullable: false }] };
  const types = [int32, int32, struct];
  const fields = names.map((name, i) => ({ name, type: types[i] as DataType, nullable: false }));
  const schema: Schema = { fields, metadata: {} };
  const sink = memorySink();
  const writer = await createORCWriter(sink, schema, { stripeRows: 10 });
  const inner: Column = { ...nothing, type: struct, length: 100, data: null, children: [numbers(2000, 100)] };
  await writer.write({ rows: 100, columns: [numbers(0, 100), numbers(1000, 100), inner] });
  await writer.finish();
  return sink.bytes;
}

const value = (number: number): string => Buffer.from(Int32Array.of(number).buffer).toString("hex");

async function read(bytes: Uint8Array, options: OpenOptions) {
  const reader = await open(memorySource(bytes), options);
  const rows: unknown[][] = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
  await reader.close();
  return { names: reader.schema.fields.map(({ name }) => name), fragments: reader.fragments.length, rows };
}

const hive = ["_col0", "_col1", "_col2"];
const positionalNames = ["a", "b", "s"];

describe("positional names", () => {
  it("are those of the schema, of columns and of conditions", async () => {
    const bytes = await file(hive);
    expect((await read(bytes, {})).names).toEqual(hive);
    expect((await read(bytes, { positionalNames })).names).toEqual(["a", "b", "s"]);
    const where = parseWhere("a >= 95 and not (b = 1096)");
    const found = await read(bytes, { positionalNames, columns: ["s.x", "b"], where });
    expect(found.names).toEqual(["s", "b"]);
    expect(found.rows).toEqual([95, 97, 98, 99].map((i) => [[value(2000 + i)], value(1000 + i)]));
    // Stripes are left out by the statistics of the columns, whatever they are called.
    expect(found.fragments).toBe(1);
    const nested = await read(bytes, { positionalNames, columns: ["a"], where: ["eq", "s.x", 2042] });
    expect([nested.fragments, nested.rows]).toEqual([1, [[value(42)]]]);
  });

  it("with dots in them win over paths, and swapped ones are not mistaken", async () => {
    const bytes = await file(hive);
    const dotted = await read(bytes, { positionalNames: ["s.x", "b", "s"], columns: ["s.x"], where: ["lt", "s.x", 2] });
    expect([dotted.names, dotted.rows]).toEqual([["s.x"], [[value(0)], [value(1)]]]);
    const swapped = await read(bytes, { positionalNames: ["_col1", "_col0", "s"], where: ["eq", "_col0", 1007] });
    expect([swapped.names, swapped.rows.map((row) => row[0])]).toEqual([["_col1", "_col0", "s"], [value(7)]]);
  });

  it("leave files with names of their own as they are, also in one data set with old ones", async () => {
    const named = await file(["a", "b", "s"]);
    expect(await read(named, { positionalNames })).toEqual(await read(named, {}));
    const folder = await mkdtemp(join(tmpdir(), "ingest hive "));
    await writeFile(join(folder, "1.orc"), await file(hive));
    await writeFile(join(folder, "2.orc"), named);
    const reader = await open(folder, { positionalNames, columns: ["b"], where: ["eq", "a", 3] });
    const rows: unknown[][] = [];
    for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
    await reader.close();
    await rm(folder, { recursive: true });
    expect(rows).toEqual([[value(1003)], [value(1003)]]);
  });

  it.each<[string, string[], string[], RegExp]>([
    ["too few names", hive, ["a", "b"], /2 positional names, and a column beyond them.*column "_col2"/],
    ["the same name twice", hive, ["a", "a", "s"], /different from each other/],
    ["no name", hive, ["a", "", "s"], /not empty/],
    ["a name that the file has", ["_col0", "b", "s"], ["b"], /column "b" already.*column "_col0"/],
  ])("refuse %s", async (_, names, positional, message) => {
    const opened = open(memorySource(await file(names)), { positionalNames: positional });
    await expect(opened).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    await expect(opened).rejects.toThrow(message);
  });

  it("do not offer the names of the file", async () => {
    const opened = open(memorySource(await file(hive)), { positionalNames, columns: ["nope"] });
    await expect(opened).rejects.toThrow(/no column "nope".*a, b, s/);
    await expect(open(memorySource(await file(hive)), { positionalNames, columns: ["_col0"] })).rejects.toThrow(
      "_col0",
    );
  });
});

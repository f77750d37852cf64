import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { channels, type Column, type DataType, type Predicate, type Schema, type SourceOpened } from "@ingest-ts/core";
import { rowsOf } from "@ingest-ts/core/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listDataset, open, openFile, type OpenOptions, partitionFields, uniteSchemas } from "../../src/index.ts";
import { arrowBytes } from "../arrow-bytes.ts";

const int = (bits: 8 | 32 | 64): DataType => ({ kind: "int", bits, signed: true });
const none = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };

/** An Arrow file of columns of small numbers. */
function file(columns: Readonly<Record<string, readonly [DataType, readonly number[]]>>): Uint8Array {
  const fields = Object.entries(columns).map(([name, [type]]) => ({ name, type, nullable: false }));
  const schema: Schema = { fields, metadata: {} };
  const made = Object.values(columns).map(([type, values]): Column => {
    const data =
      type.kind === "float"
        ? bytesOf(type.bits === 32 ? Float32Array.from(values) : Float64Array.from(values))
        : ints(type, values);
    return { ...none, type, length: values.length, data };
  });
  return arrowBytes({ rows: made[0]?.length ?? 0, columns: made }, schema, "file", 2);
}

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer as ArrayBuffer);
function ints(type: DataType, values: readonly number[]): Uint8Array {
  if (type.kind === "int" && type.bits === 64) return bytesOf(BigInt64Array.from(values, BigInt));
  return bytesOf(type.kind === "int" && type.bits === 32 ? Int32Array.from(values) : Int8Array.from(values));
}

let folder = "";
const put = async (path: string, bytes: Uint8Array): Promise<void> => {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest data "));
  await put("d/m=1/a", file({ x: [int(8), [1, -2, 3]], f: [{ kind: "float", bits: 32 }, [0.1, 0.5, 2]] }));
  await put(
    "d/m=2/a",
    file({ f: [{ kind: "float", bits: 64 }, [0.1, 3]], y: [int(32), [7, 8]], x: [int(64), [2 ** 40, 5]] }),
  );
  await put("d/m=__HIVE_DEFAULT_PARTITION__/a", file({ y: [int(32), [9]] }));
  for (let i = 0; i < 300; i++) await put(`many/${String(i).padStart(3, "0")}`, file({ x: [int(32), [i]] }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const hex = (value: bigint): string => Buffer.from(BigInt64Array.of(value).buffer).toString("hex");

async function rows(options: OpenOptions = {}): Promise<{ names: string[]; rows: unknown[][]; opened: number }> {
  const reader = await open(join(folder, "d"), options);
  const out: unknown[][] = [];
  for await (const slab of reader.slabs()) {
    expect(slab.columns.map(({ type }) => type)).toEqual(reader.schema.fields.map(({ type }) => type));
    out.push(...rowsOf(slab));
  }
  if (reader.rows !== undefined) expect(reader.rows).toBe(out.length);
  await reader.close();
  return { names: reader.schema.fields.map(({ name }) => name), rows: out, opened: reader.dataset?.opened ?? 0 };
}

async function opensDuring(body: () => Promise<void>): Promise<string[]> {
  const urls: string[] = [];
  const hear = (message: unknown): void => void urls.push((message as SourceOpened).url);
  subscribe(channels.sourceOpened.name, hear);
  try {
    await body();
  } finally {
    unsubscribe(channels.sourceOpened.name, hear);
  }
  return urls;
}

describe("open of a folder", () => {
  it("gives all rows in one schema: widened, null where a file has no such column, with the folder's value", async () => {
    const all = await rows({ columns: ["x", "y", "m"] });
    expect(all.rows).toEqual([
      [hex(1n), null, hex(1n)],
      [hex(-2n), null, hex(1n)],
      [hex(3n), null, hex(1n)],
      [hex(2n ** 40n), "07000000", hex(2n)],
      [hex(5n), "08000000", hex(2n)],
      [null, "09000000", null],
    ]);
    expect((await rows()).names).toEqual(["x", "f", "y", "m"]);
  });

  it.each<[Predicate, number, number]>([
    [["eq", "m", 2], 2, 1],
    [["ne", "m", 2], 3, 1],
    [["not", ["eq", "m", 2]], 3, 1],
    [["isNull", "m"], 1, 1],
    [["not", ["isNull", "m"]], 5, 2],
    [["or", ["eq", "m", 2], ["isNull", "x"]], 3, 3],
    [["not", ["or", ["eq", "m", 2], ["isNull", "x"]]], 3, 1],
    [["and", ["ge", "m", 1], ["isNull", "y"]], 3, 2],
    [["gt", "f", 0.1], 4, 3],
    [["eq", "f", 0.1], 1, 3],
    [["not", ["gt", "x", 2]], 2, 3],
    [["lt", "x", 1000], 4, 3],
    [["not", ["eq", "y", 7]], 2, 3],
    [["and", ["eq", "m", 2], ["eq", "m", 1]], 0, 0],
    [["in", "m", [1, null]], 3, 1],
  ])("where %j passes %i rows of %i files", async (where, count, files) => {
    for (const columns of [undefined, ["x"], ["m"], []]) {
      const found = await rows({ where, columns });
      expect(found.rows.length).toBe(count);
      // More are opened only for a column that those left do not have.
      if (columns?.[0] !== "x") expect(found.opened).toBe(Math.max(1, files));
    }
  });

  it("refuses what no file has, literals of another type, and files that cannot be united", async () => {
    await expect(rows({ columns: ["zz"] })).rejects.toThrow(/no column "zz". Columns are: x, f, y, m/);
    await expect(rows({ where: ["eq", "m", "a"] })).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    await expect(rows({ where: "m" as never })).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    await expect(rows({ strictSchema: true })).rejects.toThrow(/schemas differ/);
    await put("bad/a", file({ x: [int(32), [1]], y: [int(8), [1]] }));
    await put("bad/b", file({ x: [{ kind: "float", bits: 64 }, [1]], y: [int(8), [1]] }));
    await expect(open(join(folder, "bad"))).rejects.toThrow(
      /float64 here and int32 in .*\/bad\/a: no type holds both without loss \(.*\/bad\/b, column "x"\)/,
    );
    const reader = await open(join(folder, "bad"), { columns: ["y"] });
    expect(reader.rows).toBe(2);
    await reader.close();
    await put("clash/x=1/a", file({ x: [int(32), [1]] }));
    await expect(open(join(folder, "clash"))).rejects.toThrow(/partition folder.*clash\/x=1\/a, column "x"/);
    await put("junk/a", Uint8Array.of(1, 2, 3));
    await put("junk/b", file({ x: [int(32), [1]] }));
    await expect(open(join(folder, "junk"))).rejects.toThrow(/not recognised.*junk\/a/);
  });

  it("reads fragments one by one, parts of them, and rows that fail where", async () => {
    const reader = await open(join(folder, "d"), { where: ["gt", "f", 0.4] });
    const counts: number[] = [];
    for (const fragment of reader.fragments) {
      for (const filter of [true, false]) {
        let sum = 0;
        for await (const slab of reader.fragmentSlabs(fragment, { filter })) sum += slab.rows;
        counts.push(sum);
      }
    }
    expect(counts.length).toBeGreaterThan(5);
    expect(counts.filter((_, i) => i % 2 === 0).reduce((a, b) => a + b)).toBe(3);
    await expect(reader.source.stat()).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    await expect(reader.buildIndex()).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    await reader.close();
    await expect(reader.slabs().next()).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
  });
});

describe("many files", () => {
  it("are opened once each, and few stay open; rows come in order, and a loop may end early", async () => {
    let reader: Awaited<ReturnType<typeof open>> | undefined;
    const before = readdirSync("/proc/self/fd").length;
    const opens = await opensDuring(async () => {
      reader = await open(join(folder, "many"));
    });
    expect(opens.length).toBe(300);
    expect(new Set(opens).size).toBe(300);
    expect(readdirSync("/proc/self/fd").length - before).toBeLessThanOrEqual(66);
    const seen: unknown[] = [];
    const again = await opensDuring(async () => {
      for await (const slab of reader?.slabs() ?? []) seen.push(...rowsOf(slab).map(([x]) => x));
    });
    expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => Buffer.from(Int32Array.of(i).buffer).toString("hex")));
    expect(again.length).toBe(300 - 64);
    for await (const slab of reader?.slabs() ?? []) if (slab.rows > 0) break;
    await reader?.close();
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before + 2);
  });

  it("that change or vanish after they were listed are errors that name them", async () => {
    await put("change/a", file({ x: [int(32), [1]] }));
    await put("change/b", file({ x: [int(32), [2]] }));
    const listing = await listDataset(join(folder, "change"));
    const [a, b] = listing.files as [(typeof listing.files)[0], (typeof listing.files)[0]];
    await put("change/a", file({ x: [int(32), [3, 4]] }));
    await rm(join(folder, "change/b"));
    const options = { unitedSchema: { fields: [], metadata: {} }, partitionFields: partitionFields(listing) };
    await expect(openFile(a, options)).rejects.toThrow(/changed since the data set was listed.*change\/a/);
    await expect(openFile(b, options)).rejects.toThrow(/no such file.*change\/b/);
  });
});

it("openFile gives one file in the columns of all", async () => {
  const listing = await listDataset(join(folder, "d"));
  const schemas = await Promise.all(
    listing.files.map(async ({ url, name }) => {
      const reader = await open(url);
      await reader.close();
      return { name, schema: reader.schema };
    }),
  );
  const options = { unitedSchema: uniteSchemas(schemas).schema, partitionFields: partitionFields(listing) };
  const reader = await openFile(listing.files[0] as (typeof listing.files)[0], { ...options, columns: ["m", "y"] });
  expect(reader.rows).toBe(3);
  expect(reader.schema.fields.map(({ name }) => name)).toEqual(["m", "y"]);
  for await (const batch of reader) expect(batch.schema.fields.map(({ name }) => name)).toEqual(["m", "y"]);
  await reader.close();
});

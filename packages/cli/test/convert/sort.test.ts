import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Column, type Columns, concatRows, type DataType, type Schema, takeRows } from "@ingest-ts/core";
import { Dice, flatTypes, randomColumns, rowsOf } from "@ingest-ts/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { plainCell } from "../../src/output/cells.ts";
import { sortKeys, type SortOptions, sortRows } from "../../src/convert/sort.ts";
import { convertFile, readTable, writeArrow } from "./support.ts";

async function* each(batches: readonly Columns[]): AsyncGenerator<Columns, void> {
  for (const batch of batches) {
    await Promise.resolve();
    yield batch;
  }
}

async function sorted(batches: readonly Columns[], options: Partial<SortOptions>): Promise<Columns> {
  const out: Columns[] = [];
  const settings = { keys: [], maxBytes: 2 ** 30, onHeld: () => {}, ...options };
  for await (const slab of sortRows(each(batches), settings)) out.push(slab);
  return concatRows(out);
}

const comparable = flatTypes.filter(({ kind }) => kind !== "null");
const schemaOf = (type: DataType): Schema => ({
  fields: [
    { name: "key", type, nullable: true },
    { name: "at", type: { kind: "int", bits: 32, signed: true }, nullable: false },
  ],
  metadata: {},
});

/** What a value is compared by, in a way that has nothing to do with buffers: null and NaN are asked for before. */
function naiveKey(column: Column, row: number): number | bigint | Buffer | undefined {
  const text = plainCell(column)(row);
  if (text === undefined) return undefined;
  const { type } = column;
  if (type.kind === "float") return Number(text);
  if (type.kind === "bool") return text === "true" ? 1 : 0;
  if (type.kind === "int") return BigInt(text);
  if (type.kind === "decimal") return BigInt(text.replace(".", ""));
  if (type.kind.toLowerCase().endsWith("utf8")) return Buffer.from(text);
  if (type.kind.toLowerCase().endsWith("binary")) return Buffer.from(text, "base64");
  const data = column.data as Uint8Array;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return data.length / column.length === 4 ? view.getInt32(row * 4, true) : view.getBigInt64(row * 8, true);
}

function naiveOrder(column: Column, descending: boolean): number[] {
  const keys = Array.from({ length: column.length }, (_, row) => naiveKey(column, row));
  const rank = (key: unknown): number => (key === undefined ? 2 : 0);
  return keys
    .map((_, row) => row)
    .sort((a, b) => {
      const [left, right] = [keys[a], keys[b]];
      if (left === undefined || right === undefined) return rank(left) - rank(right) || a - b;
      const order =
        left instanceof Buffer && right instanceof Buffer ? Buffer.compare(left, right) : compareNumbers(left, right);
      return (descending ? -order : order) || a - b;
    });
}

function compareNumbers(left: unknown, right: unknown): number {
  const [a, b] = [left as number, right as number];
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

describe("--sort", () => {
  it.each(comparable.map((type) => [JSON.stringify(type), type] as const))(
    "orders %s as a plain sort does, nulls last, equal rows as they were",
    async (_, type) => {
      const schema = schemaOf(type);
      for (const [seed, sign] of [
        [1, ""],
        [2, "-"],
        [3, "-"],
      ] as const) {
        const dice = new Dice(seed);
        const batches = [0, 40, 1, 170].map((rows) => randomColumns(dice, schema, rows));
        const all = concatRows(batches);
        const keys = sortKeys(`${sign}key`, schema);
        const order = naiveOrder(all.columns[0] as Column, sign === "-");
        expect(rowsOf(await sorted(batches, { keys }))).toEqual(rowsOf(takeRows(all, Int32Array.from(order))));
      }
    },
  );

  it("goes by the second column where the first is equal, over more rows than are sorted in one piece", async () => {
    const rows = 200_000;
    const int32: DataType = { kind: "int", bits: 32, signed: true };
    const make = (value: (i: number) => number): Column => ({
      type: int32,
      length: rows,
      nullCount: 0,
      validity: null,
      offsets: null,
      data: new Uint8Array(Int32Array.from({ length: rows }, (_, i) => value(i)).buffer),
      children: [],
      dictionary: null,
    });
    const fields = ["a", "b", "i"].map((name) => ({ name, type: int32, nullable: false }));
    const columns = [make((i) => (i * 7919) % 10), make((i) => (i * 104_729) % 97), make((i) => i)];
    const keys = sortKeys("a,-b", { fields, metadata: {} });
    const result = await sorted([{ rows, columns }], { keys });
    const [a, b, i] = result.columns.map(({ data }) => new Int32Array((data as Uint8Array).buffer)) as [
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    let bad = 0;
    for (let k = 1; k < rows; k++) {
      const order = (a[k] as number) - (a[k - 1] as number) || (b[k - 1] as number) - (b[k] as number);
      if (order < 0 || (order === 0 && (i[k] as number) < (i[k - 1] as number))) bad++;
    }
    expect(bad).toBe(0);
    expect(new Set(i).size).toBe(rows);
  });

  it("text of equal beginnings and of different lengths", async () => {
    const values = [
      "",
      "\0",
      "\0\0",
      "abcdef",
      "abcdef\0",
      "abcdefg",
      "abcde",
      "abcdez",
      "abcdefgh",
      "ab",
      "é",
      "\u{10000}",
      "\uffff",
    ];
    const encoded = values.map((value) => Buffer.from(value));
    let end = 0;
    const offsets = Int32Array.from([0, ...encoded.map((part) => (end += part.length))]);
    const column: Column = {
      type: { kind: "utf8" },
      length: values.length,
      nullCount: 0,
      validity: null,
      offsets,
      data: Uint8Array.from(Buffer.concat(encoded)),
      children: [],
      dictionary: null,
    };
    const schema: Schema = { fields: [{ name: "t", type: column.type, nullable: false }], metadata: {} };
    const result = await sorted([{ rows: values.length, columns: [column] }], { keys: sortKeys("t", schema) });
    const texts = plainCell(result.columns[0] as Column);
    const wanted = encoded.sort((x, y) => Buffer.compare(x, y)).map(String);
    expect(values.map((_, row) => texts(row))).toEqual(wanted);
  });

  it("refuses what has no order, columns that are not there, and more rows than it may hold", async () => {
    const list: DataType = { kind: "list", child: { name: "item", type: { kind: "bool" }, nullable: true } };
    const schema = schemaOf(list);
    expect(() => sortKeys("key", schema)).toThrow(/no order.*column "key"/);
    expect(() => sortKeys("at,nope", schema)).toThrow(/no column "nope".*key, at/);
    const rows = randomColumns(new Dice(1), schemaOf({ kind: "bool" }), 1000);
    const keys = sortKeys("at", schemaOf({ kind: "bool" }));
    await expect(sorted([rows, rows], { keys, maxBytes: 5000 })).rejects.toThrow(/more than 5.0 kB.*--sort-memory/);
  });

  it("a name with a comma or a minus wins over what it spells", () => {
    const field = (name: string) => ({ name, type: { kind: "bool" } as const, nullable: true });
    const schema: Schema = { fields: ["-a", "a", "a,b"].map(field), metadata: {} };
    expect(sortKeys("-a", schema)).toEqual([{ index: 0, descending: false }]);
    expect(sortKeys("a,b", schema)).toEqual([{ index: 2, descending: false }]);
    expect(sortKeys("a", schema)).toEqual([{ index: 1, descending: false }]);
  });
});

describe("files of a conversion", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ingest shards "));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("--shard-rows: files of that many rows, sorted over all", async () => {
    const schema = schemaOf({ kind: "int", bits: 16, signed: true });
    const batch = randomColumns(new Dice(4), schema, 250);
    await writeArrow(join(folder, "in.arrow"), schema, [batch]);
    const done = await convertFile(join(folder, "in.arrow"), "unused.orc", {
      urlOf: (shard) => join(folder, `part-${shard}.orc`),
      shardRows: 100,
      sort: "-key",
    });
    expect(done).toMatchObject({ rows: 250, files: 3 });
    const tables = await Promise.all([0, 1, 2].map((i) => readTable(join(folder, `part-${i}.orc`))));
    expect(tables.map(({ rows }) => rows.length)).toEqual([100, 100, 50]);
    const order = naiveOrder(batch.columns[0] as Column, true);
    expect(tables.flatMap(({ rows }) => rows)).toEqual(rowsOf(takeRows(batch, Int32Array.from(order))));
  });

  it("an error after the first file leaves none of them", async () => {
    const type: DataType = { kind: "int", bits: 64, signed: false };
    const data = new Uint8Array(BigUint64Array.of(1n, 2n, 3n, 2n ** 63n).buffer);
    const column = {
      type,
      length: 4,
      nullCount: 0,
      validity: null,
      offsets: null,
      data,
      children: [],
      dictionary: null,
    };
    const schema: Schema = { fields: [{ name: "u", type, nullable: false }], metadata: {} };
    await writeArrow(join(folder, "in.arrow"), schema, [{ rows: 4, columns: [column] }]);
    const failure = convertFile(join(folder, "in.arrow"), "unused.avro", {
      urlOf: (shard) => join(folder, `part-${shard}.avro`),
      shardRows: 1,
    });
    await expect(failure).rejects.toThrow('column "u"');
    expect(await readdir(folder)).toEqual(["in.arrow"]);
  });
});

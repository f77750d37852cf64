// Row groups inside of a stripe, in files of the Java and of the C++ library: what row index and bloom filters leave out, and
// that rows from the middle of a stripe are the same as those of the whole file.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { concatRows, type Columns } from "@ingest-ts/core";
import { fromRecordBatch } from "@ingest-ts/core/arrow";
import { countingSource, Dice, memorySource, type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { open, type Reader } from "@ingest-ts/readers";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { root } from "./lib/tree.ts";

const fixtures = join(root, "test", "fixtures");
const names = [
  "orc-java/row-index-none",
  "orc-java/row-index-zlib",
  "orc/cpp-row-index-none",
  "orc/cpp-row-index-zlib",
];

/** The columns that have bloom filters and are in both. */
const columns = ["id", "ordered", "wide", "ratio", "day", "name", "key"];

interface Expected {
  readonly rows: PlainValue[][];
  readonly at: (row: readonly PlainValue[], column: string) => PlainValue;
}

/** The rows that the Java library and pyarrow read. */
async function expectedRows(name: string): Promise<Expected> {
  const reader = await open(memorySource(fileOf(name), name), { format: "orc" });
  const places = new Map(reader.schema.fields.map((field, i) => [field.name, i]));
  const at = (row: readonly PlainValue[], column: string): PlainValue =>
    row[places.get(column) as number] as PlainValue;
  if (name.startsWith("orc-java/")) {
    const text = gunzipSync(readFileSync(join(fixtures, "orc-java", "row-index.jsonl.gz"))).toString();
    return {
      at,
      rows: text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as PlainValue[]),
    };
  }
  const table = tableFromIPC(readFileSync(join(fixtures, `${name}.arrow`)));
  return { at, rows: table.batches.flatMap((batch) => rowsOf(fromRecordBatch(batch))) };
}

function fileOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(fixtures, `${name}.orc`)));
}

async function rowsFrom(slabs: AsyncIterable<Columns>): Promise<PlainValue[][]> {
  const parts: Columns[] = [];
  for await (const slab of slabs) parts.push(slab);
  return parts.length === 0 ? [] : rowsOf(concatRows(parts));
}

function expectRows(found: PlainValue[][], expected: PlainValue[][], what: string): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found, what).toEqual(expected);
}

async function counted(name: string, read: (reader: Reader) => AsyncIterable<Columns>, options = {}) {
  const source = countingSource(memorySource(fileOf(name), basename(name)));
  const reader = await open(source, { format: "orc", ...options });
  const before = source.counts.sizeBytes;
  const rows = await rowsFrom(read(reader));
  return { rows, sizeBytes: source.counts.sizeBytes - before };
}

describe.each(names)("%s", (name) => {
  test("any rows are the same as those of the whole file, and cost less", async () => {
    const { rows: expected } = await expectedRows(name);
    const whole = await counted(name, (reader) => reader.slabs());
    const dice = new Dice(3);
    let cheap = 0;
    for (let run = 0; run < 15; run++) {
      const cut = (): number => (dice.chance(0.5) ? 250 * dice.below(5) : dice.below(expected.length));
      const [from, to] = [cut(), cut()].sort((a, b) => a - b) as [number, number];
      const { rows, sizeBytes } = await counted(name, (reader) =>
        reader.fragmentSlabs(reader.fragments[0] as Reader["fragments"][number], { rows: [from, to] }),
      );
      expectRows(rows, expected.slice(from, to), `${from} to ${to}`);
      if (sizeBytes < whole.sizeBytes * 0.75) cheap++;
    }
    expect(cheap).toBeGreaterThan(0);
  });

  test("conditions leave out row groups by bounds and by bloom filters, never a row that passes", async () => {
    const { rows: expected, at } = await expectedRows(name);
    // Where the C++ library wrote nulls of a struct, what is below it is read from the beginning of the stripe.
    const whole = await counted(name, (reader) => reader.slabs(), { columns });
    const literals = [9, 10, 20, 30, 999_999_999].map((id) => ["eq", "id", id] as const);
    for (const where of literals) {
      const { rows } = await counted(name, (reader) => reader.slabs(), { where });
      const { sizeBytes } = await counted(name, (reader) => reader.slabs(), { where, columns });
      const id = where[2];
      expect(rows).toEqual(expected.filter((row) => BigInt(`0x${reversedHex(row[0] as string)}`) === BigInt(id)));
      // Chunks of 1 KB are smaller than a run may be: their neighbours are fetched too.
      expect(sizeBytes).toBeLessThan(whole.sizeBytes * (name.endsWith("none") ? 0.75 : 0.9));
    }
    // Every value of every column with a bloom filter is found by it.
    for (const [i, column] of columns.entries()) {
      const dice = new Dice(i);
      for (let run = 0; run < 8; run++) {
        const value = at(dice.pick(expected), column) as string | null;
        if (value === null || value === "NaN") continue;
        const where = ["eq", column, literalOf(column, value)] as const;
        const { rows } = await counted(name, (reader) => reader.slabs(), { where });
        const same = (other: PlainValue): boolean => other === value || isZero(value, other);
        expect(rows, `${column} ${value}`).toEqual(expected.filter((row) => same(at(row, column))));
      }
    }
    for (const where of [
      ["eq", "name", "nobody"],
      ["eq", "wide", 12_345],
      ["in", "key", ["k9", "k77"]],
    ] as const) {
      const { rows, sizeBytes } = await counted(name, (reader) => reader.slabs(), { where });
      expect(rows).toEqual([]);
      // Only the indexes.
      expect(sizeBytes, String(where)).toBeLessThan(whole.sizeBytes / 2);
    }
  });
});

test("rows are those of the whole file where the C++ library wrote values below null structs", async () => {
  const name = "orc/cpp-below-nulls";
  const { rows: expected } = await expectedRows(name);
  for (const from of [0, 99, 100, 555, 1100, 1199]) {
    const where = ["ge", "id", from] as const;
    const { rows } = await counted(name, (reader) => reader.slabs(), { where });
    expectRows(rows, expected.slice(from), `from ${from}`);
    const last = await counted(name, (reader) =>
      reader.fragmentSlabs(reader.fragments[0] as Reader["fragments"][number], { rows: [from, 1200] }),
    );
    expectRows(last.rows, expected.slice(from), `rows from ${from}`);
  }
});

function reversedHex(hex: string): string {
  return Buffer.from(hex, "hex").reverse().toString("hex");
}

function isZero(value: PlainValue, other: PlainValue): boolean {
  const zeros = ["0000000000000000", "0000000000000080"];
  return zeros.includes(value as string) && zeros.includes(other as string);
}

function literalOf(column: string, hex: string): string | number {
  const bytes = Buffer.from(hex, "hex");
  if (column === "name" || column === "key") return bytes.toString();
  if (column === "ratio") return bytes.readDoubleLE();
  return column === "id" || column === "wide" ? String(bytes.readBigInt64LE()) : bytes.readInt32LE();
}

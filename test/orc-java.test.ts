// Files of the Java library, against what it reads back from them itself (test/fixtures/orc-java/WriteOrc.java).
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { concatRows, type Columns } from "@ingest-ts/core";
import { countingSource, Dice, memorySource, type PlainValue, rowsOf } from "@ingest-ts/core/testing";
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

const rowIndexFiles = names.filter((name) => name.startsWith("row-index-"));

async function counted(name: string, read: (reader: Reader) => AsyncIterable<Columns>, options = {}) {
  const bytes = new Uint8Array(readFileSync(join(folder, `${name}.orc`)));
  const source = countingSource(memorySource(bytes, name));
  const reader = await open(source, { format: "orc", ...options });
  const before = source.counts.sizeBytes;
  const rows = await rowsFrom(read(reader));
  return { rows, sizeBytes: source.counts.sizeBytes - before };
}

describe.each(rowIndexFiles)("row groups of %s", (name) => {
  const expected = expectedRows(name);

  test("any rows are the same as those of the whole file, and cost less", async () => {
    const whole = await counted(name, (reader) => reader.slabs());
    const dice = new Dice(3);
    let cheap = 0;
    for (let run = 0; run < 15; run++) {
      const cut = (): number => (dice.chance(0.5) ? 1000 * dice.below(4) : dice.below(expected.length));
      const [from, to] = [cut(), cut()].sort((a, b) => a - b) as [number, number];
      const { rows, sizeBytes } = await counted(name, (reader) =>
        reader.fragmentSlabs(reader.fragments[0] as Reader["fragments"][number], { rows: [from, to] }),
      );
      expect(JSON.stringify(rows) === JSON.stringify(expected.slice(from, to)), `${from} to ${to}`).toBe(true);
      if (sizeBytes < whole.sizeBytes * 0.75) cheap++;
    }
    expect(cheap).toBeGreaterThan(2);
  });

  test("conditions leave out row groups by bounds and by bloom filters, never a row that passes", async () => {
    const whole = await counted(name, (reader) => reader.slabs());
    const columns = ["id", "ordered", "wide", "ratio", "f", "day", "name", "key"];
    const literals = [9, 10, 20, 30, 999_999_999].map((id) => ["eq", "id", id] as const);
    for (const where of literals) {
      const { rows, sizeBytes } = await counted(name, (reader) => reader.slabs(), { where });
      const id = where[2];
      expect(rows).toEqual(expected.filter((row) => BigInt(`0x${reversedHex(row[0] as string)}`) === BigInt(id)));
      // Chunks of 1 KB are smaller than a run may be: their neighbours are fetched too.
      expect(sizeBytes).toBeLessThan(whole.sizeBytes * (name.endsWith("none") ? 0.75 : 0.9));
    }
    // Every value of every column with a bloom filter is found by it.
    for (const [i, column] of columns.entries()) {
      const dice = new Dice(i);
      for (let run = 0; run < 8; run++) {
        const value = (expected[dice.below(expected.length)] as PlainValue[])[i] as string | null;
        if (value === null || value === "NaN") continue;
        const where = ["eq", column, literalOf(column, value)] as const;
        const { rows } = await counted(name, (reader) => reader.slabs(), { where });
        const same = (other: PlainValue): boolean => other === value || isZero(value, other);
        expect(rows, `${column} ${value}`).toEqual(expected.filter((row) => same(row[i] as PlainValue)));
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
  if (column === "f") return bytes.readFloatLE();
  return column === "id" || column === "wide" ? String(bytes.readBigInt64LE()) : bytes.readInt32LE();
}

// What page indexes and bloom filters save, on a file that pyarrow wrote (fixtures/page_index.py): pages of 100 rows, a
// dictionary and a bloom filter on `word`. test/python/check_where.py holds the rows of many more against DuckDB.
import { readFileSync } from "node:fs";
import type { Predicate } from "@ingest-ts/core";
import { countingSource, memorySource, type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";
import { describe, expect, it } from "vitest";

const bytes = new Uint8Array(readFileSync(new URL("fixtures/page-index.parquet", import.meta.url)));

interface Read {
  readonly rows: PlainValue[][];
  readonly calls: number;
  readonly sizeBytes: number;
}

async function read(where?: Predicate, columns?: readonly string[]): Promise<Read> {
  const source = countingSource(memorySource(bytes));
  const reader = await open(source, { where, columns, format: "parquet" });
  const before = { ...source.counts };
  const rows: PlainValue[][] = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
  const { calls, sizeBytes } = source.counts;
  return { rows, calls: calls - before.calls, sizeBytes: sizeBytes - before.sizeBytes };
}

const INDEX_BYTES = 2500;
/** 100 values of 4 bytes, definition levels and the page's header. */
const PAGE_BYTES = 450;

describe("page indexes of Parquet", () => {
  it("only pages that may have a passing row are fetched", async () => {
    const { rows: all } = await read();
    const some = await read(["and", ["ge", "id", 950], ["lt", "id", 960]], ["id", "noise"]);
    expect(some.rows).toEqual(all.slice(950, 960).map((row) => [row[0], row[2]]));
    expect(some.sizeBytes).toBeLessThan(INDEX_BYTES + 2 * PAGE_BYTES);
  });

  it("pages apart, with a dictionary and with lists, whose pages are not told by rows", async () => {
    const { rows: all, sizeBytes } = await read();
    const apart: Predicate = ["or", ["lt", "id", 3], ["in", "id", [777, 1999]]];
    const some = await read(apart);
    expect(some.rows).toEqual([0, 1, 2, 777, 1999].map((row) => all[row]));
    expect(some.sizeBytes).toBeLessThan(sizeBytes);
    const flat = await read(apart, ["id", "noise"]);
    expect(flat.sizeBytes).toBeLessThan(INDEX_BYTES + 6 * PAGE_BYTES);
  });

  it("an index that says other rows than the pages have is an error, never other rows", async () => {
    // first_row_index of the second page of `id`: 100 as a zigzag varint is c8 01.
    const offset = findOffsetIndex();
    const spoilt = bytes.slice();
    expect([...spoilt.subarray(offset, offset + 2)]).toEqual([0xc8, 0x01]);
    spoilt[offset] = 0xc6;
    const reader = await open(memorySource(spoilt), { where: ["in", "id", [50, 150]], columns: ["id"] });
    await expect(reader.slabs().next()).rejects.toMatchObject({
      code: "INGEST_FORMAT",
      message: expect.stringContaining("offset index") as string,
    });
  });
});

/** Where the second page's first row stands in the offset index of the first column. */
function findOffsetIndex(): number {
  // The second PageLocation starts behind the first, whose first row is 0 (field 3, "16 00", then the stop "00").
  const tail = Buffer.from(bytes).lastIndexOf(Buffer.from("PAR1"));
  const first = Buffer.from(bytes).indexOf(Buffer.from([0x19, 0xfc, 20, 0x16, 0x08]));
  expect(first).toBeGreaterThan(0);
  const second = Buffer.from(bytes).indexOf(Buffer.from([0x16, 0xc8, 0x01, 0x00]), first);
  expect(second).toBeLessThan(tail);
  return second + 1;
}

describe("bloom filters of Parquet", () => {
  it("a value that is not there costs no page of the row group", async () => {
    // Between the bounds "w0" and "w999", and no value.
    const { rows, calls, sizeBytes } = await read(["in", "word", ["w5x", "w77y"]]);
    expect(rows).toEqual([]);
    expect(calls).toBe(1);
    expect(sizeBytes).toBeLessThan(8000);
  });

  it("values that are there are found", async () => {
    const { rows: all } = await read();
    for (const word of ["w0", "w1", "w500", "w999"]) {
      const hex = Buffer.from(word).toString("hex");
      expect((await read(["eq", "word", word])).rows).toEqual(all.filter((row) => row[1] === hex));
    }
  });
});

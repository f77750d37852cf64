// How often a file is asked for bytes, and for how many: every request to a remote store costs tens of milliseconds.
import type { Columns, Schema } from "@ingest-ts/core";
import { countingSource, memorySource } from "@ingest-ts/core/testing";
import { open, type OpenOptions } from "@ingest-ts/readers";
import { createORCWriter } from "@ingest-ts/writers/orc";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { beforeAll, describe, expect, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";

const rows = 40_000;
const groupRows = 10_000;
const names = ["a", "b", "c", "d"];
const schema: Schema = {
  fields: names.map((name) => ({ name, type: { kind: "int", bits: 32, signed: true }, nullable: false })),
  metadata: {},
};

/** Values that do not compress; `a` counts rows. */
function columns(): Columns {
  const plain = { length: rows, nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
  return {
    rows,
    columns: schema.fields.map(({ type }, column) => {
      const values = Int32Array.from({ length: rows }, (_, i) =>
        column === 0 ? i : Math.imul(i + column, 0x9e3779b1),
      );
      return { ...plain, type, data: new Uint8Array(values.buffer) };
    }),
  };
}

const files: Record<string, Uint8Array> = {};

beforeAll(async () => {
  for (const name of ["parquet", "orc"]) {
    const sink = memorySink();
    const writer =
      name === "parquet"
        ? await createParquetWriter(sink, schema, { rowGroupRows: groupRows, codec: "none", dictionary: false })
        : await createORCWriter(sink, schema, { stripeRows: groupRows, codec: "none" });
    await writer.write(columns());
    await writer.finish();
    files[name] = sink.bytes;
  }
  const sink = memorySink();
  const options = { stripeRows: 2 * groupRows, rowIndexStride: 1000, codec: "none" } as const;
  const writer = await createORCWriter(sink, schema, options);
  await writer.write(columns());
  await writer.finish();
  files["orc, row groups of 1000"] = sink.bytes;
});

interface Counts {
  /** Calls of `getRanges` and bytes answered by `open`, and by reading all rows. */
  readonly opened: { readonly calls: number; readonly sizeBytes: number };
  readonly read: { readonly calls: number; readonly sizeBytes: number };
  readonly rows: number;
}

type Format = "parquet" | "orc";

async function counted(
  format: Format,
  options: Pick<OpenOptions, "where" | "columns"> = {},
  file: string = format,
): Promise<Counts> {
  const source = countingSource(memorySource(files[file] as Uint8Array));
  const reader = await open(source, { ...options, format });
  const opened = { ...source.counts };
  let passed = 0;
  for await (const slab of reader.slabs()) passed += slab.rows;
  const { calls, sizeBytes } = source.counts;
  return {
    opened: { calls: opened.calls, sizeBytes: opened.sizeBytes },
    read: { calls: calls - opened.calls, sizeBytes: sizeBytes - opened.sizeBytes },
    rows: passed,
  };
}

const columnBytes = groupRows * 4;
const TAIL_BYTES = 256 * 1024;
/** Page and stripe headers, footers of stripes. */
const slack = 1.02;

function expectAbout(found: number, expected: number): void {
  expect(found).toBeGreaterThanOrEqual(expected);
  expect(found).toBeLessThan(expected * slack);
}

describe("requests for a Parquet file", () => {
  it("opening it is one, for its end", async () => {
    const { opened } = await counted("parquet");
    expect(opened).toEqual({ calls: 1, sizeBytes: TAIL_BYTES });
  });

  it("without its name or format being known, eight bytes more", async () => {
    const source = countingSource(memorySource(files["parquet"] as Uint8Array, "memory://x.parquet"));
    await open(source);
    expect(source.counts).toMatchObject({ calls: 2, sizeBytes: TAIL_BYTES + 8 });
  });

  it("the columns of a row group are asked for together, each once", async () => {
    const { read, rows: passed } = await counted("parquet");
    expect(passed).toBe(rows);
    expect(read.calls).toBe(4);
    expectAbout(read.sizeBytes, 16 * columnBytes);
  });

  it("columns that are not wanted are not fetched", async () => {
    const { read } = await counted("parquet", { columns: ["c", "b"] });
    expect(read.calls).toBe(4);
    expectAbout(read.sizeBytes, 8 * columnBytes);
  });

  it("row groups that where rules out are not fetched", async () => {
    const some = await counted("parquet", { where: ["and", ["ge", "a", 12_000], ["lt", "a", 13_000]] });
    expect(some.rows).toBe(1000);
    // The column of the condition first, then the others.
    expect(some.read.calls).toBe(2);
    expectAbout(some.read.sizeBytes, 4 * columnBytes);
    const narrow = await counted("parquet", { where: ["lt", "a", 10_001], columns: ["b"] });
    expect(narrow).toMatchObject({ rows: 10_001, read: { calls: 4 } });
    expectAbout(narrow.read.sizeBytes, 4 * columnBytes);
    expect((await counted("parquet", { where: ["lt", "a", 0] })).read).toEqual({ calls: 0, sizeBytes: 0 });
  });
});

describe("late materialisation", () => {
  it("columns are not fetched for row groups where no row passes, whatever their statistics say", async () => {
    // Every row group has values from end to end of b, and one value is in one of them only.
    const wanted = Math.imul(25_000 + 1, 0x9e3779b1);
    const { read, rows: passed } = await counted("parquet", { where: ["eq", "b", wanted] });
    expect(passed).toBe(1);
    expect(read.calls).toBe(4 + 1);
    expectAbout(read.sizeBytes, (4 + 3) * columnBytes);
  });
});

describe("requests for an ORC file", () => {
  it("opening it is one; a stripe takes two: its footer, then the streams of its columns", async () => {
    const { opened, read, rows: passed } = await counted("orc");
    expect(opened.calls).toBe(1);
    expect(read.calls).toBe(8);
    expect(passed).toBe(rows);
  });

  it("stripes that where rules out are not fetched", async () => {
    const whole = await counted("orc");
    const some = await counted("orc", { where: ["ge", "a", 35_000] });
    expect(some).toMatchObject({ rows: 5000, read: { calls: 2 } });
    expect(some.read.sizeBytes).toBeLessThan(whole.read.sizeBytes / 3.8);
    expect((await counted("orc", { where: ["isNull", "a"] })).read).toEqual({ calls: 0, sizeBytes: 0 });
  });

  it("of a stripe, row groups that where rules out are not fetched: its footer, its row index, then parts of its columns", async () => {
    const where = ["or", ["eq", "a", 12_345], ["and", ["ge", "a", 15_000], ["lt", "a", 16_000]]] as const;
    const some = await counted("orc", { where }, "orc, row groups of 1000");
    expect(some).toMatchObject({ rows: 1001, read: { calls: 3 } });
    // Two of forty row groups, row index and footer, and the runs in which the next ones begin.
    expect(some.read.sizeBytes).toBeLessThan(2 * 4 * 4000 + 2 * 4 * 4500 + 12_000);
    const none = await counted(
      "orc",
      { where: ["and", ["gt", "a", 12_345], ["lt", "a", 12_346]] },
      "orc, row groups of 1000",
    );
    expect(none.rows).toBe(0);
  });

  it("single columns of a stripe are fetched alone", async () => {
    const { read } = await counted("orc", { columns: ["c"] });
    expect(read.calls).toBe(8);
    expectAbout(read.sizeBytes, 4 * columnBytes);
  });
});

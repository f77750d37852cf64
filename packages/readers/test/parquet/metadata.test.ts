import { FormatError, isIngestError, UnsupportedError } from "@ingest-ts/core";
import { countingSource, memorySource } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { parquet, type ParquetMetadata } from "../../src/parquet/index.ts";
import type { ColumnChunk, RowGroup } from "../../src/parquet/spec.ts";
import { fixtureBytes, readBytes, selectOf } from "./support.ts";
import { fileOf, type ThriftField } from "./thrift-writer.ts";

const select = selectOf({});

async function metadataOf(bytes: Uint8Array): Promise<ParquetMetadata> {
  return parquet.readMetadata(memorySource(bytes, "memory:file"), select);
}

describe("the footer", () => {
  test("is fetched with one request", async () => {
    const source = countingSource(memorySource(fixtureBytes("tiny-v1"), "memory:file"));
    await parquet.readMetadata(source, select);
    expect(source.counts.calls).toBe(1);
  });

  test("is fetched again when it is larger than the first request", async () => {
    const bytes = fileOf([
      [1, 5, 2],
      [
        2,
        9,
        {
          of: 12,
          items: [
            [
              [4, 8, "schema"],
              [5, 5, 0],
            ],
          ],
        },
      ],
      [3, 6, 0],
      [4, 9, { of: 12, items: [] }],
      [6, 8, "x".repeat(400_000)],
    ]);
    const source = countingSource(memorySource(bytes, "memory:file"));
    const metadata = await parquet.readMetadata(source, select);
    expect(metadata.createdBy).toHaveLength(400_000);
    expect(source.counts.calls).toBe(2);
  });

  const tiny = fixtureBytes("tiny-v1");
  const edited = (edit: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = tiny.slice();
    edit(bytes);
    return bytes;
  };

  test.each<[string, Uint8Array, string]>([
    ["an empty file", new Uint8Array(0), "0 bytes are too few"],
    ["a file of magic only", tiny.slice(0, 4), "4 bytes are too few"],
    ["a truncated file", tiny.slice(0, -10), "cut short"],
    ["another first magic", edited((bytes) => bytes.set([0x51], 0)), "at its start"],
    [
      "a footer longer than the file",
      edited((bytes) => bytes.fill(0x7f, bytes.length - 8, bytes.length - 4)),
      "the footer claims",
    ],
  ])("%s is a FormatError naming file and offset", async (_, bytes, message) => {
    const error: unknown = await metadataOf(bytes).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toContain(message);
    expect((error as FormatError).where).toMatchObject({ url: "memory:file", offset: expect.any(Number) });
  });

  test("an encrypted footer is refused by name", async () => {
    const bytes = edited((each) => each.set([0x45], each.length - 1));
    await expect(metadataOf(bytes)).rejects.toThrow(UnsupportedError);
    await expect(metadataOf(bytes)).rejects.toThrow("encrypt");
  });

  test("a footer over limits.footerBytes is refused", async () => {
    const limited = selectOf({ limits: { footerBytes: 100 } });
    await expect(parquet.readMetadata(memorySource(tiny, "memory:file"), limited)).rejects.toThrow(
      "limits.footerBytes",
    );
  });

  const chunk = (...fields: ThriftField[]): ThriftField[] => [
    [1, 5, 2],
    [
      2,
      9,
      {
        of: 12,
        items: [
          [
            [4, 8, "schema"],
            [5, 5, 1],
          ],
          [
            [1, 5, 1],
            [3, 5, 0],
            [4, 8, "x"],
          ],
        ],
      },
    ],
    [3, 6, 0],
    [
      4,
      9,
      {
        of: 12,
        items: [
          [
            [1, 9, { of: 12, items: [[[3, 12, fields]]] }],
            [3, 6, 0],
          ],
        ],
      },
    ],
  ];
  const sound: ThriftField[] = [
    [1, 5, 1],
    [2, 9, { of: 5, items: [0] }],
    [3, 9, { of: 8, items: ["x"] }],
    [4, 5, 0],
    [5, 6, 0],
    [6, 6, 0],
    [7, 6, 0],
    [9, 6, 4],
  ];
  const withField = (field: ThriftField): ThriftField[] => sound.map((each) => (each[0] === field[0] ? field : each));

  test("a sound one is read", async () => {
    expect((await metadataOf(fileOf(chunk(...sound)))).rowGroups[0]?.columns[0]?.dataPageOffset).toBe(4);
  });

  test.each<[string, ThriftField[], string]>([
    ["a negative size", withField([7, 6, -1]), "total_compressed_size is negative"],
    ["a negative number of values", withField([5, 6, -1]), "num_values is negative"],
    ["an offset beyond 2^53", withField([9, 6, 2 ** 60]), "beyond 2^53"],
    [
      "the path of another column",
      withField([3, 9, { of: 8, items: ["y"] }]),
      'a column chunk of "y" where "x" belongs',
    ],
    ["no offset", sound.slice(0, -1), "without data_page_offset"],
  ])("%s is a FormatError", async (_, fields, message) => {
    await expect(metadataOf(fileOf(chunk(...fields)))).rejects.toThrow(FormatError);
    await expect(metadataOf(fileOf(chunk(...fields)))).rejects.toThrow(message);
  });
});

describe("row groups that contradict themselves", () => {
  const bytes = fixtureBytes("tiny-zstd");

  /** Edits column `column` of row group 1 and tries to read all. */
  async function failure(edit: Partial<ColumnChunk>, column = 0, numRows?: number): Promise<unknown> {
    const metadata = await metadataOf(bytes);
    await parquet.prepare(metadata);
    const rowGroups = metadata.rowGroups.map((group, i) =>
      i !== 1
        ? group
        : {
            numRows: numRows ?? group.numRows,
            columns: group.columns.map((each, k) => (k === column ? { ...each, ...edit } : each)),
          },
    );
    try {
      const edited = { ...metadata, rowGroups };
      for (const fragment of parquet.plan(edited, select)) {
        const decoder = parquet.decode(fragment, edited, { select, batchRows: 1000, batchBytes: 2 ** 20 });
        let answer: Uint8Array[] = [];
        for (let step = decoder.next(answer); step.done !== true; step = decoder.next(answer))
          answer = "need" in step.value ? step.value.need.map((span) => bytes.slice(span.start, span.end)) : [];
      }
    } catch (error) {
      return error;
    }
    return undefined;
  }

  const last = 6;
  test.each<[string, Partial<ColumnChunk>, number | undefined, string]>([
    [
      "an offset outside the file",
      { dataPageOffset: 10 ** 9, dictionaryPageOffset: undefined },
      undefined,
      "in a file of",
    ],
    ["a size outside the file", { totalCompressedSize: 10 ** 9 }, undefined, "in a file of"],
    ["more values than rows", { numValues: 16 }, undefined, "16 values, its row group 15 rows"],
    ["other rows than the columns have", {}, 14, "15 values, its row group 14 rows"],
    ["another physical type", { type: 2 }, undefined, "the schema says"],
    ["a size that is too small", { totalCompressedSize: 40 }, undefined, "column chunk that ends at"],
    ["a chunk in another file", { filePath: "other.parquet" }, undefined, "another file"],
    ["an encrypted column", { encrypted: true }, undefined, "encrypt"],
    ["LZO", { codec: 3 }, undefined, "LZO"],
    ["a codec of the future", { codec: 42 }, undefined, "codec 42"],
    ["another codec than it has", { codec: 1 }, undefined, "SNAPPY"],
  ])("%s", async (_, edit, numRows, message) => {
    const error = await failure(edit, last, numRows);
    expect(isIngestError(error)).toBe(true);
    expect((error as FormatError).message).toContain(message);
    expect((error as FormatError).where).toMatchObject({ url: "memory:file", fragment: 1 });
    if (numRows === undefined) expect((error as FormatError).where.column).toBe("f");
  });

  test("a size that is too large", async () => {
    const metadata = await metadataOf(bytes);
    const { totalCompressedSize } = (metadata.rowGroups[1] as RowGroup).columns[last] as ColumnChunk;
    expect(await failure({ totalCompressedSize: totalCompressedSize + 1 }, last)).toBeInstanceOf(FormatError);
  });

  test("fewer values in a list column than its pages have", async () => {
    const metadata = await metadataOf(bytes);
    const leaves = metadata.rowGroups[1]?.columns ?? [];
    const list = 4;
    const { numValues } = leaves[list] as ColumnChunk;
    expect(await failure({ numValues: numValues - 1 }, list)).toBeInstanceOf(FormatError);
    expect(await failure({ numValues: numValues + 1 }, list)).toBeInstanceOf(FormatError);
  });
});

describe("checksums", () => {
  test("every changed bit of a page's body is found, in dictionary and data pages of both versions", async () => {
    for (const name of ["many-pages-v2", "many-pages-v1"]) {
      const bytes = fixtureBytes(name);
      const metadata = await metadataOf(bytes);
      const chunk = metadata.rowGroups[0]?.columns[0] as ColumnChunk;
      const start = chunk.dictionaryPageOffset ?? chunk.dataPageOffset;
      let refused = 0;
      for (let at = start; at < start + 900; at++) {
        const mutated = bytes.slice();
        mutated[at] = (mutated[at] as number) ^ 0x10;
        const error: unknown = await readBytes(mutated, { columns: [["id"]] }).catch((caught: unknown) => caught);
        if (isIngestError(error)) refused++;
      }
      // Page headers hold statistics, whose bytes no checksum covers and which nothing here reads.
      expect(refused).toBeGreaterThan(800);
    }
  });
});

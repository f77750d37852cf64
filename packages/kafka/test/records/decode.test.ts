// Record batches into rows, gaps and transactions.
import { rowsOf } from "@ingest-ts/core/testing";
import { compress, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { beforeAll, describe, expect, test } from "vitest";
import { type DecodedRecords, prepareRecords, type RecordsRequest } from "../../src/records/index.ts";
import {
  batchBytes,
  concatBytes,
  plainRow,
  rawBatch,
  type TestBatch,
  testCodecs,
  type TestRecord,
} from "../lib/batches.ts";
import {
  topic,
  partition,
  decodeAll,
  offsetsOf,
  text,
  record,
  batchOf,
  expectError,
  varint,
  tinyRecords,
} from "./support.ts";

beforeAll(async () => {
  await prepareRecords();
  await prepareCodecs(["zstd"], "write");
});

describe("rows", () => {
  const records: TestRecord[] = [
    record(10, { key: null, value: null, timestampMs: -1 }),
    record(11, { key: new Uint8Array(0), value: new Uint8Array(0) }),
    record(12, {
      headers: [
        ["a", text("1")],
        ["a", null],
        ["", new Uint8Array(0)],
        ["ü€", text("x".repeat(100))],
      ],
    }),
    record(13, { value: text("y".repeat(5000)), timestampMs: 2 ** 41 }),
    record(14, { timestampMs: 5, value: null }),
  ];

  test.each(testCodecs)("%s: nulls are not empty, headers keep order and duplicates", (codec) => {
    const bytes = batchBytes({ baseOffset: 10, lastOffset: 14, records, codec });
    const [slab, ...more] = decodeAll(bytes, { position: 10 });
    expect(more).toEqual([]);
    expect(slab && rowsOf(slab)).toEqual(records.map((one) => plainRow(topic, partition, one)));
    expect(slab).toMatchObject({ rows: 5, startOffset: 10, endOffset: 15, gaps: [], storedBytes: bytes.length });
    expect(slab?.columns.map(({ nullCount }) => nullCount)).toEqual([0, 0, 0, 1, 1, 2, 0]);
  });

  test("with log-append time every row has the broker's", () => {
    const [slab] = decodeAll(batchBytes({ baseOffset: 10, lastOffset: 14, records, appendTimeMs: 77 }), {
      position: 10,
    });
    expect(slab && rowsOf(slab)).toEqual(records.map((one) => plainRow(topic, partition, one, 77)));
  });

  test("offsets beyond 2^32 are exact", () => {
    const from = 2 ** 45 + 12_345;
    const [slab] = decodeAll(batchBytes(batchOf(from, 3)), { position: from });
    expect(slab && rowsOf(slab)).toEqual(batchOf(from, 3).records.map((one) => plainRow(topic, partition, one)));
  });

  test.each([0, 4])("codec %i: 200,000 tiny records in one batch", (codec) => {
    const count = 200_000;
    const plain = tinyRecords(count);
    const stored = codec === 0 ? plain : compress("zstd", plain);
    const [slab] = decodeAll(rawBatch({ baseOffset: 0, lastOffset: count - 1, records: [] }, codec, count, stored));
    expect(slab?.rows).toBe(count);
    const values = slab?.columns[5];
    expect(values?.data?.length).toBe(count);
    expect(values?.data?.every((byte, i) => byte === (i & 255))).toBe(true);
    expect(offsetsOf(slab as DecodedRecords).every((offset, i) => offset === i)).toBe(true);
  });

  test("a record of 20 MB", () => {
    const value = new Uint8Array(20_000_000);
    for (let i = 0; i < value.length; i += 4096) value[i] = i >> 12;
    // Written by hand: the test's writer goes byte by byte.
    const head = Uint8Array.from([0, 0, 0, 1]);
    const size = varint(value.length * 2);
    const plain = concatBytes([
      Uint8Array.from(varint((head.length + size.length + value.length + 1) * 2)),
      head,
      Uint8Array.from(size),
      value,
      Uint8Array.of(0),
    ]);
    for (const [id, stored] of [
      [0, plain],
      [4, compress("zstd", plain)],
    ] as const) {
      const [slab] = decodeAll(rawBatch({ baseOffset: 5, lastOffset: 5, records: [] }, id, 1, stored), { position: 5 });
      expect(slab?.rows).toBe(1);
      expect(Buffer.compare(slab?.columns[5]?.data as Uint8Array, value)).toBe(0);
    }
  });

  test("slabs are cut behind the batch that fills them", () => {
    const log = concatBytes([0, 10, 20, 30].map((from) => batchBytes(batchOf(from, 10))));
    const cuts = decodeAll(log, { slabRows: 15 }).map(({ startOffset, endOffset, rows }) => [
      startOffset,
      endOffset,
      rows,
    ]);
    expect(cuts).toEqual([
      [0, 20, 20],
      [20, 40, 20],
    ]);
    expect(decodeAll(log, { slabBytes: 1 }).map(({ rows }) => rows)).toEqual([10, 10, 10, 10]);
  });

  test("a span inside of batches", () => {
    const log = concatBytes([0, 10, 20].map((from) => batchBytes(batchOf(from, 10))));
    const slabs = decodeAll(log, { position: 4, end: 17 });
    expect(slabs.flatMap(rowsOf)).toEqual(
      Array.from({ length: 13 }, (_, i) => plainRow(topic, partition, record(4 + i))),
    );
    expect(slabs.at(-1)?.endOffset).toBe(17);
  });
});

describe("gaps", () => {
  test("compaction: between records, at a batch's ends, whole batches, and empty ones", () => {
    const log = concatBytes([
      batchBytes({ baseOffset: 2, lastOffset: 9, records: [record(3), record(7)] }),
      batchBytes({ baseOffset: 15, lastOffset: 19, records: [] }),
      batchBytes(batchOf(20, 1)),
    ]);
    const [slab] = decodeAll(log);
    expect(slab?.rows).toBe(3);
    expect(slab?.gaps).toEqual([
      { cause: "removed", start: 0, end: 3 },
      { cause: "removed", start: 4, end: 7 },
      { cause: "removed", start: 8, end: 20 },
    ]);
    expect(slab?.endOffset).toBe(21);
    const error = expectError(() => decodeAll(log, { contiguous: true }));
    expect(error.message).toContain("no records from 0 to 1");
  });

  test("a tail of control batches advances without rows", () => {
    const log = concatBytes([7, 8].map((at) => batchBytes({ ...batchOf(at, 1), marker: "commit", producerId: 1 })));
    expect(decodeAll(log, { position: 7 })).toMatchObject([
      { rows: 0, startOffset: 7, endOffset: 9, gaps: [{ cause: "control", start: 7, end: 9 }] },
    ]);
  });

  test("a compacted marker leaves an empty control batch", () => {
    const log = rawBatch({ ...batchOf(4, 1), marker: "abort", producerId: 1 }, 0, 0, new Uint8Array(0));
    expect(decodeAll(log, { position: 4 })).toMatchObject([{ gaps: [{ cause: "control", start: 4, end: 5 }] }]);
  });
});

describe("transactions", () => {
  const aborted = (...pairs: [number, number][]): RecordsRequest["aborted"] =>
    pairs.map(([producerId, firstOffset]) => ({ producerId: BigInt(producerId), firstOffset }));
  const data = (from: number, count: number, producerId: number, more: Partial<TestBatch> = {}): Uint8Array =>
    batchBytes(batchOf(from, count, { producerId, transactional: true, ...more }));
  const marker = (offset: number, producerId: number, type: "abort" | "commit"): Uint8Array =>
    batchBytes({ ...batchOf(offset, 1), producerId, marker: type });
  const offsets = (slabs: readonly DecodedRecords[]): number[] => slabs.flatMap(offsetsOf);

  test("two producers whose aborted transactions began before the first record", () => {
    const log = concatBytes([
      data(50, 1, 1),
      data(51, 1, 2),
      data(52, 1, 3),
      marker(53, 1, "abort"),
      marker(54, 2, "abort"),
    ]);
    const slabs = decodeAll(log, { position: 50, aborted: aborted([2, 40], [1, 30]) });
    expect(offsets(slabs)).toEqual([52]);
    expect(slabs[0]?.gaps).toEqual([
      { cause: "aborted", start: 50, end: 52 },
      { cause: "control", start: 53, end: 55 },
    ]);
  });

  test("a key of four zero bytes is no marker", () => {
    const zero = record(1, { key: new Uint8Array(4) });
    const log = concatBytes([
      batchBytes({ baseOffset: 1, lastOffset: 1, records: [zero], producerId: 9, transactional: true }),
      data(2, 3, 9),
      marker(5, 9, "abort"),
      data(6, 1, 9),
      marker(7, 9, "commit"),
    ]);
    expect(offsets(decodeAll(log, { position: 1, aborted: aborted([9, 1]) }))).toEqual([6]);
  });

  test("a producer that aborts again and again, and commits between", () => {
    const log = concatBytes([
      data(0, 2, 1),
      marker(2, 1, "abort"),
      data(3, 2, 1),
      marker(5, 1, "commit"),
      data(6, 2, 1),
      marker(8, 1, "abort"),
    ]);
    expect(offsets(decodeAll(log, { aborted: aborted([1, 0], [1, 6]) }))).toEqual([3, 4]);
  });

  test("a marker first: the transaction is in the fetch before", () => {
    const log = concatBytes([marker(10, 1, "abort"), data(11, 2, 1), marker(13, 1, "commit")]);
    expect(offsets(decodeAll(log, { position: 10, aborted: aborted([1, 4]) }))).toEqual([11, 12]);
  });

  test("a transaction whose marker is in a later fetch", () => {
    const first = concatBytes([data(0, 5, 1), data(5, 5, 2)]);
    expect(offsets(decodeAll(first, { aborted: aborted([1, 0]) }))).toEqual([5, 6, 7, 8, 9]);
    const second = concatBytes([data(10, 1, 1), marker(11, 1, "abort")]);
    expect(offsets(decodeAll(second, { position: 10, aborted: aborted([1, 0]) }))).toEqual([]);
  });

  test("batches of no transaction by the same producer are kept", () => {
    const log = concatBytes([data(0, 1, 1), batchBytes(batchOf(1, 1, { producerId: 1 })), marker(2, 1, "abort")]);
    expect(offsets(decodeAll(log, { aborted: aborted([1, 0]) }))).toEqual([1]);
  });

  test("slabs cut inside of a transaction keep its verdict", () => {
    const log = concatBytes([data(0, 2, 2), data(2, 2, 1), data(4, 2, 2), data(6, 2, 1), marker(8, 1, "abort")]);
    expect(offsets(decodeAll(log, { aborted: aborted([1, 2]), slabRows: 1 }))).toEqual([0, 1, 4, 5]);
  });

  test("without a list, as with read_uncommitted, everything but markers comes", () => {
    const log = concatBytes([data(0, 2, 1), marker(2, 1, "abort"), data(3, 1, 1)]);
    expect(offsets(decodeAll(log))).toEqual([0, 1, 3]);
  });
});

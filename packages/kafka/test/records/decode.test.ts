import { FormatError, IngestError, isIngestError, UnsupportedError } from "@ingest-ts/core";
import { Dice, rowsOf } from "@ingest-ts/core/testing";
import { compress, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { beforeAll, describe, expect, test } from "vitest";
import { type DecodedRecords, prepareRecords, RecordsDecoder, type RecordsRequest } from "../../src/records/index.ts";
import {
  batchBytes,
  concatBytes,
  lz4Frame,
  plainRow,
  rawBatch,
  resealed,
  type TestBatch,
  type TestCodec,
  testCodecs,
  type TestRecord,
} from "../lib/batches.ts";

const topic = "events";
const partition = 3;

beforeAll(async () => {
  await prepareRecords();
  await prepareCodecs(["zstd"], "write");
});

function decodeAll(bytes: Uint8Array, request: Partial<RecordsRequest> = {}): DecodedRecords[] {
  const decoder = new RecordsDecoder(bytes, { topic, partition, position: 0, ...request });
  const slabs: DecodedRecords[] = [];
  for (let slab = decoder.next(); slab !== undefined; slab = decoder.next()) slabs.push(slab);
  return slabs;
}

function offsetsOf(slab: DecodedRecords): number[] {
  const data = slab.columns[2]?.data ?? new Uint8Array(0);
  return Array.from(new BigInt64Array(data.slice().buffer), Number);
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function record(offset: number, more: Partial<TestRecord> = {}): TestRecord {
  return {
    offset,
    timestampMs: 1000 + offset,
    key: text(`k${offset}`),
    value: text(`v${offset}`),
    headers: [],
    ...more,
  };
}

function batchOf(from: number, count: number, more: Partial<TestBatch> = {}): TestBatch {
  const records = Array.from({ length: count }, (_, i) => record(from + i));
  return { baseOffset: from, lastOffset: from + count - 1, records, ...more };
}

function expectError(
  body: () => unknown,
  kind: typeof FormatError | typeof UnsupportedError = FormatError,
): IngestError {
  let caught: unknown;
  try {
    body();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(kind);
  const error = caught as IngestError;
  expect(error.where).toMatchObject({ topic, partition });
  expect(error.where.kafkaOffset).toBeTypeOf("number");
  expect(error.remedy).toBeDefined();
  return error;
}

/** A number that is not negative, already doubled for zigzag. */
const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);

/** Records of a null key and one byte, by hand: the test's writer goes byte by byte. */
function tinyRecords(count: number): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < count; i++) {
    const delta = varint(i * 2);
    bytes.push((delta.length + 6) * 2, 0, 0, ...delta, 1, 2, i & 255, 0);
  }
  return Uint8Array.from(bytes);
}

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

describe("damage", () => {
  const flips = (bytes: Uint8Array, byte: number, bit: number): Uint8Array => {
    const copy = bytes.slice();
    copy[byte] = (copy[byte] as number) ^ (1 << bit);
    return copy;
  };

  test.each(["none", "gzip", "lz4"] as const)(
    "%s: a flipped bit anywhere is an error or a cut-off batch, never data",
    (codec) => {
      const parts = [batchOf(0, 4, { codec }), batchOf(4, 4, { codec }), batchOf(8, 4, { codec })].map(batchBytes);
      const before = parts[0]?.length ?? 0;
      const log = concatBytes(parts);
      for (let at = before; at < before + (parts[1]?.length ?? 0); at++) {
        for (let bit = 0; bit < 8; bit++) {
          const decoder = new RecordsDecoder(flips(log, at, bit), {
            topic,
            partition,
            position: 0,
            aligned: true,
            contiguous: true,
            highWatermark: 12,
            leaderEpoch: 0,
            slabRows: 4,
          });
          expect(decoder.next()?.endOffset).toBe(4);
          try {
            const slab = decoder.next();
            // Only a length can be flipped without an error: the batch then reaches past what came, and is fetched again.
            expect([slab, at - before >= 8 && at - before < 12]).toEqual([undefined, true]);
            expect(decoder.partialBytes).toBeGreaterThan(0);
            expect(decoder.position).toBe(4);
          } catch (error) {
            if (!isIngestError(error)) throw error;
            expect(["INGEST_FORMAT", "INGEST_UNSUPPORTED"]).toContain(error.code);
          }
        }
      }
    },
  );

  test("in a compacted topic a damaged base offset meets the batch that follows, an epoch the leader's", () => {
    const log = concatBytes([batchBytes(batchOf(0, 4)), batchBytes(batchOf(4, 4)), batchBytes(batchOf(8, 4))]);
    const at = batchBytes(batchOf(0, 4)).length;
    for (let bit = 0; bit < 8; bit++) {
      for (const byte of [0, 1, 2, 3, 4, 5, 6, 7]) expectFails(flips(log, at + byte, bit));
      for (const byte of [12, 13, 14, 15]) expectFails(flips(log, at + byte, bit));
    }
    function expectFails(bytes: Uint8Array): void {
      expect(() => decodeAll(bytes, { aligned: true, leaderEpoch: 0 })).toThrow(IngestError);
    }
  });

  test("the last batch alone, its base offset damaged upwards: far beyond the log's end", () => {
    const log = batchBytes(batchOf(0, 4));
    for (const byte of [0, 1, 2, 3])
      expectError(
        () => decodeAll(flips(log, byte, 0), { highWatermark: 4 }),
        IngestError as unknown as typeof FormatError,
      );
    expectError(() => decodeAll(batchBytes(batchOf(0, 4)), { position: 2, aligned: true }));
  });

  test("a tail that is cut off anywhere is left for the next fetch", () => {
    const whole = batchBytes(batchOf(0, 3));
    const cut = batchBytes(batchOf(3, 3, { codec: "gzip" }));
    for (let length = 0; length < cut.length; length++) {
      const decoder = new RecordsDecoder(concatBytes([whole, cut.subarray(0, length)]), {
        topic,
        partition,
        position: 0,
      });
      expect(decoder.next()?.endOffset).toBe(3);
      expect(decoder.next()).toBeUndefined();
      expect([decoder.position, decoder.partialBytes]).toEqual([3, length]);
      expect(decoder.claimedBytes).toBe(length < 12 ? undefined : cut.length);
    }
  });

  test("old messages, other versions, unknown codecs", () => {
    const log = batchBytes(batchOf(0, 1));
    for (const [magic, kind] of [
      [0, UnsupportedError],
      [1, UnsupportedError],
      [3, FormatError],
    ] as const) {
      const copy = log.slice();
      copy[16] = magic;
      expectError(() => decodeAll(copy), kind);
    }
    expectError(() => decodeAll(rawBatch(batchOf(0, 1), 5, 1, Uint8Array.of(1, 2, 3))), UnsupportedError);
  });

  test("what a CRC vouches for can still be wrong", () => {
    const make = (count: number, ...plain: number[]): Uint8Array =>
      rawBatch({ baseOffset: 0, lastOffset: 1, records: [] }, 1, count, compress("gzip", Uint8Array.from(plain)));
    const good = [12, 0, 0, 0, 1, 1, 0];
    expect(decodeAll(make(1, ...good))[0]?.rows).toBe(1);
    const wrong: [string, Uint8Array][] = [
      ["fewer records than claimed", make(2, ...good)],
      ["bytes behind the last", make(1, ...good, 0)],
      ["a record past the end", make(1, 14, ...good.slice(1))],
      ["a record of nothing", make(1, 0)],
      ["fields short of its length", make(1, 14, ...good.slice(1), 0)],
      ["a key past the record", make(1, 12, 0, 0, 0, 40, 1, 0)],
      ["a key of -2", make(1, 12, 0, 0, 0, 3, 1, 0)],
      ["headers that cannot be", make(1, 12, 0, 0, 0, 1, 1, 2)],
      ["negative headers", make(1, 12, 0, 0, 0, 1, 1, 1)],
      ["a null header name", make(1, 16, 0, 0, 0, 1, 1, 2, 1, 1)],
      ["a header name that is not UTF-8", make(1, 18, 0, 0, 0, 1, 1, 2, 2, 0xff, 1)],
      ["an offset before the batch", make(1, 12, 0, 0, 1, 1, 1, 0)],
      ["an offset behind the batch", make(1, 12, 0, 0, 4, 1, 1, 0)],
      ["an offset twice", make(2, ...good, ...good)],
      ["a number without an end", make(1, 24, 0, ...Array<number>(11).fill(255))],
      ["more records than offsets", make(3, ...good, ...good, ...good)],
      ["no records at all", make(1)],
    ];
    for (const [name, bytes] of wrong) {
      try {
        decodeAll(bytes);
        expect.fail(name);
      } catch (error) {
        expect(isIngestError(error), `${name}: ${String(error)}`).toBe(true);
      }
    }
  });

  test.each(testCodecs)("%s: damage under a right CRC ends in an error, or in rows that make sense", (codec) => {
    const dice = new Dice(77);
    const records = Array.from({ length: 12 }, (_, i) => record(i, { headers: [["h", text("x")]] }));
    const batch = batchBytes({ baseOffset: 0, lastOffset: 11, records, codec });
    let refused = 0;
    for (let run = 0; run < Number(process.env["INGEST_FUZZ_RUNS"] ?? 400); run++) {
      const damaged = batch.slice();
      for (let i = 0; i <= dice.below(3); i++) damaged[21 + dice.below(batch.length - 21)] = dice.below(256);
      try {
        for (const slab of decodeAll(resealed(damaged), { batchBytes: 1 << 20 })) {
          const offsets = offsetsOf(slab);
          expect(offsets.every((offset, i) => offset >= 0 && (i === 0 || offset > (offsets[i - 1] ?? -1)))).toBe(true);
          const covered = slab.rows + slab.gaps.reduce((sum, { start, end }) => sum + end - start, 0);
          expect(covered).toBe(slab.endOffset - slab.startOffset);
          expect(rowsOf(slab)).toHaveLength(slab.rows);
        }
      } catch (error) {
        if (!isIngestError(error)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  test.each<[string, number, () => Uint8Array]>([
    ["gzip", 1, () => compress("gzip", new Uint8Array(8 << 20))],
    ["snappy", 2, () => compress("snappy", new Uint8Array(8 << 20))],
    ["snappy that claims 4 GiB", 2, () => Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0)],
    ["lz4", 3, () => lz4Frame(new Uint8Array(8 << 20), 65_536)],
    ["zstd", 4, () => compress("zstd", new Uint8Array(8 << 20))],
  ])("%s that outgrows its limit is refused", (_, id, stored) => {
    const error = expectError(() => decodeAll(rawBatch(batchOf(0, 1), id, 1, stored()), { batchBytes: 1 << 20 }));
    expect(error.message).toContain("batchBytes");
  });
});

test("random logs: rows and gaps are the model's, whatever the cut", () => {
  const seed = Number(process.env["INGEST_SEED"] ?? 20_260);
  for (let run = 0; run < Number(process.env["INGEST_FUZZ_RUNS"] ?? 150); run++) {
    const dice = new Dice(seed + run);
    const { bytes, rows, lost, aborted, end } = randomLog(dice);
    const position = dice.below(end + 1);
    const until = position + dice.below(end + 2 - position);
    const request = {
      position,
      end: until,
      aborted: aborted(position),
      slabRows: 1 + dice.below(50),
      highWatermark: end,
    };
    const slabs = decodeAll(bytes(position), request);
    const hint = `seed ${seed + run}`;
    const wanted = rows.filter(({ offset }) => offset >= position && offset < until);
    expect(slabs.flatMap(rowsOf), hint).toEqual(wanted.map(({ row }) => row));
    const causes = new Map<number, string>();
    let reached = position;
    for (const slab of slabs) {
      expect(slab.startOffset, hint).toBe(reached);
      for (const gap of slab.gaps) for (let at = gap.start; at < gap.end; at++) causes.set(at, gap.cause);
      reached = slab.endOffset;
    }
    expect(reached, hint).toBe(Math.min(end, until));
    const expected = [...lost].filter(([at]) => at >= position && at < Math.min(end, until));
    expect(
      [...causes].toSorted(([a], [b]) => a - b),
      hint,
    ).toEqual(expected.toSorted(([a], [b]) => a - b));
  }
});

/** A log with transactions of three producers, compaction and control batches, and what a reader must see of it. */
function randomLog(dice: Dice): {
  bytes: (position: number) => Uint8Array;
  rows: { offset: number; row: unknown[] }[];
  lost: Map<number, string>;
  aborted: (position: number) => RecordsRequest["aborted"];
  end: number;
} {
  const codec = (): TestCodec => testCodecs[dice.below(testCodecs.length)] as TestCodec;
  const open = new Map<number, { first: number; offsets: TestRecord[]; ends: number[]; batches: [number, number][] }>();
  const batches: { last: number; bytes: Uint8Array }[] = [];
  const lost = new Map<number, string>();
  const seen: TestRecord[] = [];
  const txns: { producerId: number; first: number; last: number }[] = [];
  let next = 0;
  const close = (producerId: number): void => {
    const txn = open.get(producerId);
    if (txn === undefined) return;
    open.delete(producerId);
    const abort = dice.below(2) === 0;
    batches.push({
      last: next,
      bytes: batchBytes({ ...batchOf(next, 1), producerId, marker: abort ? "abort" : "commit" }),
    });
    lost.set(next, "control");
    if (abort) {
      txns.push({ producerId, first: txn.first, last: next });
      for (const [from, to] of txn.batches) for (let at = from; at <= to; at++) lost.set(at, "aborted");
    } else seen.push(...txn.offsets);
    next++;
  };
  for (let i = 0; i < 4 + dice.below(12); i++) {
    const span = 1 + dice.below(8);
    const kept = Array.from({ length: span }, (_, k) => next + k).filter(() => dice.below(5) > 0);
    const records = kept.map((offset) =>
      record(offset, {
        key: [null, new Uint8Array(4), text(`key ${offset}`)][dice.below(3)] as Uint8Array | null,
        value: dice.below(6) === 0 ? null : text("v".repeat(dice.below(80))),
        headers: dice.below(4) === 0 ? [[`h${offset}`, dice.below(2) === 0 ? null : text("x")]] : [],
        timestampMs: dice.below(9) === 0 ? -1 : dice.below(2 ** 31),
      }),
    );
    const producerId = dice.below(4);
    const batch: TestBatch = { baseOffset: next, lastOffset: next + span - 1, records, codec: codec(), producerId };
    const transactional = producerId > 0;
    batches.push({ last: batch.lastOffset, bytes: batchBytes({ ...batch, transactional }) });
    for (let at = next; at < next + span; at++) if (!kept.includes(at)) lost.set(at, "removed");
    if (transactional) {
      const txn = open.get(producerId) ?? { first: next, offsets: [], ends: [], batches: [] };
      txn.offsets.push(...records);
      txn.batches.push([next, next + span - 1]);
      open.set(producerId, txn);
    } else seen.push(...records);
    next += span;
    if (dice.below(3) === 0) close(1 + dice.below(3));
    if (dice.below(6) === 0) {
      for (let at = next; at < next + 3; at++) lost.set(at, "removed");
      next += 3;
    }
  }
  for (const producerId of [1, 2, 3]) close(producerId);
  const end = (batches.at(-1)?.last ?? -1) + 1;
  return {
    bytes: (position) => concatBytes(batches.filter(({ last }) => last >= position).map(({ bytes }) => bytes)),
    rows: seen
      .toSorted((a, b) => a.offset - b.offset)
      .map((one) => ({ offset: one.offset, row: plainRow(topic, partition, one) })),
    lost,
    aborted: (position) =>
      txns
        .filter(({ last }) => last >= position)
        .map(({ producerId, first }) => ({ producerId: BigInt(producerId), firstOffset: first })),
    end,
  };
}

// The kernel for batches in their common form, against the general decoder: what it takes, the other reads the same.
import { Dice } from "@ingest-ts/core/testing";
import { acquireKernels } from "@ingest-ts/kernels";
import { beforeAll, describe, expect, test } from "vitest";
import { BatchDecoder } from "../../src/records/batch.ts";
import { RecordBuilder } from "../../src/records/columns.ts";
import { decodeCommonForm } from "../../src/records/common-form.ts";
import { type BatchHeader, readBatchHeader } from "../../src/records/header.ts";
import { prepareRecords } from "../../src/records/index.ts";
import { batchBytes, type TestBatch, type TestRecord } from "../lib/batches.ts";

beforeAll(prepareRecords);

const HEADER_BYTES = 61;
const place = { topic: "t", partition: 0, kafkaOffset: 0 };
const everything = { start: 0, end: Number.POSITIVE_INFINITY };
const runs = Number(process.env["INGEST_FUZZ_RUNS"] ?? 1000);

function parts(batch: Uint8Array): { readonly header: BatchHeader; readonly bytes: Uint8Array } {
  const header = readBatchHeader(batch, 0, place);
  if (header === undefined) throw new Error("the batch is cut off");
  return { header, bytes: batch.subarray(HEADER_BYTES) };
}

/** Rows that are there already, so that ends count on. */
function begun(): RecordBuilder {
  const builder = new RecordBuilder("t", 0);
  const first = batchBytes({
    baseOffset: 0,
    lastOffset: 1,
    records: [0, 1].map((offset) => ({
      offset,
      timestampMs: offset === 0 ? -1 : 5,
      key: new Uint8Array(3),
      value: offset === 0 ? null : new Uint8Array(9),
      headers: offset === 0 ? [["name", null]] : [],
    })),
  });
  const { header, bytes } = parts(first);
  new BatchDecoder(bytes, header, place).decode(builder, everything, () => {});
  return builder;
}

/** What the general decoder makes of it; undefined when it refuses, or finds offsets without records. */
function generally(bytes: Uint8Array, header: BatchHeader): RecordBuilder | undefined {
  const builder = begun();
  let gaps = 0;
  try {
    new BatchDecoder(bytes, header, place).decode(builder, everything, () => gaps++);
  } catch {
    return undefined;
  }
  return gaps === 0 ? builder : undefined;
}

/** As text, which is compared much faster than value by value. */
function shown(builder: RecordBuilder): string {
  return JSON.stringify([builder.lastTimestampMs, builder.sizeBytes, builder.finish()], (_, value: unknown) =>
    ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex") : value,
  );
}

function expectSame(one: RecordBuilder, other: RecordBuilder): void {
  const [left, right] = [shown(one), shown(other)];
  if (left !== right) expect(left).toBe(right);
}

/** @returns whether the kernel took it */
function compare(bytes: Uint8Array, header: BatchHeader): boolean {
  const builder = begun();
  const taken = decodeCommonForm(bytes, header, builder);
  if (taken) {
    const other = generally(bytes, header);
    if (other === undefined) throw new Error("the kernel took what the general decoder refuses");
    expectSame(builder, other);
  } else expectSame(builder, begun());
  return taken;
}

function randomBytes(dice: Dice, most: number): Uint8Array {
  return Uint8Array.from({ length: dice.below(most + 1) }, () => dice.below(256));
}

function randomBatch(dice: Dice): TestBatch {
  const baseOffset = 10 + dice.below(1000);
  const count = 1 + dice.below(40);
  const keyed = dice.below(2) === 0;
  const times = dice.pick([1000, 2 ** 40, -(2 ** 41)]);
  const records: TestRecord[] = Array.from({ length: count }, (_, i) => ({
    offset: baseOffset + i,
    timestampMs: times + dice.below(dice.pick([1, 100, 2 ** 31])),
    key: keyed ? randomBytes(dice, 20) : null,
    value: randomBytes(dice, dice.pick([0, 10, 70, 400])),
    headers: [],
  }));
  const more = dice.below(4) === 0 ? { appendTimeMs: 2 ** 40 + dice.below(1000) } : {};
  return { baseOffset, lastOffset: baseOffset + count - 1, records, ...more };
}

describe("batches in their common form", () => {
  test("are taken, and give the same columns as by the general decoder", () => {
    for (let seed = 0; seed < runs / 2; seed++) {
      const { header, bytes } = parts(batchBytes(randomBatch(new Dice(seed))));
      expect(compare(bytes, header), `seed ${seed}`).toBe(true);
    }
  });

  test("with anything else in one record are left to the general decoder", () => {
    const others: readonly Partial<TestRecord>[] = [
      { headers: [["h", new Uint8Array(1)]] },
      { value: null },
      { timestampMs: -1 },
      { timestampMs: 2 ** 52 },
    ];
    for (let seed = 0; seed < 200; seed++) {
      const dice = new Dice(seed);
      const batch = randomBatch(dice);
      const at = dice.below(batch.records.length);
      const records = [...batch.records];
      const other = dice.pick([...others, { key: records[at]?.key === null ? new Uint8Array(1) : null }]);
      records[at] = { ...(records[at] as TestRecord), ...other };
      const { header, bytes } = parts(batchBytes({ ...batch, records }));
      const taken = compare(bytes, header);
      // A batch of one record has keys all null or none; a time may be a broker's, and is exact up to 2^53.
      const same = other.headers === undefined && other.value === undefined;
      if (!(same && (batch.records.length === 1 || other.timestampMs !== undefined))) expect(taken).toBe(false);
    }
  });

  test("with offsets that have no record are left to the general decoder", () => {
    for (let seed = 0; seed < 100; seed++) {
      const dice = new Dice(seed);
      const batch = randomBatch(dice);
      if (batch.records.length < 3) continue;
      const records = batch.records.toSpliced(dice.below(batch.records.length), 1);
      const { header, bytes } = parts(batchBytes({ ...batch, records }));
      expect(compare(bytes, header)).toBe(false);
      // Nor when as many records are claimed as there are offsets.
      expect(compare(bytes, { ...header, lastOffset: header.baseOffset + header.recordCount - 1 })).toBe(
        records.at(-1)?.offset === batch.lastOffset - 1,
      );
    }
  });

  test("that are damaged are never taken for others", () => {
    let taken = 0;
    for (let seed = 0; seed < runs * 3; seed++) {
      const dice = new Dice(seed);
      const { header, bytes } = parts(batchBytes(randomBatch(dice)));
      let damaged = bytes.slice();
      for (let flips = 1 + dice.below(3); flips > 0; flips--) {
        const at = dice.below(damaged.length);
        if (dice.below(4) === 0) damaged = damaged.subarray(0, at + 1);
        else damaged[at] = dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)]);
      }
      const recordCount = dice.below(8) === 0 ? header.recordCount + dice.below(3) - 1 : header.recordCount;
      if (recordCount < 1) continue;
      const lastOffset = header.baseOffset + recordCount - 1;
      if (compare(damaged, { ...header, recordCount, lastOffset })) taken++;
    }
    // Bytes inside of keys and values, which no length guards.
    expect(taken).toBeGreaterThan(runs / 10);
  });

  test("leave no memory owned", () => {
    const batch = batchBytes(randomBatch(new Dice(1)));
    const { header, bytes } = parts(batch);
    compare(bytes, header);
    compare(bytes.subarray(0, bytes.length - 1), header);
    expect(acquireKernels().arena.idle).toBe(true);
  });
});

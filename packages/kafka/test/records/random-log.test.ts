// Random logs with transactions, compaction and all codecs, against a model.
import { Dice, rowsOf } from "@ingest-ts/core/testing";
import { prepareCodecs } from "@ingest-ts/kernels/codecs";
import { beforeAll, expect, test } from "vitest";
import { prepareRecords, type RecordsRequest } from "../../src/records/index.ts";
import {
  batchBytes,
  concatBytes,
  plainRow,
  type TestBatch,
  type TestCodec,
  testCodecs,
  type TestRecord,
} from "../lib/batches.ts";
import { batchOf, topic, partition, decodeAll, text, record } from "./support.ts";

beforeAll(async () => {
  await prepareRecords();
  await prepareCodecs(["zstd"], "write");
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

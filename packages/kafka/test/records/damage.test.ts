// Batches that are cut, flipped, lying or too large: an error with a place, never rows.
import { FormatError, IngestError, isIngestError, UnsupportedError } from "@ingest-ts/core";
import { Dice, rowsOf } from "@ingest-ts/core/testing";
import { compress, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { beforeAll, describe, expect, test } from "vitest";
import { prepareRecords, RecordsDecoder } from "../../src/records/index.ts";
import { batchBytes, concatBytes, lz4Frame, rawBatch, resealed, testCodecs } from "../lib/batches.ts";
import { topic, partition, decodeAll, offsetsOf, text, record, batchOf, expectError } from "./support.ts";

beforeAll(async () => {
  await prepareRecords();
  await prepareCodecs(["zstd"], "write");
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

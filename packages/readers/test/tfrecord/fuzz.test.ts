import { type Columns, isIngestError } from "@ingest-ts/core";
import { Dice, rowsOf } from "@ingest-ts/core/testing";
import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import * as support from "./support.ts";

/** `npm run fuzz` asks for more. */
const RUNS = Number(process.env["INGEST_FUZZ_RUNS"] ?? 10_000);
const SEED = Number(process.env["INGEST_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
/** One mutated file of a few kilobytes may take so long, on a busy machine. */
const MAX_MS = 5000;

const dice = new Dice(1);
const columns = [
  ["id", "int64"],
  ["w", "float32"],
  ["text", "bytes"],
] as const;

function randomRecord(random: Dice): Uint8Array {
  const features = columns
    .map(([name, kind]) => [name, support.randomValues(random, kind, random.below(4))] as const)
    .filter(() => random.chance(0.9));
  return random.chance(0.3) ? support.unusual(features, random) : support.example(features, random);
}

const records = Array.from({ length: 12 }, () => randomRecord(dice));
const plain = support.frame(...records);
const boundaries = records.map((_, i) => support.frame(...records.slice(0, i + 1)).length);

const declared = {
  features: {
    id: { kind: "varLen", dtype: "int64" },
    w: { kind: "varLen", dtype: "float32" },
    text: { kind: "varLen", dtype: "bytes" },
  },
};
const fixed = {
  features: {
    w: { kind: "fixedLen", dtype: "float32", shape: [2], default: [1, 2] },
    text: { kind: "fixedLen", dtype: "bytes", shape: [1], default: [""] },
  },
};
const sequence = { recordType: "sequenceExample" };
const raw = { recordType: "bytes" };

const small = { ...support.selectOf().limits, recordBytes: 2 ** 22 };

/** Rows in order, or the code of the typed error; anything else escapes. */
async function outcome(bytes: Uint8Array, options: support.ReadOptions = {}): Promise<unknown> {
  const started = performance.now();
  try {
    const { slabs } = await support.read(bytes, { select: { limits: small }, ...options });
    return slabs;
  } catch (error) {
    if (isIngestError(error, "INGEST_FORMAT") || isIngestError(error, "INGEST_UNSUPPORTED")) return error.code;
    throw error;
  } finally {
    expect(performance.now() - started).toBeLessThan(MAX_MS);
  }
}

function mutate(bytes: Uint8Array, random: Dice): Uint8Array {
  const out = bytes.slice();
  for (let i = random.below(3); i >= 0; i--) {
    const at = random.below(out.length);
    switch (random.below(6)) {
      case 0:
        out[at] = (out[at] as number) ^ (1 << random.below(8));
        break;
      case 1:
        out[at] = random.pick([0, 1, 2, 0x0a, 0x12, 0x1a, 0x7f, 0x80, 0xff, random.below(256)]);
        break;
      case 2:
        out.fill(random.pick([0, 255]), at, at + random.below(12));
        break;
      case 3:
        out.copyWithin(at, random.below(out.length), random.below(out.length));
        break;
      case 4:
        return support.bytesOf(out.subarray(0, at), [random.below(256)], out.subarray(at));
      default:
        return support.bytesOf(out.subarray(0, at), out.subarray(at + 1 + random.below(6)));
    }
  }
  return out;
}

async function repeat(runs: number, body: (random: Dice, run: number) => Promise<void>): Promise<void> {
  for (let run = 0; run < runs; run++) {
    try {
      await body(new Dice(SEED + run), run);
    } catch (error) {
      throw new Error(`run ${run} of seed ${SEED}`, { cause: error });
    }
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

describe(`seed ${SEED}`, () => {
  const share = (part: number): number => Math.ceil(RUNS * part);
  const timeout = 60_000 + RUNS * 20;

  test("any change of a file is found: checksums cover every byte", { timeout }, async () => {
    await repeat(share(0.35), async (random) => {
      const bytes = mutate(plain, random);
      if (same(bytes, plain)) return;
      const options = { declared: random.pick([undefined, declared, fixed, raw]) };
      const got = await outcome(bytes, options);
      const cut = boundaries.find((end) => end === bytes.length);
      // Cut or repeated at records, a file is another whole one.
      if (Array.isArray(got)) expect(cut !== undefined && same(bytes, plain.subarray(0, cut))).toBe(true);
      else expect(got).toMatch(/INGEST_(FORMAT|UNSUPPORTED)/);
    });
  });

  test("a file cut anywhere but between records is refused", { timeout }, async () => {
    for (let end = 0; end < plain.length; end++) {
      const got = await outcome(plain.slice(0, end), { declared });
      if (end === 0 || boundaries.includes(end)) expect(Array.isArray(got)).toBe(true);
      else expect(got).toBe("INGEST_FORMAT");
    }
  });

  test("records of any bytes give rows or typed errors, by kernels and without the same", { timeout }, async () => {
    await repeat(share(0.45), async (random) => {
      const damaged = records.slice(0, 4).map((record) => (random.chance(0.6) ? mutate(record, random) : record));
      const bytes = support.frame(...damaged);
      const options = { declared: random.pick([undefined, declared, fixed]), batchRows: random.pick([2, 100]) };
      const [byKernels, without] = [
        await outcome(bytes, options),
        await outcome(bytes, { ...options, tuning: { kernels: false } }),
      ];
      expect(byKernels).toEqual(without);
      if (Array.isArray(byKernels))
        expect(byKernels.reduce((sum: number, slab: { rows: number }) => sum + slab.rows, 0)).toBe(4);
    });
  });

  test("lengths that lie, with the checksum of what they say", { timeout }, async () => {
    await repeat(share(0.1), async (random) => {
      const at = random.below(records.length);
      const start = boundaries[at - 1] ?? 0;
      const header = new Uint8Array(12);
      const truth = (records[at] as Uint8Array).length;
      const lie = random.pick<bigint | number>([
        0,
        truth + 1,
        truth - 1,
        2 ** 31,
        2n ** 32n,
        2n ** 63n,
        2n ** 64n - 17n,
        2n ** 64n - 1n,
      ]);
      if (Number(lie) === truth) return;
      new DataView(header.buffer).setBigUint64(0, BigInt(lie), true);
      new DataView(header.buffer).setUint32(8, support.masked(header.subarray(0, 8)), true);
      const bytes = plain.slice();
      bytes.set(header, start);
      for (const options of [{}, { declared: raw }, { tuning: { kernels: false } }, { indexed: true, declared }]) {
        expect(await outcome(bytes, options)).toMatch(/INGEST_(FORMAT|UNSUPPORTED)/);
      }
    });
  });

  test("lists of lists by any numbers give rows or typed errors", { timeout }, async () => {
    const kinds = ["rowSplits", "rowLengths", "rowStarts", "rowLimits", "valueRowIds"] as const;
    await repeat(share(0.05), async (random) => {
      const numbers = (count: number): support.Values => ({
        kind: "int64",
        values: Array.from({ length: count }, () => BigInt(random.pick([0, 1, 2, 3, -1, 4, 2 ** 31, 2 ** 40]))),
      });
      const made = Array.from({ length: 5 }, () =>
        support.example([
          ["v", numbers(random.below(6))],
          ["p", numbers(random.below(5))],
        ]),
      );
      const level = (): object =>
        random.chance(0.2) ? { uniformRowLength: 1 + random.below(3) } : { [random.pick(kinds)]: "p" };
      const feature = { kind: "ragged", dtype: "int64", valueKey: "v", partitions: [level(), level()] };
      const got = await outcome(support.frame(...made), { declared: { features: { x: feature } } });
      if (!Array.isArray(got)) return;
      const [slab] = got as Columns[];
      expect(rowsOf(slab as Columns)).toHaveLength(5);
    });
  });

  test("SequenceExamples of any bytes give rows or typed errors", { timeout }, async () => {
    const step = (values: support.Values): Uint8Array => support.message(1, support.feature(values));
    const lists = (random: Dice): Uint8Array => {
      const steps = Array.from({ length: random.below(4) }, () => step(support.randomValues(random, "int64", 2)));
      return support.message(2, support.entry("tokens", support.bytesOf(...steps)));
    };
    await repeat(share(0.1), async (random) => {
      const record = support.bytesOf(randomRecord(random), lists(random));
      const bytes = support.frame(record, random.chance(0.8) ? mutate(record, random) : record);
      await outcome(bytes, { declared: sequence });
    });
  });

  test("compressed files of any bytes give the same rows or typed errors", { timeout }, async () => {
    const streams = [
      new Uint8Array(gzipSync(plain)),
      new Uint8Array(deflateSync(plain)),
      support.bytesOf(gzipSync(plain.subarray(0, 99)), gzipSync(plain.subarray(99))),
    ];
    const whole = await outcome(plain, { declared });
    await repeat(share(0.1), async (random) => {
      const got = await outcome(mutate(random.pick(streams), random), { declared });
      // gzip's header has bytes that mean nothing here (time, system); a stream may be cut to an empty one.
      if (Array.isArray(got) && got.length > 0) expect(got).toEqual(whole);
    });
  });
});

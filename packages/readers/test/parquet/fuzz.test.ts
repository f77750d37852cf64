import { type Columns, FormatError, UnsupportedError } from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { Dice, rowsOf } from "@ingest-ts/core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { parquet } from "../../src/parquet/index.ts";
import { fixtureBytes, readBytes, selectOf } from "./support.ts";

/** `npm run fuzz` asks for more. */
const RUNS = Number(process.env["INGEST_FUZZ_RUNS"] ?? 10_000);
const SEED = Number(process.env["INGEST_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
/** One mutated file of a few kilobytes may take so long, on a busy machine. */
const MAX_MS = 5000;
const names = [
  "tiny-v1",
  "tiny-v2",
  "tiny-delta",
  "tiny-zstd",
  "many-pages-v2",
  "nested-plain",
  "large-values-v1",
] as const;

/** Small limits, so that a hostile claim cannot cost much before it is refused. */
const limits = { pageBytes: 2 ** 22, dictionaryEntries: 2 ** 16, bytesInFlight: 2 ** 24 };

interface Original {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly rows: number;
}

type Mutation = (bytes: Uint8Array, dice: Dice) => Uint8Array;

/** Mutations aim at the footer half of the time: it holds all counts, lengths and offsets. */
function place(bytes: Uint8Array, dice: Dice): number {
  const footer = new DataView(bytes.buffer).getUint32(bytes.length - 8, true) + 8;
  return dice.chance(0.5) ? bytes.length - 1 - dice.below(footer) : dice.below(bytes.length);
}

const mutations: Readonly<Record<string, Mutation>> = {
  flip(bytes, dice) {
    for (let i = dice.below(3); i >= 0; i--) {
      const at = place(bytes, dice);
      bytes[at] = (bytes[at] as number) ^ (1 << dice.below(8));
    }
    return bytes;
  },
  byte(bytes, dice) {
    for (let i = dice.below(3); i >= 0; i--)
      bytes[place(bytes, dice)] = dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)]);
    return bytes;
  },
  integer(bytes, dice) {
    const at = Math.min(place(bytes, dice), bytes.length - 4);
    new DataView(bytes.buffer).setUint32(at, dice.pick([0, 1, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 0x80000000]), true);
    return bytes;
  },
  truncate(bytes, dice) {
    return bytes.slice(0, dice.below(bytes.length));
  },
  cut(bytes, dice) {
    const at = place(bytes, dice);
    const count = 1 + dice.below(8);
    const out = new Uint8Array(Math.max(0, bytes.length - count));
    out.set(bytes.subarray(0, Math.min(at, out.length)));
    out.set(
      bytes.subarray(Math.min(at + count, bytes.length)).subarray(0, Math.max(0, out.length - at)),
      Math.min(at, out.length),
    );
    return out;
  },
  insert(bytes, dice) {
    const at = place(bytes, dice);
    const count = 1 + dice.below(8);
    const out = new Uint8Array(bytes.length + count);
    out.set(bytes.subarray(0, at));
    for (let i = 0; i < count; i++) out[at + i] = dice.below(256);
    out.set(bytes.subarray(at), at + count);
    return out;
  },
  copy(bytes, dice) {
    const from = dice.below(bytes.length);
    bytes.copyWithin(place(bytes, dice), from, from + 1 + dice.below(16));
    return bytes;
  },
};

/** What mutating may lead to. */
type Outcome = "error" | "rows";

async function outcomeOf(bytes: Uint8Array): Promise<Outcome> {
  try {
    const { slabs, schema } = await readBytes(bytes, { limits });
    const metadata = await parquet.readMetadata(sourceOf(bytes), selectOf({ limits }));
    const declared = metadata.rowGroups.reduce((sum, group) => sum + group.numRows, 0);
    const rows = slabs.reduce((sum, slab) => sum + slab.rows, 0);
    if (rows !== declared) throw new Error(`${rows} rows were read, ${declared} declared`);
    const arrow = toArrowSchema(schema);
    for (const slab of slabs) checkSlab(slab, arrow);
    return "rows";
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnsupportedError) return "error";
    throw error;
  }
}

function sourceOf(bytes: Uint8Array): Parameters<typeof parquet.readMetadata>[0] {
  return {
    url: "memory:mutated",
    stat: async () => ({ sizeBytes: bytes.length, etag: "" }),
    getRanges: async (ranges) =>
      ranges.map((range) =>
        "suffixBytes" in range ? bytes.slice(-range.suffixBytes) : bytes.slice(range.start, range.end),
      ),
    close: async () => {},
  };
}

/** A slab must be something that Arrow can take, with every value where its offsets say. */
function checkSlab(slab: Columns, schema: ReturnType<typeof toArrowSchema>): void {
  toRecordBatch(slab, schema);
  if (slab.rows <= 3000) rowsOf(slab);
}

describe("mutated files", () => {
  const originals: Original[] = [];

  beforeAll(async () => {
    for (const name of names) {
      const bytes = fixtureBytes(name);
      const { slabs } = await readBytes(bytes);
      originals.push({ name, bytes, rows: slabs.reduce((sum, slab) => sum + slab.rows, 0) });
    }
  });

  test(
    `${RUNS} of them give a typed error or the declared rows (seed ${SEED})`,
    async () => {
      const counts: Record<Outcome, number> = { error: 0, rows: 0 };
      let slowest = 0;
      for (let run = 0; run < RUNS; run++) {
        const dice = new Dice(SEED + run);
        // The small ones more often: their every byte means something.
        const original = dice.chance(0.9) ? dice.pick(originals.slice(0, 4)) : dice.pick(originals);
        const name = dice.pick(Object.keys(mutations));
        const mutated = (mutations[name] as Mutation)(original.bytes.slice(), dice);
        const started = performance.now();
        try {
          counts[await outcomeOf(mutated)]++;
        } catch (error) {
          throw new Error(`seed ${SEED + run}: ${original.name} after "${name}"`, { cause: error });
        }
        slowest = Math.max(slowest, performance.now() - started);
      }
      expect(slowest).toBeLessThan(MAX_MS);
      expect(process.memoryUsage().rss).toBeLessThan(2 ** 31);
      expect(counts.error).toBeGreaterThan(RUNS / 10);
    },
    Math.max(120_000, RUNS * 50),
  );
});

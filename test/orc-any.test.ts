// Any schema, any values, encoded in any way that the specification allows: the reader gives back what went in.
import { concatRows, type Columns } from "@ingest-ts/core";
import { Dice, memorySource, type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { compress, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { open, type OpenOptions, type Reader } from "@ingest-ts/readers";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { deflated, orcFile, type Packing } from "./lib/orc-encoder.ts";
import { type OrcNode, plainOf, randomNode, stripeOf, typesOf, valueMaker } from "./lib/orc-columns.ts";

beforeAll(() => prepareCodecs(["snappy", "lz4Raw", "zstd", "brotli"]));

/** LZO1X of literals only. */
function lzo(chunk: Uint8Array): Uint8Array {
  const { length } = chunk;
  if (length === 0) return Uint8Array.of(17, 0, 0);
  if (length <= 238) return Uint8Array.of(17 + length, ...chunk, 17, 0, 0);
  const zeros = Math.floor((length - 19) / 255);
  return Uint8Array.of(0, ...new Uint8Array(zeros), length - 18 - zeros * 255, ...chunk, 17, 0, 0);
}

const packings: readonly ((chunkBytes: number) => Packing | undefined)[] = [
  () => undefined,
  deflated,
  (chunkBytes) => ({ kind: 2, chunkBytes, pack: (chunk) => compress("snappy", chunk) }),
  (chunkBytes) => ({ kind: 3, chunkBytes, pack: lzo }),
  (chunkBytes) => ({ kind: 4, chunkBytes, pack: (chunk) => compress("lz4Raw", chunk) }),
  (chunkBytes) => ({ kind: 5, chunkBytes, pack: (chunk) => compress("zstd", chunk) }),
  (chunkBytes) => ({ kind: 6, chunkBytes, pack: (chunk) => compress("brotli", chunk) }),
];

const zones = [
  undefined,
  "UTC",
  "America/Los_Angeles",
  "Europe/Dublin",
  "Australia/Lord_Howe",
  "Asia/Kolkata",
] as const;

interface Made {
  readonly bytes: Uint8Array;
  readonly root: OrcNode;
  readonly rows: PlainValue[][];
  /** Rows of each stripe. */
  readonly stripes: readonly number[];
}

function randomFile(dice: Dice): Made {
  const below = Array.from({ length: 1 + dice.below(4) }, () => randomNode(dice, dice.below(5)));
  // Numbers to put conditions on.
  const key: OrcNode = { kind: "int", children: [] };
  const root = dice.chance(0.15) ? randomNode(dice, 3) : ({ kind: "struct", children: [key, ...below] } as const);
  const isStruct = root.kind === "struct";
  const shortDecimals = dice.chance(0.3);
  const stride = dice.pick([0, 1, 3, 10, 50]);
  const rows: PlainValue[][] = [];
  const stripes = Array.from({ length: 1 + dice.below(3) }, () => {
    const zone = dice.pick(zones);
    const make = valueMaker(root, dice, isStruct ? 0 : 0.2);
    const values = Array.from({ length: dice.pick([1, 9, 60, 200]) }, make);
    for (const value of values) {
      const plain = plainOf(root, value, zone ?? "UTC");
      rows.push(isStruct ? (plain as PlainValue[]) : [plain]);
    }
    return stripeOf(root, values, { version: dice.pick([1, 2]), zone, stride, shortDecimals }, dice);
  });
  const packing = dice.pick(packings)(dice.pick([1, 2, 3, 7, 64, 1000, 100_000]));
  const shuffle = <T>(items: T[]): T[] =>
    items
      .map((item) => [dice.next(), item] as const)
      .sort(([a], [b]) => a - b)
      .map(([, item]) => item);
  const bytes = orcFile(typesOf(root), stripes, {
    ...(packing === undefined ? {} : { packing }),
    rowIndexStride: stride,
    version: shortDecimals
      ? [1, 9999]
      : dice.pick([
          [0, 11],
          [0, 12],
          [19, 99],
        ] as const),
    writerVersion: 9,
    calendar: 2,
    shuffle,
  });
  return { bytes, root, rows, stripes: stripes.map((stripe) => stripe.rows) };
}

async function rowsFrom(slabs: AsyncIterable<Columns>): Promise<PlainValue[][]> {
  const parts: Columns[] = [];
  for await (const slab of slabs) parts.push(slab);
  return parts.length === 0 ? [] : rowsOf(concatRows(parts));
}

function openBytes(bytes: Uint8Array, options: OpenOptions = {}): Promise<Reader> {
  return open(memorySource(bytes, "made"), { format: "orc", ...options });
}

/** Some columns in another order, and of one that is a struct a field alone. */
async function checkColumns({ bytes, root, rows }: Made, dice: Dice): Promise<void> {
  const chosen = root.children.map((_, i) => i).filter(() => dice.chance(0.5));
  const paths: string[][] = [];
  const expected: ((row: readonly PlainValue[]) => PlainValue)[] = [];
  for (const i of chosen.reverse()) {
    const node = root.children[i] as OrcNode;
    const value = (row: readonly PlainValue[]): PlainValue => row[i] as PlainValue;
    const field = node.kind === "struct" && node.children.length > 0 ? dice.below(node.children.length) : undefined;
    paths.push(field === undefined ? [`f${i}`] : [`f${i}`, `f${field}`]);
    // A struct of which one field is asked for has that field alone.
    expected.push((row) => {
      const whole = value(row) as PlainValue[] | null;
      return field === undefined || whole === null ? whole : [whole[field] as PlainValue];
    });
  }
  if (paths.length === 0) return;
  const reader = await openBytes(bytes, { columns: paths, batchRows: dice.pick([3, 65_536]) });
  const found = await rowsFrom(reader.slabs());
  expectRows(
    found,
    rows.map((row) => expected.map((each) => each(row))),
    `columns ${paths.map((path) => path.join(".")).join(", ")}`,
  );
}

/** The number that a condition is on; NaN, with which nothing compares, for null. */
function keyOf(row: readonly PlainValue[]): number {
  if (row[0] === null) return Number.NaN;
  return Buffer.from(row[0] as string, "hex").readInt32LE();
}

/** As `toEqual`, which is slow for what is the same. */
function expectRows(found: PlainValue[][], expected: PlainValue[][], what: string): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found, what).toEqual(expected);
}

async function checkFile({ bytes, root, rows, stripes }: Made, dice: Dice): Promise<void> {
  const batchRows = dice.pick([1, 7, 50, 65_536]);
  // Streams in pieces of 64 KB or in one, whichever the limit lets.
  const limits = dice.chance(0.2) ? { bytesInFlight: 1 << 20 } : {};
  const reader = await openBytes(bytes, { batchRows, limits });
  expectRows(await rowsFrom(reader.slabs()), rows, "the whole file");
  let first = 0;
  for (const [ordinal, count] of stripes.entries()) {
    const [from, to] = [dice.below(count + 1), dice.below(count + 1)].sort((a, b) => a - b) as [number, number];
    const fragment = reader.fragments[ordinal] as Reader["fragments"][number];
    const some = await rowsFrom(reader.fragmentSlabs(fragment, { rows: [from, to] }));
    expectRows(some, rows.slice(first + from, first + to), `rows ${from} to ${to} of stripe ${ordinal}`);
    first += count;
  }
  if (root.kind === "struct") await checkColumns({ bytes, root, rows, stripes }, dice);
  if (root.kind !== "struct" || root.children[0]?.kind !== "int" || rows.length === 0) return;
  const key = keyOf(dice.pick(rows));
  if (Number.isNaN(key)) return;
  for (const operator of ["eq", "ge", "lt"] as const) {
    const filtered = await openBytes(bytes, { batchRows, where: [operator, "f0", key] });
    const passes = { eq: (a: number) => a === key, ge: (a: number) => a >= key, lt: (a: number) => a < key }[operator];
    const kept = rows.filter((row) => passes(keyOf(row)));
    expectRows(await rowsFrom(filtered.slabs()), kept, `f0 ${operator} ${key}`);
  }
}

const runs = Number(process.env["INGEST_ORC_RUNS"] ?? 30);

test(`${runs} files in every encoding`, { timeout: 60_000 + runs * 2000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), async (seed) => {
      const dice = new Dice(seed);
      await checkFile(randomFile(dice), dice);
    }),
    { numRuns: runs, seed: Number(process.env["INGEST_FUZZ_SEED"] ?? 1) },
  );
});

// Row indexes that lie, and other things that ORC files say of themselves and should not.
import { type Columns, concatRows, type Predicate } from "@ingest-ts/core";
import { Dice, memorySource, type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";
import { describe, expect, test } from "vitest";
import { bits, deflated, field, integers, message, orcFile, type Stripe, varint, zigzag } from "./lib/orc-encoder.ts";
import { stripeOf, typesOf, type OrcNode } from "./lib/orc-columns.ts";

const root: OrcNode = {
  kind: "struct",
  children: [
    { kind: "int", children: [] },
    { kind: "string", children: [] },
  ],
};
const ROWS = 100;
const STRIDE = 10;
const values = Array.from({ length: ROWS }, (_, i) => [BigInt(i), `text ${i}`]);
const honest = stripeOf(
  root,
  values,
  { version: 2, zone: undefined, stride: STRIDE, shortDecimals: false },
  new Dice(1),
);

async function readRows(stripe: Stripe, where: Predicate, chunkBytes = 64): Promise<number[]> {
  const bytes = orcFile(typesOf(root), [stripe], {
    packing: deflated(chunkBytes),
    rowIndexStride: STRIDE,
    writerVersion: 9,
    version: [0, 12],
  });
  const reader = await open(memorySource(bytes, "lies"), { format: "orc", where });
  const parts: Columns[] = [];
  for await (const slab of reader.slabs()) parts.push(slab);
  const rows: PlainValue[][] = parts.length === 0 ? [] : rowsOf(concatRows(parts));
  for (const [number, text] of rows) {
    const i = Buffer.from(number as string, "hex").readInt32LE();
    expect(Buffer.from(text as string, "hex").toString()).toBe(`text ${i}`);
  }
  return rows.map(([number]) => Buffer.from(number as string, "hex").readInt32LE());
}

/** The stripe with other statistics in every row group of the numbers. */
function lying(statistics: (from: number) => number[]): Stripe {
  const entries = Array.from({ length: ROWS / STRIDE }, (_, group) => statistics(group * STRIDE));
  return { ...honest, statistics: new Map([...(honest.statistics ?? []), [1, entries]]) };
}

const bounds = (min: number, max: number): number[] =>
  message(2, [8, ...varint(zigzag(BigInt(min))), 16, ...varint(zigzag(BigInt(max)))]);

describe("statistics of row groups that contradict themselves say nothing", () => {
  test.each<[string, (from: number) => number[]]>([
    ["the least above the greatest", () => [...field(1, STRIDE), ...bounds(5, -5)]],
    ["more values than rows", () => [...field(1, STRIDE + 1), ...bounds(-2, -1)]],
    ["nulls, but as many values as rows", () => [...field(1, STRIDE), ...field(10, 1), ...bounds(-2, -1)]],
    ["bounds that the type does not have", () => [...field(1, STRIDE), ...bounds(2 ** 40, 2 ** 41)]],
    ["no count", () => bounds(-2, -1)],
    ["nothing at all", () => []],
    ["bytes that are no message", () => [255, 255, 255]],
  ])("%s", async (_, statistics) => {
    const rows = await readRows(lying(statistics), ["and", ["ge", "f0", 42], ["lt", "f0", 45]]);
    expect(rows).toEqual([42, 43, 44]);
  });

  test("too few row groups, or too many", async () => {
    const entries = honest.statistics?.get(1) ?? [];
    for (const wrong of [entries.slice(1), [...entries, ...entries], []]) {
      const stripe = { ...honest, statistics: new Map([...(honest.statistics ?? []), [1, wrong]]) };
      expect(await readRows(stripe, ["eq", "f0", 42])).toEqual([42]);
    }
  });
});

describe("positions of row groups", () => {
  const where: Predicate = ["and", ["ge", "f0", 40], ["lt", "f0", 50]];
  /** The stripe with other positions in the data stream of the numbers. */
  const moved = (change: (inside: readonly number[], group: number) => readonly number[]): Stripe => ({
    ...honest,
    streams: honest.streams.map((stream) =>
      stream.column !== 1 || stream.kind !== 1
        ? stream
        : {
            ...stream,
            marks: (stream.marks ?? []).map((mark, group) => ({ ...mark, inside: change(mark.inside, group) })),
          },
    ),
  });

  test("good ones give the rows", async () => {
    for (const chunkBytes of [1, 5, 64, 10_000]) expect(await readRows(honest, where, chunkBytes)).toHaveLength(10);
  });

  test.each<[string, (inside: readonly number[], group: number) => readonly number[]]>([
    ["too many numbers", (inside) => [...inside, 0]],
    ["too few", () => []],
    ["more values to pass over than any run has", () => [100_000]],
  ])("%s: rows are read without them", async (_, change) => {
    expect(await readRows(moved(change), where)).toEqual(Array.from({ length: 10 }, (_value, i) => 40 + i));
  });

  test("a place where the row group does not begin is refused: it would give other rows", async () => {
    const isLate = (inside: readonly number[], group: number): readonly number[] =>
      group === 5 ? [(inside[0] ?? 0) + 1] : inside;
    await expect(readRows(moved(isLate), where)).rejects.toThrow(/row group 5 does not begin where the row index says/);
  });
});

test("null rows are refused, a PRESENT stream of the root without nulls is not", async () => {
  const present = (isThere: boolean): Stripe => {
    const rest = honest.streams.filter(({ column, kind }) => column !== 0 || kind !== 0);
    const rootStream = { kind: 0, column: 0, bytes: bits(values.map((_, i) => isThere || i !== 7)) };
    return { rows: ROWS, encodings: honest.encodings, streams: [rootStream, ...rest] };
  };
  expect(await readRows(present(true), ["ge", "f0", 98])).toEqual([98, 99]);
  await expect(readRows(present(false), ["ge", "f0", 98])).rejects.toThrow("null rows are not supported");
});

test("Hive 0.11's decimals have no precision: every value has its own scale, of which six digits are kept", async () => {
  const scales = [0n, 2n, 6n, 3n];
  const numbers = [12n, -1234n, 1_234_567n, -5n];
  const stripe = {
    rows: 4,
    encodings: [{ kind: 0 }, { kind: 0 }],
    streams: [
      { kind: 1, column: 1, bytes: numbers.flatMap((number) => varint(zigzag(number))) },
      { kind: 5, column: 1, bytes: integers(scales, 1, true) },
    ],
  };
  const types = [{ kind: 12, subtypes: [1], names: ["d"] }, { kind: 14 }];
  const reader = await open(memorySource(orcFile(types, [stripe], { version: [0, 11] }), "hive"), { format: "orc" });
  expect(reader.schema.fields[0]?.type).toEqual({ kind: "decimal", bits: 128, precision: 38, scale: 6 });
  const parts: Columns[] = [];
  for await (const slab of reader.slabs()) parts.push(slab);
  const found = rowsOf(concatRows(parts)).map(([hex]) =>
    BigInt.asIntN(
      128,
      BigInt(
        `0x${Buffer.from(hex as string, "hex")
          .reverse()
          .toString("hex")}`,
      ),
    ),
  );
  expect(found).toEqual([12_000_000n, -12_340_000n, 1_234_567n, -5000n]);
});

test("a union of more types than Arrow has codes for is refused by name", async () => {
  const branches = Array.from({ length: 129 }, () => ({ kind: 3 }));
  const union = { kind: 13, subtypes: branches.map((_, i) => i + 2) };
  const types = [{ kind: 12, subtypes: [1], names: ["u"] }, union, ...branches];
  await expect(open(memorySource(orcFile(types, []), "union"), { format: "orc" })).rejects.toThrow(/129 types/);
});

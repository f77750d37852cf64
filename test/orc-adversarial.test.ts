import { concatRows, type Columns } from "@ingest-ts/core";
import { memorySource, rowsOf } from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";
import { expect, test } from "vitest";
import { bits, deflated, integers, orcFile, type Stripe, varint, zigzag } from "./lib/orc-encoder.ts";

async function readRows(bytes: Uint8Array, batchRows: number): Promise<unknown> {
  const reader = await open(memorySource(bytes, "made"), { format: "orc", batchRows });
  const parts: Columns[] = [];
  for await (const slab of reader.slabs()) parts.push(slab);
  await reader.close();
  return rowsOf(concatRows(parts));
}

function hex(value: bigint, bytes: number): string {
  const digits = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, "0");
  return Buffer.from(digits, "hex").reverse().toString("hex");
}

// struct<inner: struct<n: bigint>, s: string, d: decimal(20, 4), t: timestamp>
const types = [
  { kind: 12, subtypes: [1, 3, 4, 5], names: ["inner", "s", "d", "t"] },
  { kind: 12, subtypes: [2], names: ["n"] },
  { kind: 4 },
  { kind: 7 },
  { kind: 14, precision: 20, scale: 4 },
  { kind: 9 },
];
const ROWS = 97;
const words = ["", "one", "zwei", "три"];
const number = (i: number): bigint => BigInt.asIntN(64, BigInt(i >> 2) * 0x9e3779b97f4a7c15n);
const hasInner = (i: number): boolean => i % 5 !== 1;
const hasNumber = (i: number): boolean => i % 3 !== 2;
// Clocks of Los Angeles were 8 hours behind in winter and 7 in summer.
const wall = (i: number): bigint => BigInt(Date.UTC(2014, i % 12, 15, 12, 0, i) / 1000);
const midnight = BigInt(Date.UTC(2015, 0, 1) / 1000);
const isSummer = (i: number): boolean => i % 12 >= 2 && i % 12 <= 9;

function stripe(first: number, version: 1 | 2, dictionary: boolean, timeZone: string | undefined): Stripe {
  const rows = Array.from({ length: ROWS }, (_, k) => first + k);
  const inner = rows.filter(hasInner);
  const text = (i: number): number[] => [...Buffer.from(words[i % 4] as string)];
  const lengths = (dictionary ? [0, 1, 2, 3] : rows).map((i) => BigInt(text(i).length));
  const content = (dictionary ? [0, 1, 2, 3] : rows).flatMap(text);
  const shift = (i: number): bigint => (timeZone?.startsWith("America") === true && isSummer(i) ? 3600n : 0n);
  const plain = { kind: version === 1 ? 0 : 2 };
  const indices = {
    kind: 1,
    column: 3,
    bytes: integers(
      rows.map((i) => BigInt(i % 4)),
      version,
      false,
    ),
  };
  return {
    rows: ROWS,
    encodings: [plain, plain, plain, dictionary ? { kind: plain.kind + 1, dictionarySize: 4 } : plain, plain, plain],
    ...(timeZone === undefined ? {} : { timeZone }),
    streams: [
      { kind: 0, column: 1, bytes: bits(rows.map(hasInner)) },
      { kind: 0, column: 2, bytes: bits(inner.map(hasNumber)) },
      { kind: 1, column: 2, bytes: integers(inner.filter(hasNumber).map(number), version, true) },
      { kind: 2, column: 3, bytes: integers(lengths, version, false) },
      ...(dictionary ? [indices] : []),
      { kind: dictionary ? 3 : 1, column: 3, bytes: content },
      // Value i is i units, written with scales of 0 to 4.
      { kind: 1, column: 4, bytes: rows.flatMap((i) => varint(zigzag(BigInt(-i) * 10n ** BigInt(i % 5)))) },
      {
        kind: 5,
        column: 4,
        bytes: integers(
          rows.map((i) => BigInt(i % 5)),
          version,
          true,
        ),
      },
      {
        kind: 1,
        column: 5,
        bytes: integers(
          rows.map((i) => wall(i) - midnight - shift(i)),
          version,
          true,
        ),
      },
      {
        kind: 5,
        column: 5,
        bytes: integers(
          rows.map((i) => BigInt(i % 7) << 3n),
          version,
          false,
        ),
      },
    ],
  };
}

const expected = Array.from({ length: 4 * ROWS }, (_, i) => [
  hasInner(i) ? [hasNumber(i) ? hex(number(i), 8) : null] : null,
  Buffer.from(words[i % 4] as string).toString("hex"),
  hex(BigInt(-i) * 10_000n, 16),
  hex(wall(i) * 1_000_000_000n + BigInt(i % 7), 8),
]);

test.each([undefined, 1, 2, 3, 7, 64, 5000])("stripes of every encoding in chunks of %s bytes", async (chunkBytes) => {
  const bytes = orcFile(
    types,
    [
      stripe(0, 1, false, undefined),
      stripe(ROWS, 2, false, "America/Los_Angeles"),
      stripe(2 * ROWS, 1, true, "America/Los_Angeles"),
      stripe(3 * ROWS, 2, true, "UTC"),
    ],
    chunkBytes === undefined ? {} : { packing: deflated(chunkBytes) },
  );
  for (const batchRows of [1000, 10]) expect(await readRows(bytes, batchRows)).toEqual(expected);
});

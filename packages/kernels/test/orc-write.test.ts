import { orcIntegersBound } from "@ingest-ts/kernels";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RunReader } from "./support/orc.ts";
import { Random } from "./support/random.ts";
import { Space } from "./support/space.ts";

let space: Space;
beforeAll(async () => {
  space = await Space.create();
});
beforeEach(() => space.reset());

function written(values: BigInt64Array, isSigned: boolean): Uint8Array {
  space.reset();
  const src = space.put(values);
  const out = space.room(orcIntegersBound(values.length));
  const length = space.exports.orcWriteIntegers(src, values.length, isSigned ? 1 : 0, out);
  space.checkGuards();
  expect(length).toBeLessThanOrEqual(orcIntegersBound(values.length));
  return space.bytes(out, length);
}

/** What the twin of the reader makes of it, and the kinds of the runs. */
function readBack(bytes: Uint8Array, isSigned: boolean): { values: bigint[]; kinds: Set<number> } {
  const reader = new RunReader(bytes);
  const values: bigint[] = [];
  const kinds = new Set<number>();
  while (!reader.isAtEnd) {
    kinds.add((bytes[reader.position] as number) >> 6);
    values.push(...reader.runV2(isSigned));
  }
  return { values, kinds };
}

/** Stretches of every habit that values have. */
function randomValues(random: Random, isSigned: boolean): BigInt64Array {
  const values: bigint[] = [];
  while (values.length < 3000 && random.below(12) > 0) {
    const count = random.pick([1, 2, 3, 7, 8, 10, 11, 100, 511, 512, 513, 700]);
    const width = random.pick([1, 4, 8, 17, 24, 33, 40, 57, isSigned ? 64 : 63]);
    const one = (bits = width): bigint =>
      isSigned ? BigInt.asIntN(64, random.bits(bits) - (1n << BigInt(bits - 1))) : random.bits(bits);
    const first = one();
    const habit = random.below(6);
    let last = first;
    for (let i = 0; i < count; i++) {
      if (habit === 0) values.push(first);
      else if (habit === 1) values.push(BigInt.asIntN(isSigned ? 64 : 62, first + BigInt(i) * 3n));
      else if (habit === 2) values.push(one());
      else if (habit === 3) values.push(one(random.below(40) === 0 ? (isSigned ? 64 : 63) : 5));
      else if (habit === 4)
        values.push((last = BigInt.asIntN(64, last + random.bits(6)) < last ? last : last + random.bits(6)));
      else values.push((last = isSigned ? BigInt.asIntN(64, last - random.bits(9)) : one(20)));
    }
  }
  return BigInt64Array.from(values, (value) => (isSigned ? value : BigInt.asUintN(63, value)));
}

describe("orcWriteIntegers", () => {
  test.each([false, true])("signed %s: any values come back, and every kind of run is used", (isSigned) => {
    const random = new Random(7);
    const all = new Set<number>();
    for (let round = 0; round < 300; round++) {
      const values = randomValues(random, isSigned);
      const { values: found, kinds } = readBack(written(values, isSigned), isSigned);
      expect(found.length).toBe(values.length);
      expect(BigInt64Array.from(found)).toEqual(values);
      for (const kind of kinds) all.add(kind);
    }
    expect(all).toEqual(new Set([0, 1, 2, 3]));
  });

  test.each<[string, (i: number) => bigint, number]>([
    ["nothing but one value", () => 7n, 8 * 4],
    ["a counter", (i) => BigInt(i), 8 * 8],
    ["falling values", (i) => BigInt(-i * 5), 8 * 8],
    ["bits", (i) => BigInt((i * 2_654_435_761) % 2 ** 32 > 2 ** 31 ? 1 : 0), 1024 + 8 * 2],
    ["small values with outliers", (i) => (i % 100 === 50 ? 1n << 40n : BigInt((i * 7919) % 61)), 3600],
    ["the extremes", (i) => (i % 2 === 0 ? -(2n ** 63n) : 2n ** 63n - 1n), 4096 * 8 + 16],
  ])("is short for %s", (_, value, most) => {
    const values = BigInt64Array.from({ length: 4096 }, (_, i) => value(i));
    const bytes = written(values, true);
    expect(BigInt64Array.from(readBack(bytes, true).values)).toEqual(values);
    expect(bytes.length).toBeLessThanOrEqual(most);
  });

  test("writes nothing for no values", () => {
    expect(written(new BigInt64Array(0), true).length).toBe(0);
  });
});

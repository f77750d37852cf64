import { beforeAll, beforeEach, expect, test } from "vitest";
import { Random } from "./support/random.ts";
import { named, Space } from "./support/space.ts";

let space: Space;
beforeAll(async () => {
  space = await Space.create();
});
beforeEach(() => space.reset());

const counts = [0, 1, 2, 15, 16, 17, 31, 32, 33, 64, 100, 1000] as const;

/** Repetition levels with long runs of one value, as lists have them. */
function repetitionLevels(random: Random, count: number, most: number): Uint8Array {
  const out = new Uint8Array(count);
  for (let i = 0; i < count; ) {
    const value = random.below(most + 1);
    for (let run = random.pick([1, 1, 2, 40]); run > 0 && i < count; run--) out[i++] = value;
  }
  return out;
}

test("rowBoundary", () => {
  const random = new Random(1);
  for (let round = 0; round < 2000; round++) {
    space.reset();
    const count = random.pick(counts);
    const levels = repetitionLevels(random, count, random.pick([0, 1, 3]));
    const rows = random.pick([0, 1, 2, 5, 16, 10_000]);
    const answer = space.exports.rowBoundary(space.source(levels), count, rows);
    let [expected, found] = [0, 0];
    for (; expected < count; expected++) {
      if (levels[expected] !== 0) continue;
      if (found === rows) break;
      found++;
    }
    expect([answer, space.exports.position()]).toEqual([expected, found]);
  }
});

test("listStarts", () => {
  const random = new Random(2);
  for (let round = 0; round < 3000; round++) {
    space.reset();
    const count = random.pick(counts);
    const [slotRepetition, slotLevel] = [random.below(3), random.below(3)];
    const elementLevel = slotLevel + 1 + random.below(3);
    const repetition = repetitionLevels(random, count, slotRepetition + 2);
    const definition = Uint8Array.from({ length: count }, (_, i) =>
      (repetition[i] as number) > slotRepetition && round % 20 !== 0
        ? elementLevel + random.below(2)
        : random.below(elementLevel + 2),
    );
    const items = random.below(1000);
    const starts: number[] = [];
    let [total, bad] = [items, -1];
    for (let i = 0; i < count && bad < 0; i++) {
      const [r, d] = [repetition[i] as number, definition[i] as number];
      if (r > slotRepetition && d < elementLevel) bad = i;
      if (r <= slotRepetition && d >= slotLevel) starts.push(total);
      if (r <= slotRepetition + 1 && d >= elementLevel) total++;
    }
    const out = space.room(count * 4);
    const levels = [space.put(repetition), space.put(definition)] as const;
    const answer = space.exports.listStarts(...levels, count, slotRepetition, slotLevel, elementLevel, items, out);
    space.checkGuards();
    if (bad >= 0) {
      expect(named(answer)).toBe("CORRUPT");
      continue;
    }
    expect([answer, space.exports.position()]).toEqual([starts.length, total]);
    expect(Array.from(space.int32(out, starts.length))).toEqual(starts);
  }
});

test("listStarts refuses offsets past 2^31 - 1", () => {
  const [ones, zeros] = [new Uint8Array(40).fill(1), new Uint8Array(40)];
  const most = 2 ** 31 - 1;
  const out = space.room(160);
  const [definition, repetition] = [space.put(ones), space.put(zeros)];
  expect(named(space.exports.listStarts(repetition, definition, 40, 0, 0, 1, most - 39, out))).toBe("OVERFLOW");
  expect(space.exports.listStarts(repetition, definition, 40, 0, 0, 1, most - 40, out)).toBe(40);
});

test("widenOffsets", () => {
  const random = new Random(3);
  for (let round = 0; round < 200; round++) {
    space.reset();
    const values = Int32Array.from(
      { length: random.below(40) },
      () => random.below(2 ** 31) - random.below(2) * 2 ** 31,
    );
    const out = space.room(values.length * 8);
    space.exports.widenOffsets(space.put(values), values.length, out);
    space.checkGuards();
    expect(Array.from(space.int64(out, values.length))).toEqual(Array.from(values, BigInt));
  }
});

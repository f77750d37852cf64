import { beforeAll, beforeEach, expect, test } from "vitest";
import { countSet, getBit, Random, setBit } from "./support/random.ts";
import { Fault, named, outcome, Space } from "./support/space.ts";

let space: Space;
beforeAll(async () => {
  space = await Space.create();
});
beforeEach(() => space.reset());

/** Bits below `index` are kept, those from `index` on are `bits`, those after them in the last byte 0. */
function expectBits(out: number, before: Uint8Array, index: number, bits: readonly boolean[]): void {
  const size = (index + bits.length + 7) >> 3;
  const expected = before.slice(0, size);
  if (bits.length > 0) for (let i = index; i < size * 8; i++) setBit(expected, i, bits[i - index] ?? false);
  expect(space.bytes(out, size)).toEqual(expected);
}

const counts = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 127, 128, 129, 1000] as const;

test("copyBits", () => {
  const random = new Random(1);
  for (let round = 0; round < 1500; round++) {
    space.reset();
    const [count, from, index] = [random.pick(counts), random.below(70), random.below(20)];
    const bytes = random.bytes(((from + count + 7) >> 3) - (round % 10 === 0 ? 1 : 0));
    const before = random.bytes((index + count + 7) >> 3);
    const out = space.put(before);
    const answer = named(space.exports.copyBits(space.source(bytes), bytes.length, from, out, index, count));
    space.checkGuards();
    if (from + count > bytes.length * 8) {
      expect(answer).toBe("TRUNCATED");
      continue;
    }
    expect(answer).toBe(count);
    expectBits(
      out,
      before,
      index,
      Array.from({ length: count }, (_, i) => getBit(bytes, from + i)),
    );
  }
});

test("spreadBits", () => {
  const random = new Random(2);
  for (let round = 0; round < 1000; round++) {
    space.reset();
    const [count, start, from, index] = [random.pick(counts), random.below(20), random.below(20), random.below(20)];
    const validity = random.bitmap(start, count);
    const valid = countSet(validity, start, count);
    const bytes = random.bytes((from + valid + 7) >> 3);
    const before = random.bytes((index + count + 7) >> 3);
    const out = space.put(before);
    const bits = space.put(validity);
    const src = space.source(bytes);
    expect(named(space.exports.spreadBits(bits, start, count, src, from, valid + 1, out, index))).toBe("COUNT");
    expect(space.exports.spreadBits(bits, start, count, src, from, valid, out, index)).toBe(valid);
    space.checkGuards();
    let next = from;
    expectBits(
      out,
      before,
      index,
      Array.from({ length: count }, (_, i) => getBit(validity, start + i) && getBit(bytes, next++)),
    );
  }
});

test("levelsToValidity", () => {
  const random = new Random(3);
  for (let round = 0; round < 1000; round++) {
    space.reset();
    const [count, index, threshold] = [random.pick(counts), random.pick([0, 8, 64, random.below(40)]), random.below(6)];
    const levels = Uint8Array.from({ length: count }, () => random.below(6));
    const before = random.bytes((index + count + 7) >> 3);
    const out = space.put(before);
    const answer = space.exports.levelsToValidity(space.source(levels), count, threshold, out, index);
    space.checkGuards();
    expect(answer).toBe(levels.filter((level) => level >= threshold).length);
    expect(space.exports.validCount()).toBe(answer);
    expectBits(
      out,
      before,
      index,
      Array.from(levels, (level) => level >= threshold),
    );
  }
});

test("levelsToSlots", () => {
  const random = new Random(4);
  for (let round = 0; round < 1000; round++) {
    space.reset();
    const count = random.pick(counts);
    const index = random.below(20);
    const definition = Uint8Array.from({ length: count }, () => random.below(6));
    const repetition = Uint8Array.from({ length: count }, () => random.below(3));
    const [slotLevel, validLevel, maxRepetition] = [random.below(5), random.below(7), random.below(3)];
    const useRepetition = random.below(2) === 1;
    const bits: boolean[] = [];
    definition.forEach((level, i) => {
      if (level >= slotLevel && (!useRepetition || (repetition[i] as number) <= maxRepetition))
        bits.push(level >= validLevel);
    });
    const capacity = bits.length - (random.below(8) === 0 ? 1 : 0);
    const before = random.bytes((index + Math.max(0, capacity) + 7) >> 3);
    const out = space.put(before);
    const rep = useRepetition ? space.put(repetition) : 0;
    const answer = named(
      space.exports.levelsToSlots(
        rep,
        space.source(definition),
        count,
        maxRepetition,
        slotLevel,
        validLevel,
        out,
        index,
        Math.max(0, capacity),
      ),
    );
    space.checkGuards();
    if (bits.length > Math.max(0, capacity)) {
      expect(answer).toBe("OUTPUT_FULL");
      continue;
    }
    expect(answer).toBe(bits.length);
    expect(space.exports.validCount()).toBe(bits.filter(Boolean).length);
    expectBits(out, before, index, bits);
  }
});

test("levelsToLists", () => {
  const random = new Random(5);
  for (let round = 0; round < 2000; round++) {
    space.reset();
    const count = random.pick(counts);
    const definition = Uint8Array.from({ length: count }, () => random.pick([0, 1, 2, 3, 3, 3, 4]));
    const repetition = Uint8Array.from({ length: count }, () => random.pick([0, 0, 1, 1, 2]));
    if (random.below(3) > 0)
      definition.forEach((level, i) => {
        if ((repetition[i] as number) > 0 && level < 3) definition[i] = 3;
      });
    if (random.below(5) > 0) repetition[0] = 0;
    const index = random.pick([0, 0, 5]);
    const [elementRepetition, slotLevel, validLevel, elementLevel] = [random.pick([1, 2]), random.pick([0, 1]), 2, 3];
    const first = index === 0 ? 0 : 17;
    const plain = outcome(() => {
      const offsets = [first];
      const bits: boolean[] = [];
      for (let i = 0; i < count; i++) {
        const [r, d] = [repetition[i] as number, definition[i] as number];
        if (d < slotLevel || r > elementRepetition) continue;
        if (r === elementRepetition) {
          if (index + bits.length === 0 || d < elementLevel) throw new Fault("CORRUPT");
          offsets.push((offsets.pop() as number) + 1);
        } else {
          bits.push(d >= validLevel);
          offsets.push((offsets.at(-1) as number) + (d >= elementLevel ? 1 : 0));
        }
      }
      return { offsets, bits };
    });
    const capacity = typeof plain === "string" ? count : plain.bits.length - (random.below(8) === 0 ? 1 : 0);
    const room = Math.max(0, capacity);
    const offsets = space.room((room + 1) * 4);
    new Int32Array(space.kernels.exports.memory.buffer, offsets, 1)[0] = first;
    const before = random.bytes((index + room + 7) >> 3);
    const out = space.put(before);
    const answer = named(
      space.exports.levelsToLists(
        space.put(repetition),
        space.source(definition),
        count,
        elementRepetition,
        slotLevel,
        validLevel,
        elementLevel,
        offsets,
        out,
        index,
        room,
      ),
    );
    space.checkGuards();
    if (typeof plain === "string") expect(answer).toBe(plain);
    else if (plain.bits.length > room) expect(answer).toBe("OUTPUT_FULL");
    else {
      expect(answer).toBe(plain.bits.length);
      expect(Array.from(space.int32(offsets, plain.bits.length + 1))).toEqual(plain.offsets);
      expectBits(out, before, index, plain.bits);
    }
  }
});

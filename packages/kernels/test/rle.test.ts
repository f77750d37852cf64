import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Random, getBit } from "./support/random.ts";
import { Fault, named, outcome, Space } from "./support/space.ts";

let space: Space;
beforeAll(async () => {
  space = await Space.create();
});
beforeEach(() => space.reset());

/** Reads `width` bits at bit `bit`, least significant first. */
function bitsAt(bytes: Uint8Array, bit: number, width: number): number {
  let value = 0;
  for (let k = 0; k < width; k++) if (getBit(bytes, bit + k)) value += 2 ** k;
  return value;
}

interface Decoded {
  readonly values: number[];
  readonly consumed: number;
}

/** The plain twin of the hybrid. `check` throws for a value that is not wanted. */
function decodeHybrid(
  bytes: Uint8Array,
  width: number,
  count: number,
  check: (values: readonly number[]) => void = () => {},
): Decoded {
  const values: number[] = [];
  let at = 0;
  if (width === 0) {
    for (let i = 0; i < count; i++) values.push(0);
    check(values);
    return { values, consumed: 0 };
  }
  while (values.length < count) {
    let header = 0;
    let shift = 0;
    const start = at;
    for (;;) {
      if (at === bytes.length) throw new Fault(at - start >= 5 ? "CORRUPT" : "TRUNCATED");
      const byte = bytes[at++] as number;
      if (shift === 28 && byte > 15) throw new Fault("CORRUPT");
      header += (byte & 127) * 2 ** shift;
      shift += 7;
      if (byte < 128) break;
    }
    const left = count - values.length;
    if (header % 2 === 1) {
      const groups = Math.floor(header / 2);
      const taken = Math.min(groups * 8, left);
      if (Math.ceil((taken * width) / 8) > bytes.length - at) throw new Fault("TRUNCATED");
      const run = Array.from({ length: taken }, (_, i) => bitsAt(bytes, at * 8 + i * width, width));
      check(run);
      values.push(...run);
      at = Math.min(bytes.length, at + groups * width);
    } else {
      const byteWidth = Math.ceil(width / 8);
      if (byteWidth > bytes.length - at) throw new Fault("TRUNCATED");
      let value = 0;
      for (let k = 0; k < byteWidth; k++) value += (bytes[at + k] as number) * 256 ** k;
      at += byteWidth;
      const run = Array.from({ length: Math.min(Math.floor(header / 2), left) }, () => value);
      check(run);
      values.push(...run);
    }
  }
  return { values, consumed: at };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  while (value >= 128) {
    bytes.push((value % 128) + 128);
    value = Math.floor(value / 128);
  }
  return [...bytes, value];
}

/** Any mixture of runs, also empty ones, that gives at least `count` values. */
function encodeHybrid(random: Random, width: number, count: number): Uint8Array {
  const bytes: number[] = [];
  for (let done = 0; done < count; ) {
    const limit = 2 ** Math.min(width, random.pick([1, width, width]));
    if (random.below(2) === 0) {
      const length = random.pick([0, 1, 3, 8, 17, 200]);
      bytes.push(...varint(length * 2));
      let value = random.below(limit);
      for (let k = 0; k < Math.ceil(width / 8); k++) {
        bytes.push(value % 256);
        value = Math.floor(value / 256);
      }
      done += length;
    } else {
      const groups = random.pick([0, 1, 1, 2, 5, 63, 70]);
      bytes.push(...varint(groups * 2 + 1), ...random.bytes(groups * width));
      done += groups * 8;
    }
  }
  return Uint8Array.from(bytes);
}

describe("rleIndices and rleIntegers", () => {
  test.each(Array.from({ length: 33 }, (_, width) => width))("width %i", (width) => {
    const random = new Random(width);
    for (let round = 0; round < 40; round++) {
      space.reset();
      const count = random.pick([0, 1, 7, 8, 9, 100, 777]);
      const bytes = random.damage(encodeHybrid(random, width, count));
      const bound = random.pick([0, 1, 2, 2 ** Math.max(0, width - 1) + 1, 2 ** width, 2 ** 32]) % 2 ** 32;
      const out = space.room(count * 4, 0);
      const src = space.source(bytes);

      const plain = outcome(() => decodeHybrid(bytes, width, count));
      const consumed = named(space.exports.rleIntegers(src, bytes.length, width, out, count));
      space.checkGuards();
      expect(consumed).toEqual(typeof plain === "string" ? plain : plain.consumed);
      if (typeof plain !== "string")
        expect(space.int32(out, count)).toEqual(Int32Array.from(plain.values, (value) => value | 0));

      const checked = outcome(() =>
        decodeHybrid(bytes, width, count, (values) => {
          if (values.some((value) => value >= bound)) throw new Fault("INDEX");
        }),
      );
      const answer = named(space.exports.rleIndices(src, bytes.length, width, bound, out, count));
      space.checkGuards();
      if (typeof checked === "string") expect(answer).toBe(checked);
      else {
        expect(answer).toBe(width === 0 ? bytes.length : checked.consumed);
        expect(space.int32(out, count)).toEqual(Int32Array.from(checked.values, (value) => value | 0));
      }
    }
  });

  test("widths above 32 are refused", () => {
    const src = space.source(new Uint8Array(10));
    for (const width of [33, 64, 254, 255, -1])
      expect(named(space.exports.rleIndices(src, 10, width, 5, space.room(4), 1))).toBe("BIT_WIDTH");
  });

  test("a run of 2^31 values fills only what was asked for", () => {
    const out = space.room(400);
    const bytes = Uint8Array.from([...varint(2 ** 32 - 2), 7]);
    expect(space.exports.rleIndices(space.source(bytes), bytes.length, 8, 8, out, 100)).toBe(bytes.length);
    space.checkGuards();
    expect(new Set(space.int32(out, 100))).toEqual(new Set([7]));
    const packed = Uint8Array.from([...varint(2 ** 32 - 1), ...new Uint8Array(100)]);
    expect(space.exports.rleIndices(space.source(packed), packed.length, 8, 8, out, 100)).toBe(packed.length);
    space.checkGuards();
  });
});

describe("rleLevels", () => {
  test.each([0, 1, 2, 3, 5, 7, 8])("width %i", (width) => {
    const random = new Random(100 + width);
    for (let round = 0; round < 120; round++) {
      space.reset();
      const count = random.pick([0, 1, 7, 8, 9, 15, 16, 17, 100, 777]);
      const bytes = random.damage(encodeHybrid(random, width, count));
      const maxLevel = random.pick([2 ** width - 1, 2 ** width - 1, Math.max(0, 2 ** width - 2)]);
      const out = space.room(count);
      const plain = outcome(() => {
        const decoded = decodeHybrid(bytes, width, count);
        if (decoded.values.some((value) => value > maxLevel)) throw new Fault("LEVEL");
        return decoded;
      });
      const answer = named(space.exports.rleLevels(space.source(bytes), bytes.length, width, maxLevel, out, count));
      space.checkGuards();
      if (typeof plain === "string") {
        expect(answer).toBe(plain);
        if (plain === "LEVEL") expect(space.exports.position()).toBeLessThan(count);
        continue;
      }
      expect(answer).toBe(plain.consumed);
      expect(space.bytes(out, count)).toEqual(Uint8Array.from(plain.values));
      expect(space.exports.validCount()).toBe(plain.values.filter((value) => value === maxLevel).length);
    }
  });

  test("widths above 8 are refused", () => {
    expect(named(space.exports.rleLevels(space.source(new Uint8Array(9)), 9, 9, 1, space.room(8), 8))).toBe(
      "BIT_WIDTH",
    );
    expect(named(space.exports.bitPackedLevels(space.source(new Uint8Array(9)), 9, 9, 1, space.room(8), 8))).toBe(
      "BIT_WIDTH",
    );
  });
});

test("rleBits", () => {
  const random = new Random(7);
  for (let round = 0; round < 500; round++) {
    space.reset();
    const count = random.pick([0, 1, 7, 8, 9, 63, 64, 65, 1000]);
    const index = random.below(40);
    const bytes = random.damage(encodeHybrid(random, 1, count));
    const size = (index + count + 7) >> 3;
    const before = random.bytes(size);
    const out = space.put(before);
    const plain = outcome(() =>
      decodeHybrid(bytes, 1, count, (values) => {
        if (values.some((value) => value > 1)) throw new Fault("LEVEL");
      }),
    );
    const answer = named(space.exports.rleBits(space.source(bytes), bytes.length, out, index, count));
    space.checkGuards();
    if (typeof plain === "string") {
      expect(answer).toBe(plain);
      continue;
    }
    expect(answer).toBe(plain.consumed);
    expect(space.exports.validCount()).toBe(plain.values.filter((value) => value === 1).length);
    const after = space.bytes(out, size);
    for (let i = 0; i < index; i++) expect(getBit(after, i)).toBe(getBit(before, i));
    for (let i = 0; i < count; i++) expect(getBit(after, index + i)).toBe(plain.values[i] === 1);
  }
});

test("bitPackedLevels", () => {
  const random = new Random(8);
  for (let round = 0; round < 500; round++) {
    space.reset();
    const width = random.below(9);
    const count = random.pick([0, 1, 7, 8, 9, 100]);
    const needed = Math.ceil((count * width) / 8);
    const bytes = random.bytes(Math.max(0, needed + random.pick([-1, 0, 0, 3])));
    const maxLevel = random.pick([2 ** width - 1, 2 ** width - 1, (2 ** width) >> 1]);
    const values = Array.from({ length: count }, (_, i) => {
      let value = 0;
      for (let k = i * width; k < (i + 1) * width; k++)
        value = value * 2 + (((bytes[k >> 3] ?? 0) >> (7 - (k & 7))) & 1);
      return value;
    });
    const out = space.room(count);
    const answer = named(space.exports.bitPackedLevels(space.source(bytes), bytes.length, width, maxLevel, out, count));
    space.checkGuards();
    if (bytes.length < needed) expect(answer).toBe("TRUNCATED");
    else if (values.some((value) => value > maxLevel)) expect(answer).toBe("LEVEL");
    else {
      expect(answer).toBe(needed);
      expect(space.bytes(out, count)).toEqual(Uint8Array.from(values));
    }
  }
});

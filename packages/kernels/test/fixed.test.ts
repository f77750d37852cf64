import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { countSet, getBit, Random } from "./support/random.ts";
import { named, Space } from "./support/space.ts";

let space: Space;
beforeAll(async () => {
  space = await Space.create();
});
beforeEach(() => space.reset());

const counts = [0, 1, 7, 8, 9, 16, 17, 100, 1000] as const;

test("checkIndices", () => {
  const random = new Random(1);
  for (let round = 0; round < 500; round++) {
    space.reset();
    const count = random.pick(counts);
    const bound = random.pick([1, 5, 300, 2 ** 31, 2 ** 32 - 1]);
    const indices = Uint32Array.from({ length: count }, () => random.below(bound));
    const bad = count > 0 && random.below(2) === 1 ? random.below(count) : -1;
    if (bad >= 0) indices[bad] = random.pick([bound, 2 ** 32 - 1]);
    const answer = named(space.exports.checkIndices(space.put(indices), count, bound));
    expect(answer).toBe(bad < 0 ? 0 : "INDEX");
    if (bad >= 0) expect(space.exports.position()).toBe(bad);
  }
  expect(space.exports.checkIndices(space.room(0), 0, 0)).toBe(0);
});

describe.each([1, 2, 4, 8, 16, 32, 3, 5, 12, 15, 17, 33, 100])("width %i", (width) => {
  const overshoot = width < 16 && ![1, 2, 4, 8].includes(width) ? 16 - width : 0;

  test("gather", () => {
    const random = new Random(width);
    for (const count of counts) {
      space.reset();
      const size = random.pick([1, 2, 100]);
      const dictionary = random.bytes(size * width);
      const indices = Uint32Array.from({ length: count }, () => random.below(size));
      const out = space.room(count * width, overshoot);
      const [idx, dict] = [space.put(indices), space.source(dictionary)];
      const { exports } = space;
      switch (width) {
        case 1:
          exports.gather1(idx, count, dict, out);
          break;
        case 2:
          exports.gather2(idx, count, dict, out);
          break;
        case 4:
          exports.gather4(idx, count, dict, out);
          break;
        case 8:
          exports.gather8(idx, count, dict, out);
          break;
        case 16:
          exports.gather16(idx, count, dict, out);
          break;
        case 32:
          exports.gather32(idx, count, dict, out);
          break;
        default:
          exports.gatherFixed(idx, count, dict, width, out);
      }
      space.checkGuards();
      const expected = new Uint8Array(count * width);
      indices.forEach((k, i) => expected.set(dictionary.subarray(k * width, (k + 1) * width), i * width));
      expect(Buffer.compare(space.bytes(out, count * width), expected)).toBe(0);
    }
  });

  test("spread", () => {
    const random = new Random(1000 + width);
    for (let round = 0; round < 100; round++) {
      space.reset();
      const count = random.pick(counts);
      const index = random.below(20);
      const validity = random.bitmap(index, count);
      const valid = countSet(validity, index, count);
      const dense = random.bytes(valid * width);
      const out = space.room(count * width);
      const [bits, src] = [space.put(validity), space.source(dense)];
      const { exports } = space;
      const spread = (srcCount: number): number => {
        if (width === 1) return exports.spread1(bits, index, count, src, srcCount, out);
        if (width === 2) return exports.spread2(bits, index, count, src, srcCount, out);
        if (width === 4) return exports.spread4(bits, index, count, src, srcCount, out);
        if (width === 8) return exports.spread8(bits, index, count, src, srcCount, out);
        if (width === 16) return exports.spread16(bits, index, count, src, srcCount, out);
        if (width === 32) return exports.spread32(bits, index, count, src, srcCount, out);
        return exports.spreadFixed(bits, index, count, src, srcCount, width, out);
      };
      expect(named(spread(valid + 1))).toBe("COUNT");
      expect(spread(valid)).toBe(valid);
      space.checkGuards();
      const expected = new Uint8Array(count * width);
      let next = 0;
      for (let i = 0; i < count; i++) {
        if (!getBit(validity, index + i)) continue;
        expected.set(dense.subarray(next, next + width), i * width);
        next += width;
      }
      expect(Buffer.compare(space.bytes(out, count * width), expected)).toBe(0);
    }
  });

  test("byteStreamSplit", () => {
    const random = new Random(2000 + width);
    for (const count of counts) {
      space.reset();
      const bytes = random.bytes(count * width);
      const out = space.room(count * width);
      const src = space.source(bytes);
      expect(space.exports.byteStreamSplit(src, bytes.length, width, out, count)).toBe(bytes.length);
      space.checkGuards();
      const expected = bytes.map((_, j) => bytes[(j % width) * count + Math.floor(j / width)] as number);
      expect(Buffer.compare(space.bytes(out, count * width), expected)).toBe(0);
      expect(named(space.exports.byteStreamSplit(src, bytes.length, width, out, count + 1))).toBe("COUNT");
    }
    expect(named(space.exports.byteStreamSplit(space.source(new Uint8Array(8)), 8, width, 0, 2 ** 31 - 1))).toBe(
      "COUNT",
    );
  });
});

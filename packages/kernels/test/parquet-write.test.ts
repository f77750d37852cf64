import { hybridBound } from "@ingest-ts/kernels";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Random } from "./support/random.ts";
import { named, Space } from "./support/space.ts";

let space: Space;
beforeAll(async () => {
  space = await Space.create();
});
beforeEach(() => space.reset());

/** The plain twin of the hybrid encoder, bit by bit. */
function encodeHybrid(values: readonly number[], width: number): number[] {
  const out: number[] = [];
  const varint = (value: number): void => {
    let rest = value;
    for (; rest >= 128; rest >>>= 7) out.push((rest & 127) | 128);
    out.push(rest);
  };
  const run = (from: number): number => {
    let i = from;
    while (i < values.length && values[i] === values[from]) i++;
    return i - from;
  };
  for (let i = 0; i < values.length; ) {
    const equal = run(i);
    if (equal >= 8 || equal === values.length - i) {
      varint(equal * 2);
      for (let bits = 0; bits < width; bits += 8) out.push(((values[i] as number) >>> bits) & 255);
      i += equal;
      continue;
    }
    let end = i + 8;
    while (end < values.length && run(end) < 8) end += 8;
    varint(((end - i) / 8) * 2 + 1);
    const packed = new Uint8Array(((end - i) / 8) * width);
    for (let k = i; k < Math.min(end, values.length); k++) {
      for (let b = 0; b < width; b++) {
        const bit = (k - i) * width + b;
        if (Math.floor((values[k] as number) / 2 ** b) % 2 === 1)
          packed[bit >> 3] = (packed[bit >> 3] as number) | (1 << (bit & 7));
      }
    }
    out.push(...packed);
    i = end;
  }
  return out;
}

function randomValues(random: Random, width: number): number[] {
  const out: number[] = [];
  for (let runs = random.below(30); runs >= 0; runs--) {
    const value = Number(random.bits(random.pick([width, Math.min(width, 1)])));
    for (let k = random.pick([1, 1, 2, 7, 8, 9, 30, 300]); k > 0; k--) out.push(value);
  }
  return out;
}

describe("the hybrid, written", () => {
  test("is that of the twin, for every width, and stays in its room", () => {
    for (let round = 0; round < 400; round++) {
      space.reset();
      const random = new Random(round);
      const width = round % 33;
      const values = randomValues(random, width);
      const expected = Uint8Array.from(encodeHybrid(values, width));
      const bound = hybridBound(values.length, width);
      expect(expected.length).toBeLessThanOrEqual(bound - 8);
      const out = space.room(bound);
      const size = space.exports.encodeIndices(space.put(Uint32Array.from(values)), values.length, width, out);
      expect(space.bytes(out, size)).toEqual(expected);
      if (width <= 8) {
        const levels = space.room(bound);
        expect(space.exports.encodeLevels(space.put(Uint8Array.from(values)), values.length, width, levels)).toBe(size);
        expect(space.bytes(levels, size)).toEqual(expected);
      }
      space.checkGuards();
    }
  });

  test("has no more than its bound when runs and groups take turns", () => {
    for (const width of [0, 1, 2, 8, 32]) {
      space.reset();
      const values = Array.from({ length: 4000 }, (_, i) => (i % 16 < 8 ? 1 : i % 2) % 2 ** width);
      const out = space.room(hybridBound(values.length, width));
      space.exports.encodeIndices(space.put(Uint32Array.from(values)), values.length, width, out);
      space.checkGuards();
    }
  });

  test("levels are counted", () => {
    for (let round = 0; round < 50; round++) {
      space.reset();
      const random = new Random(round);
      const levels = Uint8Array.from({ length: random.below(200) }, () => random.pick([0, 1, 255, random.below(256)]));
      const out = space.room(2048);
      space.exports.countLevels(space.put(levels), levels.length, out);
      const expected = new Int32Array(256);
      for (const level of levels) expected[level] = (expected[level] as number) + 1;
      expect(space.int32(out, 256)).toEqual(expected);
      space.checkGuards();
    }
  });
});

/** Indices in order of first appearance. */
function indicesOf(values: readonly string[]): { indices: number[]; distinct: string[] } {
  const places = new Map<string, number>();
  const indices = values.map((value) => {
    const known = places.get(value);
    if (known !== undefined) return known;
    places.set(value, places.size);
    return places.size - 1;
  });
  return { indices, distinct: [...places.keys()] };
}

describe("dictionaries", () => {
  const LIMIT = 64;
  const SLOTS = 2 * LIMIT;

  test.each([4, 8] as const)("of %d bytes stop when they are full, and go on from a larger table", (width) => {
    for (let round = 0; round < 100; round++) {
      space.reset();
      const random = new Random(round);
      const range = random.pick([2, 60, 64, 200]);
      const values = Array.from({ length: random.below(300) }, () => random.below(range) * 0x01000001);
      const source = space.put(
        width === 4 ? Int32Array.from(values) : BigInt64Array.from(values, (v) => BigInt(v) << 20n),
      );
      const { indices, distinct } = indicesOf(values.map(String));
      const [encode, rehash] =
        width === 4 ? (["dictionary4", "dictionaryRehash4"] as const) : (["dictionary8", "dictionaryRehash8"] as const);
      const slots = space.put(new Uint8Array(4 * SLOTS));
      const table = space.room(width * LIMIT);
      const out = space.room(4 * values.length);
      const taken = space.exports[encode](source, values.length, slots, SLOTS - 1, table, 0, LIMIT, out);
      const first = indices.findIndex((index) => index >= LIMIT);
      expect(taken).toBe(first === -1 ? values.length : first);
      const used = space.exports.validCount();
      expect(used).toBe(Math.min(LIMIT, distinct.length));
      const larger = space.put(new Uint8Array(4 * 1024));
      const room = space.room(width * 512);
      space.kernels.bytes.copyWithin(room, table, table + width * used);
      space.exports[rehash](room, used, larger, 1023);
      const rest = space.exports[encode](
        source + width * taken,
        values.length - taken,
        larger,
        1023,
        room,
        used,
        512,
        out + 4 * taken,
      );
      expect(taken + rest).toBe(values.length);
      expect(space.exports.validCount()).toBe(distinct.length);
      expect([...space.int32(out, values.length)]).toEqual(indices);
      space.checkGuards();
    }
  });

  test("of bytes keep each value once and stop when values or bytes are too many", () => {
    for (let round = 0; round < 200; round++) {
      space.reset();
      const random = new Random(round);
      const alphabet = random.pick([1, 2, 256]);
      const values = Array.from({ length: random.below(120) }, () =>
        Uint8Array.from({ length: random.pick([0, 1, 7, 8, 9, 16, 30]) }, () => random.below(alphabet)),
      );
      const offsets = Int32Array.from([0, ...values.map((value) => value.length)]);
      for (let i = 1; i < offsets.length; i++) offsets[i] = (offsets[i] as number) + (offsets[i - 1] as number);
      const data = Uint8Array.from(values.flatMap((value) => [...value]));
      const capacity = random.pick([0, 20, 4000]);
      const { indices, distinct } = indicesOf(values.map(String));
      const [slots, hashes, places] = [
        space.put(new Uint8Array(4 * SLOTS)),
        space.room(4 * LIMIT),
        space.room(4 * LIMIT + 4),
      ];
      space.kernels.bytes.fill(0, places, places + 4);
      const bytes = space.room(capacity);
      const out = space.room(4 * values.length);
      const starts = space.put(offsets.subarray(0, -1));
      const taken = space.exports.dictionaryBytes(
        ...([space.put(data), data.length, starts, space.put(offsets.subarray(1)), values.length] as const),
        ...([slots, SLOTS - 1, hashes, places, bytes, capacity, 0, LIMIT, out] as const),
      );
      let used = 0;
      let end = 0;
      let expected = 0;
      for (; expected < values.length; expected++) {
        if ((indices[expected] as number) < used) continue;
        const { length } = values[expected] as Uint8Array;
        if (used === LIMIT || end + length > capacity) break;
        end += length;
        used++;
      }
      expect({ taken, used: space.exports.validCount() }).toEqual({ taken: expected, used });
      expect([...space.int32(out, taken)]).toEqual(indices.slice(0, taken));
      const kept = space.int32(places, used + 1);
      expect(
        Array.from({ length: used }, (_, i) =>
          String(space.bytes(bytes + (kept[i] as number), (kept[i + 1] as number) - (kept[i] as number))),
        ),
      ).toEqual(distinct.slice(0, used));
      space.checkGuards();
    }
  });

  test("of bytes find what a table made from hashes holds", () => {
    const data = Uint8Array.from({ length: 200 }, (_, i) => i);
    const starts = Int32Array.from({ length: 50 }, (_, i) => i * 4);
    const ends = starts.map((start) => start + 4);
    const run = (slots: number, mask: number, limit: number, used: number, rest: readonly number[]): number =>
      space.exports.dictionaryBytes(
        source,
        200,
        from,
        to,
        50,
        slots,
        mask,
        hashes,
        places,
        bytes,
        200,
        used,
        limit,
        rest[0] as number,
      );
    const [source, from, to] = [space.put(data), space.put(starts), space.put(ends)];
    const [hashes, places, bytes] = [space.room(400), space.room(404), space.room(200)];
    space.kernels.bytes.fill(0, places, places + 4);
    const out = space.room(200);
    expect(run(space.put(new Uint8Array(512)), 127, 64, 0, [out])).toBe(50);
    const again = space.put(new Uint8Array(1024));
    space.exports.dictionaryRehashBytes(hashes, 50, again, 255);
    expect(run(again, 255, 50, 50, [out])).toBe(50);
    expect([...space.int32(out, 50)]).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test("refuse values outside of the data", () => {
    const one = (start: number, end: number): number | string => {
      space.reset();
      const [slots, hashes, places] = [
        space.put(new Uint8Array(4 * SLOTS)),
        space.room(4 * LIMIT),
        space.put(new Uint8Array(4 * LIMIT + 4)),
      ];
      const bytes = space.room(16);
      const [data, starts, ends] = [
        space.put(new Uint8Array(8)),
        space.put(Int32Array.of(start)),
        space.put(Int32Array.of(end)),
      ];
      const answer = space.exports.dictionaryBytes(
        data,
        8,
        starts,
        ends,
        1,
        slots,
        SLOTS - 1,
        hashes,
        places,
        bytes,
        16,
        0,
        LIMIT,
        space.room(4),
      );
      space.checkGuards();
      return named(answer);
    };
    expect([one(0, 8), one(0, 9), one(5, 4), one(-1, 4), one(8, 8)]).toEqual([1, "LENGTH", "LENGTH", "LENGTH", 1]);
  });
});

describe("byte arrays in PLAIN", () => {
  test("are lengths and bytes, whatever lies between them", () => {
    for (let round = 0; round < 100; round++) {
      space.reset();
      const random = new Random(round);
      const data = random.bytes(200);
      const count = random.below(20);
      const starts = Int32Array.from({ length: count }, () => random.below(100));
      const ends = starts.map((start) => start + random.pick([0, 1, 15, 16, 17, 32, 33, 100]));
      const expected: number[] = [];
      starts.forEach((start, i) => {
        const length = (ends[i] as number) - start;
        expected.push(length, 0, 0, 0, ...data.subarray(start, start + length));
      });
      const out = space.room(expected.length, 28);
      const [source, from, to] = [space.put(data), space.put(starts), space.put(ends)];
      const encode = (capacity: number): number =>
        space.exports.encodePlainStrings(source, 200, from, to, count, out, capacity);
      expect(encode(expected.length)).toBe(expected.length);
      expect([...space.bytes(out, expected.length)]).toEqual(expected);
      space.checkGuards();
      if (count > 0) expect(named(encode(expected.length - 1))).toBe("OUTPUT_FULL");
    }
  });

  test("refuse values outside of the data", () => {
    const [source, out] = [space.put(new Uint8Array(8)), space.room(64, 28)];
    const one = (start: number, end: number): number | string =>
      named(
        space.exports.encodePlainStrings(
          source,
          8,
          space.put(Int32Array.of(start)),
          space.put(Int32Array.of(end)),
          1,
          out,
          64,
        ),
      );
    expect([one(0, 8), one(0, 9), one(5, 4), one(-1, 4)]).toEqual([12, "LENGTH", "LENGTH", "LENGTH"]);
  });
});

import { ORC_BYTE_DONE, ORC_BYTE_STATE_BYTES, ORC_INTEGER_DONE, ORC_INTEGER_STATE_BYTES } from "@ingest-ts/kernels";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RunReader, randomRuns } from "./support/orc.ts";
import { getBit, Random } from "./support/random.ts";
import { Fault, named, outcome, Space } from "./support/space.ts";

let space: Space;
beforeAll(async () => {
  space = await Space.create();
});
beforeEach(() => space.reset());

/** A state block at the start of `bytes`. */
function stateOf(bytes: Uint8Array, sizeBytes: number): number {
  const address = space.source(bytes);
  const state = space.put(new Uint8Array(sizeBytes));
  const view = new DataView(space.exports.memory.buffer);
  view.setUint32(state, address, true);
  view.setUint32(state + 4, address + bytes.length, true);
  return state;
}

describe.each([1, 2] as const)("orcIntegers, version %i", (version) => {
  test.each([0, 1])("signed %i: any runs in any pieces, whole or damaged", (isSigned) => {
    const random = new Random(version * 2 + isSigned);
    let whole = 0;
    for (let round = 0; round < 400; round++) {
      space.reset();
      const clean = randomRuns(random, version, random.below(8));
      const bytes = round % 2 === 0 ? clean : random.damage(clean);
      const reader = new RunReader(bytes);
      const expected: bigint[] = [];
      const fault = outcome(() => {
        while (!reader.isAtEnd)
          expected.push(...(version === 1 ? reader.runV1(isSigned === 1) : reader.runV2(isSigned === 1)));
        throw new Fault("TRUNCATED");
      });
      const state = stateOf(bytes, ORC_INTEGER_STATE_BYTES);
      for (let at = 0; ; ) {
        const count = random.pick([0, 1, 2, 3, 100, 511, 512, 513, 1500]);
        const out = space.room(count * 8);
        const answer = named(space.exports.orcIntegers(state, version, isSigned, out, count));
        space.checkGuards();
        if (at + count > expected.length) {
          expect(answer).toBe(fault);
          break;
        }
        expect(answer).toBe(count);
        expect(space.int64(out, count)).toEqual(BigInt64Array.from(expected.slice(at, at + count)));
        at += count;
        if (count > 0) whole++;
      }
    }
    expect(whole).toBeGreaterThan(300);
  });

  test("random bytes give values or a fault", () => {
    const random = new Random(9);
    for (let round = 0; round < 500; round++) {
      space.reset();
      const state = stateOf(random.bytes(random.below(200)), ORC_INTEGER_STATE_BYTES);
      const count = random.pick([1, 600]);
      const answer = space.exports.orcIntegers(state, version, 1, space.room(count * 8), count);
      space.checkGuards();
      expect(answer === count || answer < 0).toBe(true);
    }
  });
});

function bytesTwin(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const control = bytes[at++] as number;
    if (control < 128) {
      const value = bytes[at++] as number;
      for (let i = 0; i < control + 3; i++) values.push(value);
    } else for (let i = 256 - control; i > 0 && at < bytes.length; i--) values.push(bytes[at++] as number);
  }
  return values;
}

/** Gives a stream to a kernel a few bytes more at a time; answers all values. */
function inPieces(
  random: Random,
  bytes: Uint8Array,
  stateBytes: number,
  doneWord: number,
  total: number,
  next: (state: number, done: number) => number,
): void {
  const state = stateOf(bytes, stateBytes);
  const words = (): Uint32Array => new Uint32Array(space.exports.memory.buffer, state, 8);
  const end = words()[1] as number;
  words()[1] = words()[0] as number;
  for (let done = 0; done < total; ) {
    const answer = named(next(state, done));
    space.checkGuards();
    if (answer !== "TRUNCATED") return expect(answer).toBe(total - done);
    done += words()[doneWord] as number;
    words()[1] = Math.min(end, (words()[1] as number) + random.below(20));
  }
}

test("orcIntegers, orcBytes and orcBooleans go on when more comes", () => {
  const random = new Random(4);
  const { exports } = space;
  for (let round = 0; round < 60; round++) {
    space.reset();
    const version = random.pick([1, 2] as const);
    const runs = randomRuns(random, version, 6);
    const reader = new RunReader(runs);
    const integers: bigint[] = [];
    while (!reader.isAtEnd) integers.push(...(version === 1 ? reader.runV1(true) : reader.runV2(true)));
    const out = space.room(integers.length * 8);
    inPieces(random, runs, ORC_INTEGER_STATE_BYTES, ORC_INTEGER_DONE, integers.length, (state, done) =>
      exports.orcIntegers(state, version, 1, out + done * 8, integers.length - done),
    );
    expect(space.int64(out, integers.length)).toEqual(BigInt64Array.from(integers));

    const bytes = random.bytes(random.below(300));
    const values = bytesTwin(bytes);
    const place = space.room(values.length);
    inPieces(random, bytes, ORC_BYTE_STATE_BYTES, ORC_BYTE_DONE, values.length, (state, done) =>
      exports.orcBytes(state, place + done, values.length - done),
    );
    expect(space.bytes(place, values.length)).toEqual(Uint8Array.from(values));

    const bitmap = space.put(new Uint8Array(values.length));
    inPieces(random, bytes, ORC_BYTE_STATE_BYTES, ORC_BYTE_DONE, values.length * 8, (state, done) =>
      exports.orcBooleans(state, bitmap, done, values.length * 8),
    );
    const reversed = values.map((value) =>
      Number.parseInt(value.toString(2).padStart(8, "0").split("").reverse().join(""), 2),
    );
    expect(space.bytes(bitmap, values.length)).toEqual(Uint8Array.from(reversed));
  }
});

test("orcBytes and orcBooleans, in any pieces", () => {
  const random = new Random(3);
  for (let round = 0; round < 600; round++) {
    space.reset();
    const bytes = random.bytes(random.below(300));
    const values = bytesTwin(bytes);
    const bits = values.flatMap((value) => Array.from({ length: 8 }, (_, k) => ((value >> (7 - k)) & 1) === 1));
    const asBits = round % 2 === 0;
    const total = asBits ? bits.length : values.length;
    const state = stateOf(bytes, ORC_BYTE_STATE_BYTES);
    for (let at = 0; ; ) {
      const count = random.pick([0, 1, 7, 8, 9, 130, 1000]);
      const size = asBits ? (count + 7) >> 3 : count;
      const out = space.put(new Uint8Array(size));
      const { exports } = space;
      const answer = named(asBits ? exports.orcBooleans(state, out, 0, count) : exports.orcBytes(state, out, count));
      space.checkGuards();
      if (at + count > total) {
        expect(answer).toBe("TRUNCATED");
        break;
      }
      expect(answer).toBe(count);
      const got = space.bytes(out, size);
      if (!asBits) expect(got).toEqual(Uint8Array.from(values.slice(at, at + count)));
      else {
        const piece = bits.slice(at, at + count);
        expect(Array.from(piece, (_, i) => getBit(got, i))).toEqual(piece);
        expect(space.exports.validCount()).toBe(piece.filter(Boolean).length);
      }
      at += count;
    }
  }
});

test.each([1, 2, 4])("narrowFrom64 to %i bytes, also in place", (width) => {
  const limit = 1n << BigInt(width * 8 - 1);
  for (const bad of [undefined, limit, -limit - 1n, 1n << 63n, (1n << 63n) - 1n]) {
    space.reset();
    const values = [0n, 1n, -1n, limit - 1n, -limit, ...(bad === undefined ? [] : [BigInt.asIntN(64, bad)]), 5n];
    const src = space.put(BigInt64Array.from(values));
    const out = bad === undefined ? src : space.room(values.length * width);
    const answer = named(space.exports.narrowFrom64(src, values.length, width, out));
    space.checkGuards();
    if (bad !== undefined) {
      expect(answer).toBe("OVERFLOW");
      expect(space.exports.position()).toBe(5);
      continue;
    }
    const got = Buffer.from(space.bytes(out, values.length * width));
    expect(values.map((_, i) => BigInt(got.readIntLE(i * width, width)))).toEqual(values);
  }
});

test("lengthsToOffsets", () => {
  const run = (values: bigint[], base: number): [number | string, Int32Array] => {
    space.reset();
    const out = space.room((values.length + 1) * 4);
    const src = space.put(BigInt64Array.from(values));
    const answer = named(space.exports.lengthsToOffsets(src, values.length, base, out));
    space.checkGuards();
    return [answer, space.int32(out, values.length + 1)];
  };
  expect(run([], 7)).toEqual([7, Int32Array.of(7)]);
  expect(run([3n, 0n, 4n], 10)).toEqual([17, Int32Array.of(10, 13, 13, 17)]);
  expect(run([2n ** 31n - 1n], 0)[0]).toBe(2 ** 31 - 1);
  expect(run([2n ** 31n - 1n], 1)[0]).toBe("OVERFLOW");
  expect(run([2n ** 62n, 2n ** 62n, 2n ** 62n], 0)[0]).toBe("OVERFLOW");
  expect(run([1n, -1n], 0)[0]).toBe("LENGTH");
});

function decimalTwin(raw: bigint, from: bigint, to: bigint): bigint {
  let value = raw;
  if (value === 0n) return value;
  const missing = to - from;
  if (missing > 38n || missing < -38n) throw new Fault("OVERFLOW");
  for (let i = 0n; i < missing; i++) value *= 10n;
  for (let i = 0n; i < -missing; i++, value /= 10n) if (value % 10n !== 0n) throw new Fault("OVERFLOW");
  if (missing !== 0n && (value >= 1n << 127n || value <= -(1n << 127n))) throw new Fault("OVERFLOW");
  return value;
}

test("orcDecimals: 128 bits, rescaled both ways", () => {
  const random = new Random(5);
  const most = (1n << 127n) - 1n;
  for (let round = 0; round < 3000; round++) {
    space.reset();
    const size = random.below(127);
    let value = random.pick([0n, 1n, most, -most, -most - 1n, random.bits(size), -random.bits(size)]);
    const zeros = BigInt(random.below(38));
    if (random.below(3) === 0 && value < 10n ** 18n && value > -(10n ** 18n)) value *= 10n ** (zeros / 2n);
    const [from, to] = [BigInt(random.below(39)), BigInt(random.pick([0, 2, 6, 38]))];
    let rest = BigInt.asUintN(128, (value << 1n) ^ (value >> 127n));
    const bytes: number[] = [];
    for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    bytes.push(Number(rest));
    const expected = outcome(() => decimalTwin(value, from, to));
    const src = space.source(Uint8Array.from([...bytes, 99]));
    const out = space.room(16);
    const scales = space.put(BigInt64Array.of(from));
    const answer = named(space.exports.orcDecimals(src, bytes.length + 1, scales, Number(to), out, 1));
    space.checkGuards();
    if (typeof expected === "string") {
      expect(answer).toBe(expected);
      continue;
    }
    expect(answer).toBe(bytes.length);
    const [low, high] = space.int64(out, 2);
    expect(((high as bigint) << 64n) | BigInt.asUintN(64, low as bigint)).toBe(expected);
    expect(named(space.exports.orcDecimals(src, bytes.length - 1, scales, Number(to), out, 1))).toBe("TRUNCATED");
  }
});

test("a decimal of more than 128 bits is refused", () => {
  for (const last of [4, 127, 128]) {
    const bytes = Uint8Array.from([...new Array<number>(18).fill(255), last, 0]);
    const [scales, out] = [space.put(BigInt64Array.of(0n)), space.room(16)];
    expect(named(space.exports.orcDecimals(space.source(bytes), bytes.length, scales, 0, out, 1))).toBe("OVERFLOW");
  }
});

function timestamp(second: bigint, encoded: bigint, epoch: bigint): number | string | bigint {
  const out = space.room(8);
  const [seconds, nanos] = [space.put(BigInt64Array.of(second)), space.put(BigInt64Array.of(encoded))];
  const answer = named(space.exports.orcTimestamps(seconds, nanos, epoch, 0, out, 1));
  space.checkGuards();
  return answer === 1 ? (space.int64(out, 1)[0] as bigint) : answer;
}

test("orcTimestamps: zeros cut from nanoseconds, times before 1970, the limits of 64 bits", () => {
  const epoch = 1_420_070_400n;
  expect(timestamp(0n, 0n, epoch)).toBe(epoch * 10n ** 9n);
  for (let zeros = 1n; zeros < 8n; zeros++)
    expect(timestamp(1n, (5n << 3n) | zeros, 0n)).toBe(10n ** 9n + 5n * 10n ** (zeros + 1n));
  expect(timestamp(1n, 999_999_999n << 3n, 0n)).toBe(1_999_999_999n);
  expect(timestamp(-1n, 999_999n << 3n, 0n)).toBe(-999_000_001n);
  expect(timestamp(-1n, 1_000_000n << 3n, 0n)).toBe(-1_999_000_000n);
  expect(timestamp(-1n, (-5n << 3n) | 7n, 0n)).toBe(-1_500_000_000n);
  expect(timestamp(9_223_372_035n, 999_999_999n << 3n, 0n)).toBe(9_223_372_035_999_999_999n);
  expect(timestamp(9_223_372_036n, 0n, 0n)).toBe("OVERFLOW");
  expect(timestamp(-9_223_372_037n, 0n, 0n)).toBe("OVERFLOW");
  expect(timestamp(1n << 62n, 0n, 0n)).toBe("OVERFLOW");
  expect(timestamp(0n, 1_000_000_000n << 3n, 0n)).toBe("CORRUPT");
  expect(timestamp(0n, (100n << 3n) | 7n, 0n)).toBe("CORRUPT");
});

test("orcZoneShift: the offset of the last transition that has come", () => {
  const random = new Random(6);
  for (let round = 0; round < 200; round++) {
    space.reset();
    const count = 1 + random.below(20);
    const steps = Array.from({ length: count }, (_, i) => BigInt(i * 1000 + random.below(1000)));
    const offsets = steps.map(() => random.below(100_000) - 50_000);
    const epoch = BigInt(random.below(5000));
    const seconds = Array.from({ length: 300 }, () => BigInt(random.below(30_000) - 8000));
    const at = space.put(BigInt64Array.from(seconds));
    const table = [space.put(BigInt64Array.from(steps)), space.put(Int32Array.from(offsets))] as const;
    // Nothing, a microsecond short of a millisecond, a millisecond.
    const encoded = seconds.map(() => random.pick([0n, 999_999n << 3n, (1n << 3n) | 5n]));
    const nanos = space.put(BigInt64Array.from(encoded));
    expect(space.exports.orcZoneShift(at, nanos, seconds.length, epoch, ...table, count)).toBe(seconds.length);
    space.checkGuards();
    const shifted = seconds.map((second, i) => {
      const instant = second + epoch < 0n && encoded[i] === 13n ? second + epoch - 1n : second + epoch;
      const k = Math.max(
        0,
        steps.findLastIndex((step) => step <= instant),
      );
      return instant + BigInt(offsets[k] as number);
    });
    expect(space.int64(at, seconds.length)).toEqual(BigInt64Array.from(shifted));
  }
  const far = space.put(BigInt64Array.of(0n, 1n << 40n));
  const one = space.put(BigInt64Array.of(0n));
  expect(named(space.exports.orcZoneShift(far, far, 2, 0n, one, space.put(Int32Array.of(0)), 1))).toBe("OVERFLOW");
  expect(space.exports.position()).toBe(1);
});

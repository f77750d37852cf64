import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { decodeDelta, encodeDelta } from "./support/delta.ts";
import { getBit, Random } from "./support/random.ts";
import { Fault, named, outcome, Space } from "./support/space.ts";

let space: Space;
beforeAll(async () => {
  space = await Space.create();
});
beforeEach(() => space.reset());

const counts = [0, 1, 2, 8, 9, 33, 129, 600] as const;

describe.each([32, 64] as const)("DELTA_BINARY_PACKED int%i", (bits) => {
  function run(bytes: Uint8Array, count: number): { answer: number | string; values: bigint[] } {
    const out = space.room((count * bits) / 8);
    const src = space.source(bytes);
    const { exports } = space;
    const name = bits === 32 ? "deltaBinaryPacked32" : "deltaBinaryPacked64";
    const answer = named(exports[name](src, bytes.length, out, count));
    space.checkGuards();
    const values =
      bits === 32 ? Array.from(space.int32(out, count), (value) => BigInt(value)) : Array.from(space.int64(out, count));
    return { answer, values };
  }

  test("whole and damaged streams", () => {
    const random = new Random(bits);
    for (let round = 0; round < 600; round++) {
      space.reset();
      const count = random.pick(counts);
      const wide = random.pick([1, 8, 20, bits - 1, bits]);
      const values = Array.from({ length: count }, () =>
        BigInt.asIntN(bits, random.bits(random.below(8) === 0 ? bits : wide)),
      );
      const whole = encodeDelta(random, values, bits);
      const bytes = random.damage(whole);
      const expected = outcome(() => decodeDelta(bytes, bits, count));
      const { answer, values: got } = run(bytes, count);
      if (typeof expected === "string") {
        expect(answer).toBe(expected);
        continue;
      }
      expect(answer).toBe(expected.consumed);
      expect(got).toEqual(expected.values);
      expect(space.exports.deltaCount(space.source(bytes), bytes.length)).toBe(count);
      if (bytes.length === whole.length && Buffer.compare(bytes, whole) === 0) expect(got).toEqual(values);
    }
  });

  test("every width, one miniblock of 8 values, wraps around", () => {
    for (let width = 0; width <= 66; width++) {
      space.reset();
      const random = new Random(width);
      const header = [8, 1, 9, 1, 1, width];
      const bytes = Uint8Array.from([...header, ...random.bytes(width)]);
      const expected = outcome(() => decodeDelta(bytes, bits, 9));
      const { answer, values } = run(bytes, 9);
      if (typeof expected === "string") expect(answer).toBe(expected);
      else expect(values).toEqual(expected.values);
    }
  });

  test("claims that no stream can keep", () => {
    expect(run(Uint8Array.from([128, 1, 4, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]), 3).answer).toBe("CORRUPT");
    expect(run(Uint8Array.from([128, 1, 4, 4, 0]), 3).answer).toBe("COUNT");
    expect(run(Uint8Array.from([0, 4, 3, 0]), 3).answer).toBe("CORRUPT");
    expect(run(Uint8Array.from([128, 1, 0, 3, 0]), 3).answer).toBe("CORRUPT");
    expect(run(Uint8Array.from([128, 1, 3, 3, 0]), 3).answer).toBe("CORRUPT");
    expect(run(Uint8Array.from([128, 1, 32, 3, 0]), 3).answer).toBe("CORRUPT");
    expect(run(Uint8Array.from([128, 1, 4, 3, 0, 0]), 3).answer).toBe("TRUNCATED");
    expect(run(new Uint8Array(0), 0).answer).toBe("TRUNCATED");
  });
});

/** Big-endian two's complement. */
function bigEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

function littleEndian(value: bigint, width: number): number[] {
  const rest = BigInt.asUintN(width * 8, value);
  return Array.from({ length: width }, (_, k) => Number((rest >> BigInt(8 * k)) & 255n));
}

/** Bytes that are small, negative, or a sign extension of fewer bytes. */
function decimalBytes(random: Random, width: number): Uint8Array {
  const bytes = random.bytes(width);
  const extension = random.below(width + 1);
  if (random.below(2) === 0) bytes.fill(random.pick([0, 255]), 0, extension);
  return bytes;
}

describe.each([16, 32])("decimals of %i bytes", (outWidth) => {
  const fits = (value: bigint): boolean => BigInt.asIntN(outWidth * 8, value) === value;

  test("decimalFixed", () => {
    const random = new Random(outWidth);
    for (let width = 1; width <= 40; width++) {
      for (const count of [0, 1, 5, 50]) {
        space.reset();
        const bytes = Buffer.concat(Array.from({ length: count }, () => decimalBytes(random, width)));
        const values = Array.from({ length: count }, (_, i) => bigEndian(bytes.subarray(i * width, (i + 1) * width)));
        const out = space.room(count * outWidth);
        const answer = named(space.exports.decimalFixed(space.source(bytes), width, out, outWidth, count));
        space.checkGuards();
        const bad = values.findIndex((value) => !fits(value));
        expect(answer).toBe(bad < 0 ? count : "OVERFLOW");
        if (bad >= 0) expect(space.exports.position()).toBe(bad);
        else
          expect(Array.from(space.bytes(out, count * outWidth))).toEqual(
            values.flatMap((value) => littleEndian(value, outWidth)),
          );
      }
    }
    expect(named(space.exports.decimalFixed(0, 0, 0, outWidth, 1))).toBe("LENGTH");
    expect(named(space.exports.decimalFixed(0, 17, 0, 20, 1))).toBe("CORRUPT");
    expect(named(space.exports.decimalFixed(0, 4, 0, 20, 1))).toBe("CORRUPT");
  });

  test("decimalStrings", () => {
    const random = new Random(100 + outWidth);
    for (let round = 0; round < 400; round++) {
      space.reset();
      const count = random.pick([0, 1, 9, 40]);
      const index = random.below(20);
      const validity = random.bitmap(index, count);
      const useValidity = random.below(2) === 1;
      const parts = Array.from({ length: count }, () => decimalBytes(random, random.below(outWidth + 4)));
      if (random.below(3) > 0)
        parts.forEach((part, i) => {
          if (part.length === 0 || part.length > outWidth) parts[i] = Uint8Array.of(i);
        });
      const offsets = [3];
      for (const part of parts) offsets.push((offsets.at(-1) as number) + part.length);
      const expected = outcome(() =>
        parts.flatMap((part, i) => {
          if (useValidity && !getBit(validity, index + i)) return littleEndian(0n, outWidth);
          if (part.length === 0) throw new Fault("LENGTH");
          if (!fits(bigEndian(part))) throw new Fault("OVERFLOW");
          return littleEndian(bigEndian(part), outWidth);
        }),
      );
      const out = space.room(count * outWidth);
      const answer = named(
        space.exports.decimalStrings(
          space.source(Buffer.concat(parts)) - 3,
          space.put(Int32Array.from(offsets)),
          useValidity ? space.put(validity) : 0,
          index,
          count,
          out,
          outWidth,
        ),
      );
      space.checkGuards();
      expect(answer).toBe(typeof expected === "string" ? expected : count);
      if (typeof expected !== "string") expect(Array.from(space.bytes(out, count * outWidth))).toEqual(expected);
    }
  });
});

test("decimalFrom32 and decimalFrom64", () => {
  const random = new Random(3);
  const values = Array.from({ length: 99 }, () => BigInt.asIntN(64, random.bits(random.below(65))));
  const small = values.map((value) => BigInt.asIntN(32, value));
  const out = space.room(99 * 16);
  space.exports.decimalFrom64(space.put(BigInt64Array.from(values)), 99, out);
  expect(Array.from(space.bytes(out, 99 * 16))).toEqual(values.flatMap((value) => littleEndian(value, 16)));
  space.exports.decimalFrom32(space.put(Int32Array.from(small, Number)), 99, out);
  expect(Array.from(space.bytes(out, 99 * 16))).toEqual(small.flatMap((value) => littleEndian(value, 16)));
  space.checkGuards();
});

test.each([
  ["narrowToInt8", Int8Array],
  ["narrowToUint8", Uint8Array],
  ["narrowToInt16", Int16Array],
  ["narrowToUint16", Uint16Array],
] as const)("%s", (name, Narrow) => {
  const width = Narrow.BYTES_PER_ELEMENT;
  const lowest = name.includes("Uint") ? 0 : -(2 ** (8 * width - 1));
  const highest = lowest + 2 ** (8 * width) - 1;
  const values = Int32Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? lowest : i % 3 === 1 ? highest : i - 100));
  const wanted = values.map((value) => Math.min(highest, Math.max(lowest, value)));
  const out = space.room(300 * width);
  expect(space.exports[name](space.put(wanted), 300, out)).toBe(300);
  space.checkGuards();
  const bytes = space.bytes(out, 300 * width);
  expect(Array.from<number>(new Narrow(bytes.buffer as ArrayBuffer))).toEqual(Array.from(wanted));
  for (const bad of [lowest - 1, highest + 1, 2 ** 31 - 1, -(2 ** 31)]) {
    wanted[77] = bad;
    expect(named(space.exports[name](space.put(wanted), 300, out))).toBe("OVERFLOW");
    expect(space.exports.position()).toBe(77);
  }
});

test.each([1n, 1000n, 1_000_000n, 1_000_000_000n])("int96ToTimestamp in units of %i ns", (unit) => {
  const random = new Random(Number(unit % 97n));
  const day = 86_400_000_000_000n;
  for (let round = 0; round < 4000; round++) {
    const nanoseconds = random.pick([
      random.bits(46) % day,
      random.bits(46) % day,
      BigInt.asIntN(64, random.bits(64)),
      2n ** 63n - 1n,
      -(2n ** 63n),
      -1n,
    ]);
    const days = random.pick([
      2_440_588,
      2_440_588 + random.below(60_000),
      2_440_588 - random.below(120_000),
      2_440_588 + 106_751,
      2_440_588 + 106_752,
      2_440_588 - 106_752,
      random.below(2 ** 32) | 0,
      2 ** 31 - 1,
      -(2 ** 31),
    ]);
    const bytes = new Uint8Array(12);
    new DataView(bytes.buffer).setBigInt64(0, nanoseconds, true);
    new DataView(bytes.buffer).setInt32(8, days, true);
    const floor = (a: bigint): bigint => a / unit - (a % unit < 0n ? 1n : 0n);
    const expected = BigInt(days - 2_440_588) * (day / unit) + floor(nanoseconds);
    space.reset();
    const out = space.room(8);
    const answer = named(space.exports.int96ToTimestamp(space.source(bytes), 1, Number(unit), out));
    space.checkGuards();
    // Days more than one out of range are refused even if absurd nanoseconds would bring them back.
    const most = (2n ** 63n - 1n) / (day / unit) + 1n;
    const far = BigInt(Math.abs(days - 2_440_588)) > most;
    if (!far && BigInt.asIntN(64, expected) === expected) {
      expect(answer).toBe(1);
      expect(space.int64(out, 1)[0]).toBe(expected);
    } else expect(answer).toBe("OVERFLOW");
  }
});

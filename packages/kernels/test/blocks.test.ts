import { compress, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { crc32 as zlibCrc32 } from "node:zlib";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { lzoInstructions, lzoTwin } from "./support/lzo.ts";
import { Random } from "./support/random.ts";
import { Fault, named, outcome, Space } from "./support/space.ts";

let space: Space;
beforeAll(async () => {
  await prepareCodecs(["snappy", "lz4Raw"]);
  space = await Space.create();
});
beforeEach(() => space.reset());

const OVERSHOOT = 31;

/** Copies of what was written, shared by the twins. */
function repeat(out: number[], distance: number, length: number, capacity: number): void {
  if (distance === 0 || distance > out.length) throw new Fault("CORRUPT");
  if (length > capacity - out.length) throw new Fault("OUTPUT_FULL");
  for (let k = 0; k < length; k++) out.push(out[out.length - distance] as number);
}

function snappyTwin(bytes: Uint8Array, capacity: number): number[] {
  let at = 0;
  const next = (n: number): number => {
    if (n > bytes.length - at) throw new Fault("TRUNCATED");
    let value = 0;
    for (let k = 0; k < n; k++) value += (bytes[at + k] as number) * 256 ** k;
    at += n;
    return value;
  };
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = next(1);
    if (shift === 28 && byte > 15) throw new Fault("TRUNCATED");
    size += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  if (size > capacity) throw new Fault("OUTPUT_FULL");
  const out: number[] = [];
  while (at < bytes.length) {
    const tag = next(1);
    const high = tag >> 2;
    switch (tag & 3) {
      case 0: {
        const length = (high < 60 ? high : next(high - 59)) + 1;
        if (length === 2 ** 32) throw new Fault("LENGTH");
        if (length > bytes.length - at) throw new Fault("TRUNCATED");
        if (length > size - out.length) throw new Fault("OUTPUT_FULL");
        out.push(...bytes.subarray(at, (at += length)));
        break;
      }
      case 1:
        repeat(out, (tag >> 5) * 256 + next(1), (high & 7) + 4, size);
        break;
      case 2:
        repeat(out, next(2), high + 1, size);
        break;
      default:
        repeat(out, next(4), high + 1, size);
    }
  }
  if (out.length !== size) throw new Fault("TRUNCATED");
  return out;
}

function lz4Twin(bytes: Uint8Array, capacity: number): number[] {
  let at = 0;
  const out: number[] = [];
  const byte = (): number => {
    if (at >= bytes.length) throw new Fault("TRUNCATED");
    return bytes[at++] as number;
  };
  const extended = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15)
      for (;;) {
        const more = byte();
        length += more;
        if (more !== 255) break;
      }
    return length;
  };
  for (;;) {
    const token = byte();
    const length = extended(token >> 4);
    if (length > bytes.length - at) throw new Fault("TRUNCATED");
    if (length > capacity - out.length) throw new Fault("OUTPUT_FULL");
    out.push(...bytes.subarray(at, (at += length)));
    if (at === bytes.length) {
      if ((token & 15) !== 0) throw new Fault("TRUNCATED");
      return out;
    }
    const distance = byte() + byte() * 256;
    // The kernel looks at the distance before it reads the rest of the length.
    if (distance === 0 || distance > out.length) throw new Fault("CORRUPT");
    repeat(out, distance, extended(token & 15) + 4, capacity);
  }
}

/** Data with runs, repeats at every distance, and noise. */
function sample(random: Random): Uint8Array {
  const out: number[] = [];
  for (let parts = random.below(12); parts > 0; parts--) {
    const kind = random.below(3);
    const length = random.pick([1, 4, 15, 16, 17, 70, 300]);
    if (kind === 0 || out.length === 0) out.push(...random.bytes(length));
    else {
      const distance = 1 + random.below(Math.min(out.length, random.pick([1, 3, 9, 20, 3000])));
      for (let k = 0; k < length; k++) out.push(out[out.length - distance] as number);
    }
  }
  return Uint8Array.from(out);
}

/** A hand-made block of random elements, so that kinds our writers never choose are met as well. */
function snappyElements(random: Random): Uint8Array {
  const body: number[] = [];
  let size = 0;
  for (let n = random.below(12); n > 0; n--) {
    const kind = size === 0 ? 0 : random.below(4);
    if (kind === 0) {
      const length = random.pick([1, 5, 16, 17, 33, 60, 61, 64, 65, 200]);
      const width = length > 60 ? random.pick([1, 2, 3, 4]) : random.pick([0, 0, 1, 4]);
      const n = length - 1;
      body.push(width === 0 ? n << 2 : (59 + width) << 2);
      for (let k = 0; k < width; k++) body.push((n >>> (8 * k)) & 255);
      body.push(...random.bytes(length));
      size += length;
    } else {
      const distance = 1 + random.below(Math.min(size, 2047));
      const length = kind === 1 ? 4 + random.below(8) : 1 + random.below(64);
      if (kind === 1) body.push(((distance >> 8) << 5) | ((length - 4) << 2) | 1, distance & 255);
      else body.push(((length - 1) << 2) | kind, distance & 255, distance >> 8, ...(kind === 3 ? [0, 0] : []));
      size += length;
    }
  }
  const header = size < 128 ? [size] : size < 16384 ? [(size & 127) | 128, size >> 7] : [255];
  return Uint8Array.from([...header, ...body]);
}

const kinds = [
  ["snappy", snappyTwin, "snappyDecompress"],
  ["lz4Raw", lz4Twin, "lz4Decompress"],
] as const;

test.each(kinds)("%s: whole and damaged blocks", (codec, twin, name) => {
  const random = new Random(11);
  for (let round = 0; round < 4000; round++) {
    space.reset();
    const packed = codec === "snappy" && round % 2 === 0 ? snappyElements(random) : compress(codec, sample(random));
    const bytes = random.damage(packed);
    const whole = outcome(() => twin(packed, 2 ** 20));
    const size = typeof whole === "string" ? 50 : whole.length;
    const capacity = random.pick([size, size, size + 100, size >> 1]);
    const expected = outcome(() => twin(bytes, capacity));
    const out = space.room(capacity, OVERSHOOT);
    const answer = named(space.exports[name](space.source(bytes), bytes.length, out, capacity));
    space.checkGuards();
    if (typeof expected === "string") expect(answer).toBe(expected);
    else {
      expect(answer).toBe(expected.length);
      expect(Buffer.compare(space.bytes(out, expected.length), Uint8Array.from(expected))).toBe(0);
    }
  }
});

test.each(kinds)("%s: writers stay inside their bound and ask for all of it", (codec, twin) => {
  const random = new Random(12);
  const { exports } = space;
  for (let round = 0; round < 400; round++) {
    space.reset();
    const bytes = round % 4 === 0 ? random.bytes(random.below(3000)) : sample(random);
    const bound =
      Math.floor(codec === "snappy" ? exports.snappyBound(bytes.length) : exports.lz4Bound(bytes.length)) + 1;
    const out = space.room(bound, OVERSHOOT);
    const src = space.source(bytes);
    const write = codec === "snappy" ? "snappyCompress" : "lz4Compress";
    expect(named(exports[write](src, bytes.length, out, bytes.length))).toBe("OUTPUT_FULL");
    const size = exports[write](src, bytes.length, out, bound);
    space.checkGuards();
    expect(twin(space.bytes(out, size), bytes.length)).toEqual(Array.from(bytes));
  }
});

test("lzo: whole and damaged streams of every instruction", () => {
  const random = new Random(14);
  let whole = 0;
  for (let round = 0; round < 3000; round++) {
    space.reset();
    const packed = lzoInstructions(random);
    const size = lzoTwin(packed, 2 ** 20).length;
    const bytes = random.damage(packed);
    const capacity = random.pick([size, size, size + 100, size >> 1]);
    const expected = outcome(() => lzoTwin(bytes, capacity));
    const out = space.room(capacity, OVERSHOOT);
    const answer = named(space.exports.lzoDecompress(space.source(bytes), bytes.length, out, capacity));
    space.checkGuards();
    if (typeof expected === "string") expect(answer).toBe(expected);
    else {
      expect(answer).toBe(expected.length);
      expect(Buffer.compare(space.bytes(out, expected.length), Uint8Array.from(expected))).toBe(0);
      whole++;
    }
  }
  expect(whole).toBeGreaterThan(800);
});

test("lengths of 2^32 are refused", () => {
  const out = space.room(64, OVERSHOOT);
  const snappy = Uint8Array.of(10, 0xfc, 255, 255, 255, 255, 1, 2);
  expect(named(space.exports.snappyDecompress(space.source(snappy), snappy.length, out, 64))).toBe("LENGTH");
  const huge = Uint8Array.of(255, 255, 255, 255, 15);
  expect(space.exports.snappySize(space.source(huge), 5)).toBe(2 ** 32 - 1);
  expect(named(space.exports.snappyDecompress(space.source(huge), 5, out, 64))).toBe("OUTPUT_FULL");
  expect(named(space.exports.lz4Decompress(space.source(huge), 5, out, 2 ** 31))).toBe("OUTPUT_FULL");
  const lz4 = new Uint8Array(100_000).fill(255);
  expect(named(space.exports.lz4Decompress(space.source(lz4), lz4.length, out, 64))).toBe("TRUNCATED");
  expect(named(space.exports.lzoDecompress(space.source(lz4), lz4.length, out, 2 ** 31))).toBe("OUTPUT_FULL");
  const zeros = new Uint8Array(9_000_000);
  expect(named(space.exports.lzoDecompress(space.source(zeros), zeros.length, out, 64))).toBe("TRUNCATED");
  space.checkGuards();
});

test("crc32 is zlib's", () => {
  const random = new Random(13);
  for (let length = 0; length < 100; length++) {
    const bytes = random.bytes(length);
    const previous = random.below(2 ** 32);
    expect(space.exports.crc32(space.source(bytes), length, previous) >>> 0).toBe(zlibCrc32(bytes, previous));
  }
});

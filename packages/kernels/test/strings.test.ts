import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { countSet, getBit, Random } from "./support/random.ts";
import { Fault, named, outcome, Space } from "./support/space.ts";
import { decodeDelta, encodeDelta } from "./support/delta.ts";

let space: Space;
beforeAll(async () => {
  space = await Space.create();
});
beforeEach(() => space.reset());

const STORE_OVERSHOOT = 32;

interface Slots {
  readonly count: number;
  readonly index: number;
  /** null: all valid. */
  readonly validity: Uint8Array | null;
  readonly valid: number;
}

function slots(random: Random): Slots {
  const count = random.pick([0, 1, 2, 9, 50, 300]);
  const index = random.below(20);
  if (random.below(3) === 0) return { count, index, validity: null, valid: count };
  const validity = random.bitmap(index, count);
  return { count, index, validity, valid: countSet(validity, index, count) };
}

function values(random: Random, count: number): Uint8Array[] {
  const most = random.pick([1, 3, 17, 40, 700]);
  return Array.from({ length: count }, () => random.bytes(random.below(most)));
}

interface Laid {
  readonly offsets: number[];
  readonly bytes: Uint8Array;
}

/** Values into slots, from byte `used` on. */
function layOut(dense: readonly Uint8Array[], { count, index, validity }: Slots, used: number, capacity: number): Laid {
  const offsets = [used];
  const parts: Uint8Array[] = [];
  let next = 0;
  let end = used;
  for (let i = 0; i < count; i++) {
    if (validity === null || getBit(validity, index + i)) {
      const value = dense[next++] as Uint8Array;
      end += value.length;
      if (end > capacity) throw new Fault("OUTPUT_FULL");
      parts.push(value);
    }
    offsets.push(end);
  }
  return { offsets, bytes: Buffer.concat(parts) };
}

/** Runs a kernel into guarded rooms and compares with the twin. */
function compare(
  plain: Laid | string,
  { count }: Slots,
  used: number,
  capacity: number,
  run: (bytes: number, offsets: number) => number,
): void {
  const bytes = space.room(capacity, STORE_OVERSHOOT);
  const offsets = space.room((count + 1) * 4);
  const marked = space.bytes(bytes, used);
  const answer = named(run(bytes, offsets));
  space.checkGuards();
  expect(space.bytes(bytes, used)).toEqual(marked);
  if (typeof plain === "string") {
    expect(answer).toBe(plain);
    return;
  }
  expect(answer).toBe(plain.offsets.at(-1));
  expect(Array.from(space.int32(offsets, count + 1))).toEqual(plain.offsets);
  expect(Buffer.compare(space.bytes(bytes + used, plain.bytes.length), plain.bytes)).toBe(0);
}

function sizeOf(dense: readonly Uint8Array[]): number {
  return dense.reduce((sum, value) => sum + value.length, 0);
}

function bitmapAddress(validity: Uint8Array | null): number {
  return validity === null ? 0 : space.put(validity);
}

describe("PLAIN", () => {
  function encode(dense: readonly Uint8Array[]): Uint8Array {
    return Buffer.concat(dense.flatMap((value) => [new Uint8Array(Uint32Array.of(value.length).buffer), value]));
  }

  function decode(bytes: Uint8Array, count: number): Uint8Array[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const dense: Uint8Array[] = [];
    for (let at = 0; dense.length < count; ) {
      if (bytes.length - at < 4) throw new Fault("TRUNCATED");
      const length = view.getUint32(at, true);
      if (length > bytes.length - at - 4) throw new Fault("LENGTH");
      dense.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return dense;
  }

  test("plainStrings", () => {
    const random = new Random(1);
    for (let round = 0; round < 600; round++) {
      space.reset();
      const wanted = slots(random);
      const dense = values(random, wanted.valid);
      const bytes = random.damage(encode(dense));
      const used = random.pick([0, 33]);
      const capacity = used + random.pick([sizeOf(dense), sizeOf(dense), sizeOf(dense) + 100, sizeOf(dense) >> 1]);
      // The kernel stops at the first fault in order of values, whatever it is.
      const plain = outcome(() => {
        const view: Uint8Array[] = [];
        let end = used;
        for (let n = 1; n <= wanted.valid; n++) {
          view.push(decode(bytes, n).at(-1) as Uint8Array);
          end += (view.at(-1) as Uint8Array).length;
          if (end > capacity) throw new Fault("OUTPUT_FULL");
        }
        return layOut(view, wanted, used, capacity);
      });
      const validity = bitmapAddress(wanted.validity);
      const src = space.source(bytes);
      compare(plain, wanted, used, capacity, (out, offsets) =>
        space.exports.plainStrings(
          src,
          bytes.length,
          wanted.valid,
          validity,
          wanted.index,
          wanted.count,
          out,
          used,
          capacity,
          offsets,
        ),
      );
    }
  });

  test("plainStringTable, gatheredBytes and gatherStrings", () => {
    const random = new Random(2);
    for (let round = 0; round < 600; round++) {
      space.reset();
      const entries = values(random, random.pick([1, 2, 30]));
      const page = random.damage(encode(entries));
      const table = space.room(entries.length * 8);
      const src = space.source(page);
      const dictionary = outcome(() => decode(page, entries.length));
      const longest = named(space.exports.plainStringTable(src, page.length, entries.length, table));
      space.checkGuards();
      if (typeof dictionary === "string") {
        expect(longest).toBe(dictionary);
        continue;
      }
      expect(longest).toBe(Math.max(...dictionary.map((value) => value.length)));
      const wanted = slots(random);
      const indices = Uint32Array.from({ length: wanted.valid }, () => random.below(entries.length));
      const dense = Array.from(indices, (k) => dictionary[k] as Uint8Array);
      const used = random.pick([0, 33]);
      const capacity = used + random.pick([sizeOf(dense), sizeOf(dense), sizeOf(dense) >> 1]);
      const idx = space.put(indices);
      expect(space.exports.gatheredBytes(idx, wanted.valid, table)).toBe(sizeOf(dense));
      const plain = outcome(() => layOut(dense, wanted, used, capacity));
      const validity = bitmapAddress(wanted.validity);
      compare(plain, wanted, used, capacity, (out, offsets) =>
        space.exports.gatherStrings(
          idx,
          wanted.valid,
          table,
          validity,
          wanted.index,
          wanted.count,
          out,
          used,
          capacity,
          offsets,
        ),
      );
    }
  });

  test("slots that do not fit the values, and capacities past 2 GiB, are refused", () => {
    const bits = space.put(Uint8Array.of(0b0101));
    const src = space.source(encode([new Uint8Array(3), new Uint8Array(3)]));
    const { exports } = space;
    expect(named(exports.plainStrings(src, 14, 1, bits, 0, 4, 0, 0, 10, 0))).toBe("COUNT");
    expect(named(exports.plainStrings(src, 14, 2, 0, 0, 4, 0, 0, 10, 0))).toBe("COUNT");
    expect(named(exports.gatherStrings(src, 1, src, bits, 0, 4, 0, 0, 10, 0))).toBe("COUNT");
    expect(named(exports.plainStrings(src, 14, 2, bits, 0, 4, 0, 0, 2 ** 31, 0))).toBe("OVERFLOW");
    expect(named(exports.gatherStrings(src, 2, src, bits, 0, 4, 0, 0, 2 ** 31, 0))).toBe("OVERFLOW");
  });
});

describe("DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY", () => {
  function lengthsOf(bytes: Uint8Array, count: number): { lengths: number[]; consumed: number } {
    const { values: decoded, consumed } = decodeDelta(bytes, 32, count);
    const lengths = decoded.map(Number);
    if (lengths.some((length) => length < 0)) throw new Fault("LENGTH");
    const sum = lengths.reduce((a, b) => a + b, 0);
    if (sum > 2 ** 31 - 1) throw new Fault(lengths.some((length) => length < 0) ? "LENGTH" : "OVERFLOW");
    if (sum > bytes.length - consumed) throw new Fault("TRUNCATED");
    return { lengths, consumed };
  }

  function split(bytes: Uint8Array, at: number, lengths: readonly number[]): Uint8Array[] {
    return lengths.map((length) => bytes.subarray(at, (at += length)));
  }

  test("deltaLengthStrings", () => {
    const random = new Random(3);
    for (let round = 0; round < 600; round++) {
      space.reset();
      const wanted = slots(random);
      const dense = values(random, wanted.valid);
      const encoded = Buffer.concat([
        encodeDelta(
          random,
          dense.map((value) => BigInt(value.length)),
          32,
        ),
        ...dense,
      ]);
      const bytes = random.damage(encoded);
      const used = random.pick([0, 33]);
      const capacity = used + random.pick([sizeOf(dense), sizeOf(dense), bytes.length, sizeOf(dense) >> 1]);
      const plain = outcome(() => {
        const { lengths, consumed } = lengthsOf(bytes, wanted.valid);
        if (lengths.reduce((a, b) => a + b, 0) > capacity - used) throw new Fault("OUTPUT_FULL");
        return layOut(split(bytes, consumed, lengths), wanted, used, capacity);
      });
      const validity = bitmapAddress(wanted.validity);
      const scratch = space.room(wanted.valid * 4);
      const src = space.source(bytes);
      compare(plain, wanted, used, capacity, (out, offsets) =>
        space.exports.deltaLengthStrings(
          src,
          bytes.length,
          wanted.valid,
          scratch,
          validity,
          wanted.index,
          wanted.count,
          out,
          used,
          capacity,
          offsets,
        ),
      );
    }
  });

  test("deltaByteArrayLengths and deltaByteArrayValues", () => {
    const random = new Random(4);
    for (let round = 0; round < 800; round++) {
      space.reset();
      const wanted = slots(random);
      const dense: Uint8Array[] = [];
      const prefixes: bigint[] = [];
      const suffixes: Uint8Array[] = [];
      for (let i = 0; i < wanted.valid; i++) {
        const previous = dense.at(-1) ?? new Uint8Array(0);
        const prefix = random.below(Math.min(previous.length, 400) + 1);
        const suffix = random.bytes(random.below(random.pick([1, 4, 30])));
        prefixes.push(BigInt(prefix));
        suffixes.push(suffix);
        dense.push(Buffer.concat([previous.subarray(0, prefix), suffix]));
      }
      const encoded = Buffer.concat([
        encodeDelta(random, prefixes, 32),
        encodeDelta(
          random,
          suffixes.map((suffix) => BigInt(suffix.length)),
          32,
        ),
        ...suffixes,
      ]);
      const bytes = random.damage(encoded);
      const decoded = outcome(() => {
        const first = decodeDelta(bytes, 32, wanted.valid);
        const rest = bytes.subarray(first.consumed);
        const { lengths, consumed } = lengthsOf(rest, wanted.valid);
        const out: Uint8Array[] = [];
        let at = consumed;
        lengths.forEach((length, i) => {
          const previous = out.at(-1) ?? new Uint8Array(0);
          const prefix = Number(first.values[i]) >>> 0;
          if (prefix > previous.length) throw new Fault("LENGTH");
          out.push(Buffer.concat([previous.subarray(0, prefix), rest.subarray(at, at + length)]));
          at += length;
        });
        return out;
      });
      const scratch = space.room(wanted.valid * 8);
      const src = space.source(bytes);
      const size = named(space.exports.deltaByteArrayLengths(src, bytes.length, wanted.valid, scratch));
      space.checkGuards();
      if (typeof decoded === "string") {
        expect(size).toBe(decoded);
        continue;
      }
      expect(size).toBe(sizeOf(decoded));
      const start = space.exports.position();
      const used = random.pick([0, 33]);
      const capacity = used + random.pick([sizeOf(decoded), sizeOf(decoded), sizeOf(decoded) >> 1]);
      const plain = outcome(() => layOut(decoded, wanted, used, capacity));
      const validity = bitmapAddress(wanted.validity);
      compare(plain, wanted, used, capacity, (out, offsets) =>
        space.exports.deltaByteArrayValues(
          src,
          bytes.length,
          start,
          wanted.valid,
          scratch,
          validity,
          wanted.index,
          wanted.count,
          out,
          used,
          capacity,
          offsets,
        ),
      );
    }
  });
});

test("spreadOffsets, addToOffsets and checkUniform", () => {
  const random = new Random(5);
  for (let round = 0; round < 300; round++) {
    space.reset();
    const wanted = slots(random);
    const dense = values(random, wanted.valid);
    const plain = layOut(dense, { ...wanted, count: wanted.valid, validity: null }, 0, 2 ** 30).offsets;
    const base = random.below(1000);
    const src = space.put(Int32Array.from(plain));
    const out = space.room((wanted.count + 1) * 4);
    const validity = bitmapAddress(wanted.validity);
    const { exports } = space;
    expect(named(exports.spreadOffsets(validity, wanted.index, wanted.count, src, wanted.valid + 1, base, out))).toBe(
      "COUNT",
    );
    exports.spreadOffsets(validity, wanted.index, wanted.count, src, wanted.valid, base, out);
    space.checkGuards();
    expect(Array.from(space.int32(out, wanted.count + 1))).toEqual(layOut(dense, wanted, base, 2 ** 30).offsets);

    const moved = space.room(plain.length * 4);
    exports.addToOffsets(src, plain.length, -7, moved);
    space.checkGuards();
    expect(Array.from(space.int32(moved, plain.length))).toEqual(plain.map((offset) => offset - 7));

    const width = dense[0]?.length ?? 0;
    const odd = dense.findIndex((value) => value.length !== width);
    expect(named(exports.checkUniform(src, wanted.valid, width))).toBe(odd < 0 ? 0 : "LENGTH");
    if (odd >= 0) expect(exports.position()).toBe(odd);
  }
});

describe("validateUtf8", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  function isValid(bytes: Uint8Array): boolean {
    try {
      strict.decode(bytes);
      return true;
    } catch {
      return false;
    }
  }

  function validate(parts: readonly Uint8Array[]): number | string {
    space.reset();
    const bytes = Buffer.concat(parts);
    const offsets = [5];
    for (const part of parts) offsets.push((offsets.at(-1) as number) + part.length);
    const address = space.put(Int32Array.from(offsets));
    return named(space.exports.validateUtf8(space.source(bytes) - 5, address, parts.length));
  }

  test("agrees with TextDecoder on every value", () => {
    const random = new Random(6);
    const pool = Array.from("a~ éßЖ漢字😀\u{10ffff}\u0800\uffff\ud7ff\ue000", (c) => new TextEncoder().encode(c));
    for (let round = 0; round < 3000; round++) {
      const parts = Array.from({ length: random.below(12) }, () => {
        const length = random.pick([0, 1, 3, 20, 100]);
        const ascii = random.below(3) > 0;
        const text = Array.from({ length }, () =>
          ascii && random.below(30) > 0 ? Uint8Array.of(97) : random.pick(pool),
        );
        return Uint8Array.from(Buffer.concat(text));
      });
      const victim = parts.length > 0 ? random.pick(parts) : undefined;
      if (random.below(2) === 1 && victim !== undefined && victim.length > 0)
        victim[random.below(victim.length)] = random.pick([
          0x80, 0xbf, 0xc0, 0xc1, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0xff, 97,
        ]);
      const answer = validate(parts);
      expect(answer).toBe(parts.every(isValid) ? 0 : "UTF8");
      const whole = Buffer.concat(parts);
      if (answer !== 0 && !isValid(whole)) expect(isValid(whole.subarray(0, space.exports.position() - 5))).toBe(true);
    }
  });

  test("agrees on every sequence of two bytes, and of four at the borders", () => {
    for (let a = 0; a < 256; a++)
      for (let b = 0; b < 256; b += a < 0x80 ? 51 : 1) {
        const bytes = Uint8Array.of(a, b);
        if (validate([bytes]) !== (isValid(bytes) ? 0 : "UTF8")) expect.fail(`${a} ${b}`);
      }
    const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe1, 0xff];
    for (const a of [0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5])
      for (const b of edges)
        for (const c of edges)
          for (const d of edges) {
            const bytes = Uint8Array.of(97, a, b, c, d);
            if (validate([bytes]) !== (isValid(bytes) ? 0 : "UTF8")) expect.fail(`${a} ${b} ${c} ${d}`);
          }
  });

  test("a character cut by a value's border is a fault", () => {
    const bytes = new TextEncoder().encode("aé漢");
    for (let cut = 0; cut <= bytes.length; cut++) {
      const parts = [bytes.slice(0, cut), bytes.slice(cut)];
      expect(validate(parts)).toBe(parts.every(isValid) ? 0 : "UTF8");
    }
  });
});

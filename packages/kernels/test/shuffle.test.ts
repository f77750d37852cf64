import { acquireKernels, type Kernels, loadKernels } from "@ingest-ts/kernels";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";

let kernels: Kernels;

beforeAll(async () => {
  await loadKernels();
  kernels = acquireKernels();
});

/** Places bytes in blocks of the arena and gives them back afterwards. */
function withBlocks<T>(parts: readonly Uint8Array[], body: (...addresses: number[]) => T): T {
  const addresses = parts.map((part) => kernels.arena.allocate(part.length));
  parts.forEach((part, i) => kernels.bytes.set(part, addresses[i] as number));
  try {
    return body(...addresses);
  } finally {
    for (const address of addresses) kernels.arena.release(address);
  }
}

function bytesOf(values: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

function read(address: number, sizeBytes: number): Uint8Array {
  return kernels.bytes.slice(address, address + sizeBytes);
}

function bit(bits: Uint8Array, i: number): number {
  return ((bits[i >> 3] as number) >> (i & 7)) & 1;
}

const bits = fc.uint8Array({ minLength: 1, maxLength: 40 });

test("gatherBits picks bits", () => {
  fc.assert(
    fc.property(bits, fc.array(fc.nat(), { maxLength: 200 }), (source, picks) => {
      const indices = picks.map((pick) => pick % (source.length * 8));
      const expected = new Uint8Array((indices.length + 7) >> 3);
      indices.forEach((index, i) => {
        expected[i >> 3] = (expected[i >> 3] as number) | (bit(source, index) << (i & 7));
      });
      withBlocks([bytesOf(indices), source, expected], (at, from, out) => {
        const ones = kernels.exports.gatherBits(at as number, indices.length, from as number, out as number);
        expect(read(out as number, expected.length)).toEqual(expected);
        expect(ones).toBe(indices.reduce((sum, index) => sum + bit(source, index), 0));
      });
    }),
  );
});

test("weaveBits sets every stride-th bit and leaves the others", () => {
  fc.assert(
    fc.property(
      bits,
      fc.nat(50),
      fc.nat(20),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      (source, from, at, stride, all) => {
        const count = Math.max(0, Math.min(source.length * 8 - from, 60));
        const expected = new Uint8Array((at + count * stride + 7) >> 3);
        for (let i = 0; i < count; i++) {
          const to = at + i * stride;
          expected[to >> 3] = (expected[to >> 3] as number) | ((all ? 1 : bit(source, from + i)) << (to & 7));
        }
        withBlocks([source, new Uint8Array(expected.length)], (src, out) => {
          kernels.exports.weaveBits(all ? 0 : (src as number), from, count, out as number, at, stride);
          expect(read(out as number, expected.length)).toEqual(expected);
        });
      },
    ),
  );
});

test("weaveRuns puts values of any width at their places", () => {
  const run = fc.record({ width: fc.constantFrom(1, 2, 3, 4, 8, 12, 16, 32, 40), count: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 5 }), (runs, stride) => {
      const sources = runs.map(({ width, count }, r) =>
        Uint8Array.from({ length: width * count }, (_, i) => (i * 7 + r * 31 + 1) & 255),
      );
      const outs = runs.map(({ width, count }) => new Uint8Array(width * count * stride).fill(0xee));
      withBlocks([...sources, ...outs, new Uint8Array(runs.length * 16)], (...addresses) => {
        const table = addresses.at(-1) as number;
        const words = runs.flatMap(({ width, count }, r) => [
          addresses[r] as number,
          count,
          width,
          addresses[runs.length + r] as number,
        ]);
        kernels.bytes.set(bytesOf(words), table);
        kernels.exports.weaveRuns(table, runs.length, stride);
        runs.forEach(({ width, count }, r) => {
          const expected = (outs[r] as Uint8Array).slice();
          for (let i = 0; i < count; i++) {
            expected.set((sources[r] as Uint8Array).subarray(i * width, (i + 1) * width), i * stride * width);
          }
          expect(read(addresses[runs.length + r] as number, expected.length)).toEqual(expected);
        });
      });
    }),
  );
});

test("weaveStrings and concatStrings join strings of several lanes", () => {
  const strings = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(strings, strings, fc.nat(1_000), (left, right, shift) => {
      const count = Math.min(left.length, right.length);
      const woven = Array.from({ length: 2 * count }, (_, k) => (k % 2 === 0 ? left : right)[k >> 1] as Uint8Array);
      const total = woven.reduce((sum, value) => sum + value.length, 0);
      const lanes = [left, right].map((values) => {
        const own = values.slice(0, count);
        const offsets = [shift];
        for (const value of own) offsets.push((offsets.at(-1) as number) + value.length);
        return { offsets, bytes: Uint8Array.from(own.flatMap((value) => [...value])) };
      });
      const blocks = lanes.flatMap(({ offsets, bytes }) => [bytesOf(offsets), bytes]);
      const sizes = [new Uint8Array(count * 16), new Uint8Array(total), new Uint8Array((2 * count + 1) * 4)];
      withBlocks([...blocks, ...sizes], (...at) => {
        const [table, out, offsets] = at.slice(4) as [number, number, number];
        lanes.forEach(({ bytes }, l) => {
          const [own, data] = [at[2 * l] as number, at[2 * l + 1] as number];
          expect(kernels.exports.weaveStrings(own, count, data, bytes.length, table + l * 8, 2)).toBe(0);
        });
        expect(kernels.exports.concatStrings(table, 2 * count, out, total, offsets)).toBe(total);
        expect([...read(out, total)]).toEqual(woven.flatMap((value) => [...value]));
        let end = 0;
        const ends = [0, ...woven.map((value) => (end += value.length))];
        expect(read(offsets, ends.length * 4)).toEqual(bytesOf(ends));
        if (total > 0) expect(kernels.exports.concatStrings(table, 2 * count, out, total - 1, offsets)).toBeLessThan(0);
      });
    }),
  );
});

test("offsets that go back or past the bytes are refused", () => {
  for (const offsets of [
    [0, 5, 3],
    [0, 2, 11],
    [4, 3, 6],
  ]) {
    withBlocks([bytesOf(offsets), new Uint8Array(10), new Uint8Array(16)], (own, bytes, table) => {
      expect(kernels.exports.weaveStrings(own as number, 2, bytes as number, 10, table as number, 1)).toBeLessThan(0);
    });
  }
});

import { loadKernels } from "@ingest-ts/kernels";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ByteBuffer } from "../../src/columns/byte-buffer.ts";
import { createDictionary, type ValueDictionary } from "../../src/columns/dictionary.ts";
import { appendPlain } from "../../src/parquet/plain.ts";
import { dictionaryWillPay } from "../../src/columns/dictionary-choice.ts";
import { plainBytes, type Values } from "../../src/columns/values.ts";
import { WorkMemory } from "../../src/columns/work-memory.ts";

let memory: WorkMemory;
beforeAll(async () => {
  await loadKernels();
  memory = new WorkMemory();
});

function words(numbers: readonly bigint[], perValue: 1 | 2): Values {
  const array = BigInt64Array.from(numbers);
  const narrow = Int32Array.from(numbers, (number) => Number(BigInt.asIntN(32, number)));
  return {
    form: "words",
    count: numbers.length,
    perValue,
    words: perValue === 1 ? narrow : new Int32Array(array.buffer),
  };
}

function varying(items: readonly Uint8Array[]): Values {
  const offsets = new Int32Array(items.length + 1);
  items.forEach((item, i) => {
    offsets[i + 1] = (offsets[i] as number) + item.length;
  });
  const bytes = Uint8Array.from(Buffer.concat(items));
  return { form: "varying", count: items.length, bytes, starts: offsets.subarray(0, -1), ends: offsets.subarray(1) };
}

function plainOf(values: Values): Uint8Array {
  const out = new ByteBuffer(1);
  appendPlain(values, out, memory);
  expect(out.length).toBe(plainBytes(values));
  return out.view().slice();
}

/** Indices lead back to the values, distinct values are distinct and in order of appearance. */
function check(dictionary: ValueDictionary, batches: readonly Values[]): void {
  const indices = new Int32Array(batches.reduce((total, batch) => total + batch.count, 0));
  let at = 0;
  for (const batch of batches) {
    const before = at;
    dictionary.encode(batch, indices, at);
    at += batch.count;
    expect(plainOf(dictionary.gather(indices.subarray(before, at)))).toEqual(plainOf(batch));
  }
  const first: number[] = [];
  for (const index of indices) if (!first.includes(index)) first.push(index);
  expect(first).toEqual(Array.from({ length: dictionary.count }, (_, i) => i));
  expect(plainOf(dictionary.values()).length).toBe(dictionary.sizeBytes);
  dictionary.release();
}

describe("the dictionary of a chunk", () => {
  const numbers = fc.array(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 30 }));
  const few = fc.array(fc.array(fc.constantFrom(0n, 1n, -1n, 2n ** 32n, 2n ** 40n + 1n), { maxLength: 60 }));

  it("gives back words of either width", () => {
    fc.assert(
      fc.property(fc.oneof(numbers, few), (batches) => {
        check(
          createDictionary(memory, "word", 0),
          batches.map((batch) => words(batch, 1)),
        );
        check(
          createDictionary(memory, "doubleWord", 0),
          batches.map((batch) => words(batch, 2)),
        );
      }),
    );
  });

  it("gives back bytes of any length", () => {
    const item = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(new Uint8Array(0), new Uint8Array(3)));
    fc.assert(
      fc.property(fc.array(fc.array(item, { maxLength: 30 })), (batches) => {
        check(createDictionary(memory, "bytes", 0), batches.map(varying));
      }),
    );
  });

  it("gives back bytes of one width", () => {
    const item = fc.uint8Array({ minLength: 3, maxLength: 3, max: 2 });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 60 }), (items) => {
        const bytes = Uint8Array.from(Buffer.concat(items));
        check(createDictionary(memory, "bytes", 3), [{ form: "fixed", count: items.length, width: 3, bytes }]);
      }),
    );
  });

  it("grows past its first table", () => {
    const many = Array.from({ length: 40_000 }, (_, i) => BigInt(i % 20_011) * 0x1_0000_0001n);
    const dictionary = createDictionary(memory, "doubleWord", 0);
    const indices = new Int32Array(many.length);
    dictionary.encode(words(many, 2), indices, 0);
    expect(dictionary.count).toBe(20_011);
    expect(Buffer.compare(plainOf(dictionary.gather(indices)), plainOf(words(many, 2)))).toBe(0);
  });

  it("keeps apart values with equal bits only", () => {
    const zeros = new Int32Array(Float64Array.of(0, -0, NaN, 0).buffer);
    const dictionary = createDictionary(memory, "doubleWord", 0);
    const indices = new Int32Array(4);
    dictionary.encode({ form: "words", count: 4, perValue: 2, words: zeros }, indices, 0);
    expect([...indices]).toEqual([0, 1, 2, 0]);
  });
});

describe("the choice of a dictionary", () => {
  const MiB = 2 ** 20;
  const draw = (distinct: number, values: number): number => Math.round(distinct * (1 - Math.exp(-values / distinct)));

  it.each([
    ["a few values", 1000, 8, true],
    ["what just fits", 120_000, 8, true],
    ["long values that do not all fit, but come again and again", 100_000, 12, true],
    ["numbers of which few come again", 10_000_000, 8, false],
    ["floats that fit at first", 1_000_000, 4, false],
  ])("pays for %s: %d distinct of %d bytes: %s", (_, distinct, valueBytes, pays) => {
    expect(dictionaryWillPay({ values: 16_384, distinct: draw(distinct, 16_384), valueBytes }, MiB)).toBe(pays);
  });

  it("does not pay when every value is another", () => {
    expect(dictionaryWillPay({ values: 16_384, distinct: 16_384, valueBytes: 8 }, MiB)).toBe(false);
  });
});

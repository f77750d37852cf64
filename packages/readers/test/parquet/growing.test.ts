import { getBit } from "@ingest-ts/core";
import { Dice } from "@ingest-ts/core/testing";
import { expect, test } from "vitest";
import { ChunkBytes } from "../../src/parquet/chunk-bytes.ts";
import { GrowingBits, GrowingBytes, GrowingOffsets, GrowingValidity } from "../../src/parquet/growing.ts";

function bitsOf(bits: Uint8Array | null, length: number): boolean[] {
  return Array.from({ length }, (_, i) => bits === null || getBit(bits, i));
}

/** Packs `values` from bit `bit` on, as kernels do. */
function pack(values: readonly boolean[], bit: number): Uint8Array {
  const out = new Uint8Array((bit + values.length + 7) >> 3);
  values.forEach((value, i) => {
    if (value) out[(bit + i) >> 3] = (out[(bit + i) >> 3] as number) | (1 << ((bit + i) & 7));
  });
  return out;
}

test("growing buffers give back what was appended, in any pieces", () => {
  for (let seed = 0; seed < 200; seed++) {
    const dice = new Dice(seed);
    const bytes = new GrowingBytes();
    const bits = new GrowingBits();
    const validity = new GrowingValidity();
    const offsets = new GrowingOffsets();
    const model: { byte: number; bit: boolean; valid: boolean; size: number }[] = [];
    for (let step = 0; step < 20; step++) {
      const added = Array.from({ length: dice.below(40) }, () => ({
        byte: dice.below(256),
        bit: dice.chance(0.5),
        valid: dice.chance(seed % 2 === 0 ? 0.7 : 1),
        size: dice.below(5),
      }));
      bytes.append(
        Uint8Array.from(added, (each) => each.byte),
        dice.below(100),
      );
      bits.append(
        pack(
          added.map((each) => each.bit),
          bits.bit,
        ),
        added.length,
      );
      const valid = added.filter((each) => each.valid).length;
      validity.append(
        pack(
          added.map((each) => each.valid),
          validity.bit,
        ),
        added.length,
        valid,
      );
      let end = offsets.end;
      const starts = Int32Array.from(added, (each) => {
        const start = end;
        end += each.size;
        return start;
      });
      offsets.append(new Uint8Array(starts.buffer), end);
      model.push(...added);
      if (dice.chance(0.6)) continue;
      const count = dice.chance(0.3) ? model.length : dice.below(model.length + 1);
      const taken = model.splice(0, count);
      expect(Array.from(bytes.take(count))).toEqual(taken.map((each) => each.byte));
      expect(bitsOf(bits.take(count), count)).toEqual(taken.map((each) => each.bit));
      const nulls = taken.filter((each) => !each.valid).length;
      const took = validity.take(count);
      expect(took.nullCount).toBe(nulls);
      expect(took.validity === null).toBe(nulls === 0);
      expect(bitsOf(took.validity, count)).toEqual(taken.map((each) => each.valid));
      const got = offsets.take(count);
      expect(got).toHaveLength(count + 1);
      expect(Array.from(got.subarray(1), (end, i) => end - (got[i] as number))).toEqual(taken.map((each) => each.size));
      expect(offsets.length).toBe(model.length);
    }
  }
});

test("what was taken is never written again", () => {
  const bytes = new GrowingBytes();
  bytes.append(Uint8Array.of(1, 2, 3), 1000);
  const taken = bytes.take(2);
  bytes.append(Uint8Array.of(9, 9, 9, 9));
  expect(Array.from(taken)).toEqual([1, 2]);
  expect(Array.from(bytes.take(5))).toEqual([3, 9, 9, 9, 9]);
});

test("a chunk is read through pieces of any size", () => {
  const file = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);
  for (let seed = 0; seed < 100; seed++) {
    const dice = new Dice(seed);
    const chunk = new ChunkBytes(100, 900, dice.pick([1, 7, 100, Number.POSITIVE_INFINITY]));
    let at = 100;
    while (at < 900) {
      const size = Math.min(900 - at, dice.below(50) + 1);
      let view = chunk.view(at, size);
      while (view === undefined) {
        expect(chunk.wanted.length).toBeGreaterThan(0);
        chunk.give(chunk.wanted.map((span) => file.slice(span.start, span.end)));
        view = chunk.view(at, size);
      }
      expect(Array.from(view.subarray(0, size))).toEqual(Array.from(file.subarray(at, at + size)));
      at += size;
      chunk.release(at);
    }
    expect(() => chunk.view(890, 11)).toThrow("ends at 900");
  }
});

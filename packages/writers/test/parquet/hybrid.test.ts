import { loadKernels } from "@ingest-ts/kernels";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ByteBuffer } from "../../src/columns/byte-buffer.ts";
import { bitWidthOf, encodeHybrid } from "../../src/parquet/hybrid.ts";
import { LevelBuffer } from "../../src/parquet/level-buffer.ts";
import { WorkMemory } from "../../src/columns/work-memory.ts";

let memory: WorkMemory;
beforeAll(async () => {
  await loadKernels();
  memory = new WorkMemory();
});

/** Encodings.md read literally, bit by bit. */
function decode(bytes: Uint8Array, width: number, count: number): number[] {
  const out: number[] = [];
  let at = 0;
  const byte = (): number => {
    const value = bytes[at++];
    if (value === undefined) throw new Error("past the end");
    return value;
  };
  while (out.length < count) {
    let header = 0;
    for (let shift = 0, next = 0x80; next >= 0x80; shift += 7) {
      next = byte();
      header += (next & 0x7f) * 2 ** shift;
    }
    if (header % 2 === 0) {
      let value = 0;
      for (let k = 0; k < Math.ceil(width / 8); k++) value += byte() * 2 ** (8 * k);
      for (let k = 0; k < header / 2; k++) out.push(value);
      continue;
    }
    const values = ((header - 1) / 2) * 8;
    const from = at;
    at += (values * width) / 8;
    if (at > bytes.length) throw new Error("past the end");
    for (let k = 0; k < values; k++) {
      let value = 0;
      for (let b = 0; b < width; b++) {
        const bit = k * width + b;
        if ((((bytes[from + (bit >> 3)] as number) >> (bit & 7)) & 1) === 1) value += 2 ** b;
      }
      out.push(value);
    }
  }
  expect(at).toBe(bytes.length);
  return out.slice(0, count);
}

function encode(values: readonly number[], width: number): Uint8Array {
  const out = new ByteBuffer(1);
  encodeHybrid(Int32Array.from(values), width, out, memory);
  return out.view().slice();
}

describe("the RLE / bit-packed hybrid", () => {
  it("decodes to what was encoded, for any width and any mixture of runs", () => {
    const runs = fc.array(fc.tuple(fc.nat(), fc.constantFrom(1, 1, 2, 7, 8, 9, 40, 1000)), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 32 }), runs, (width, pairs) => {
        const values = pairs.flatMap(([value, count]) => Array<number>(count).fill(value % 2 ** width));
        expect(decode(encode(values, width), width, values.length)).toEqual(values);
      }),
    );
  });

  it("keeps the highest bit of 32", () => {
    const values = [0xffffffff, 0, 0x80000000, 1, 2, 3, 4, 5, 6];
    expect(decode(encode(values, 32), 32, values.length)).toEqual(values);
  });

  it("packs the specification's example", () => {
    // Encodings.md: the numbers 0 to 7 with width 3 are 0x88 0xC6 0xFA.
    expect([...encode([0, 1, 2, 3, 4, 5, 6, 7], 3)]).toEqual([3, 0x88, 0xc6, 0xfa]);
  });

  it("makes one run of equal values", () => {
    expect([...encode(Array<number>(1000).fill(5), 3)]).toEqual([0xd0, 0x0f, 5]);
  });

  it("knows how many bits a number needs", () => {
    expect([0, 1, 2, 3, 4, 255, 256].map(bitWidthOf)).toEqual([0, 1, 2, 2, 3, 8, 9]);
  });
});

describe("levels of a page", () => {
  it("decode to what was appended, in pieces of one level or many", () => {
    const pieces = fc.array(
      fc.oneof(
        fc.record({ level: fc.nat(5), count: fc.nat(20) }),
        fc.array(fc.nat(5), { maxLength: 40 }).map((levels) => ({ levels })),
      ),
    );
    fc.assert(
      fc.property(pieces, (chosen) => {
        const buffer = new LevelBuffer(5, memory);
        const all: number[] = [];
        for (const piece of chosen) {
          const levels = "levels" in piece ? piece.levels : Array<number>(piece.count).fill(piece.level);
          buffer.append("levels" in piece ? Uint8Array.from(levels) : piece.level, levels.length);
          all.push(...levels);
        }
        const out = new ByteBuffer();
        buffer.encode(out);
        expect(decode(out.view(), 3, all.length)).toEqual(all);
        const histogram = Array<number>(6).fill(0);
        buffer.count(histogram);
        expect(histogram).toEqual([0, 1, 2, 3, 4, 5].map((level) => all.filter((other) => other === level).length));
      }),
    );
  });

  it("forget a page's levels when cleared", () => {
    const buffer = new LevelBuffer(1, memory);
    buffer.append(Uint8Array.of(0, 1), 2);
    buffer.clear();
    buffer.append(1, 3);
    const out = new ByteBuffer();
    buffer.encode(out);
    expect([...out.view()]).toEqual([6, 1]);
  });
});

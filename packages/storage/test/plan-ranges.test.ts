import fc from "fast-check";
import { expect, it } from "vitest";
import { planReads } from "../src/index.ts";

const spans = fc.array(
  fc.tuple(fc.nat(10_000), fc.nat(500)).map(([start, length]) => ({ start, end: start + length })),
  { maxLength: 30 },
);

it("covers every range once, in order, with gaps no wider than allowed", () => {
  fc.assert(
    fc.property(spans, fc.nat(300), fc.integer({ min: 1, max: 3000 }), (wanted, holeBytes, mergedBytes) => {
      const reads = planReads(wanted, { holeBytes, mergedBytes });
      const placed = reads.flatMap((read) => read.wanted);
      expect(placed.length).toBe(new Set(placed).size);
      wanted.forEach((span, i) => expect(placed.includes(i)).toBe(span.end > span.start));
      let end = -1;
      for (const read of reads) {
        expect(read.start).toBeGreaterThanOrEqual(end);
        end = read.end;
        let covered = read.start;
        for (const i of read.wanted) {
          const span = wanted[i] as { start: number; end: number };
          expect(span.start).toBeGreaterThanOrEqual(read.start);
          expect(span.end).toBeLessThanOrEqual(read.end);
          expect(span.start - covered).toBeLessThanOrEqual(holeBytes);
          covered = Math.max(covered, span.end);
        }
        expect(covered).toBe(read.end);
      }
    }),
  );
});

it("joins up to the bound, and reads a longer range as it is", () => {
  const options = { holeBytes: 10, mergedBytes: 100 };
  const reads = planReads(
    [
      { start: 0, end: 50 },
      { start: 55, end: 90 },
      { start: 95, end: 120 },
      { start: 200, end: 900 },
    ],
    options,
  );
  expect(reads.map(({ start, end }) => [start, end])).toEqual([
    [0, 90],
    [95, 120],
    [200, 900],
  ]);
});

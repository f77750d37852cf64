import { readFileSync } from "node:fs";
import {
  checkWorldSize,
  defaultLanes,
  laneSpan,
  positionsOfRank,
  SegmentOrder,
  worldSizesFor,
} from "@ingest-ts/sharder";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { manifestOf, orderByPosition, rankRowNumbers } from "./simulate.ts";

interface Golden {
  readonly name: string;
  readonly segments: number[][];
  readonly seed: number;
  readonly epoch: number;
  readonly lanes: number;
  readonly windowRows: number;
  readonly order: number[];
}

const golden = JSON.parse(readFileSync(new URL("golden-order.json", import.meta.url), "utf8")) as Golden[];

describe("golden: orderVersion 1 never changes", () => {
  test.each(golden.map((item) => [item.name, item] as const))("%s", (_, item) => {
    expect(orderByPosition(manifestOf(item.segments), item.epoch, item)).toEqual(item.order);
  });
});

const anyOrder = fc.record({
  segments: fc.array(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 6 }), { minLength: 1, maxLength: 4 }),
  seed: fc.maxSafeNat(),
  epoch: fc.integer({ min: 0, max: 5 }),
  lanes: fc.integer({ min: 1, max: 24 }),
  windowRows: fc.integer({ min: 0, max: 50 }),
});

test("every row has one position, for any fragments, lanes, windows and seed", () => {
  fc.assert(
    fc.property(anyOrder, ({ segments, epoch, ...options }) => {
      const manifest = manifestOf(segments);
      const order = orderByPosition(manifest, epoch, options);
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: manifest.rows }, (_, i) => i));
    }),
    { numRuns: 300 },
  );
});

test("the ranks' rows are the positions dealt in turn, for every world size, from any position", () => {
  fc.assert(
    fc.property(anyOrder, fc.nat(), ({ segments, epoch, ...options }, somewhere) => {
      const manifest = manifestOf(segments);
      const order = orderByPosition(manifest, epoch, options);
      const from = somewhere % (manifest.rows + 1);
      for (const worldSize of worldSizesFor(options.lanes)) {
        for (let rank = 0; rank < worldSize; rank++) {
          const expected = order.filter((_, g) => g >= from && g % worldSize === rank);
          expect(rankRowNumbers(manifest, epoch, from, options, { rank, worldSize })).toEqual(expected);
          expect(positionsOfRank(from, manifest.rows, rank, worldSize)).toBe(expected.length);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test("fragments are read ΣF + S·(C − 1) times at most", () => {
  fc.assert(
    fc.property(anyOrder, ({ segments, epoch, ...options }) => {
      const manifest = manifestOf(segments);
      let reads = 0;
      manifest.segments.forEach((_, index) => {
        const order = new SegmentOrder(manifest, index, epoch, options);
        for (let lane = 0; lane < options.lanes; lane++) {
          const rows = order.laneRows(lane);
          if (rows > 0) reads += order.fragmentSpans(lane, 0, rows).length;
        }
      });
      const fragments = manifest.segments.reduce((sum, segment) => sum + segment.fragments.length, 0);
      expect(reads).toBeLessThanOrEqual(fragments + manifest.segments.length * (options.lanes - 1));
    }),
  );
});

test("positions of data far beyond 2^32 rows stay exact", () => {
  const rows = 2 ** 50;
  const manifest = manifestOf([[rows / 2, rows / 2]]);
  const order = new SegmentOrder(manifest, 0, 0, { seed: 1, lanes: 24, windowRows: 16_384 });
  expect(laneSpan(rows, 24, 23).to).toBe(rows);
  const { row } = order.rowAt(rows - 1);
  expect(Number.isSafeInteger(row) && row >= 0 && row < rows / 2).toBe(true);
});

test("default lanes: the smallest usual number that the ranks share", () => {
  expect([1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 96, 5, 7, 128].map(defaultLanes)).toEqual([
    8, 8, 24, 8, 24, 8, 24, 48, 96, 192, 96, 40, 56, 1024,
  ]);
});

test("a world that cannot share the lanes is told the next good sizes", () => {
  expect(() => checkWorldSize(8, 3)).toThrow(/3 ranks cannot share 8 lanes.*Use 2 or 4 ranks.*lanes: 9 /s);
  expect(() => checkWorldSize(8, 16)).toThrow(/Use 8 ranks.*lanes: 16 /s);
  expect(() => checkWorldSize(24, 12)).not.toThrow();
});

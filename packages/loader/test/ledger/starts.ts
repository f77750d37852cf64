import fc from "fast-check";

/** One start of a run: its ranks, and when all of them are killed. */
export interface Start {
  readonly worldSize: number;
  readonly batchSize: number;
  /** Steps of every rank before it is killed; Infinity: to the end. */
  readonly steps: number;
  /** The checkpoint is taken so many steps before the kill. */
  readonly back: number;
}

/** Any start that is killed. */
export const anyStart: fc.Arbitrary<Start> = fc.record({
  worldSize: fc.constantFrom(1, 2, 4),
  batchSize: fc.integer({ min: 1, max: 20 }),
  steps: fc.integer({ min: 1, max: 8 }),
  back: fc.integer({ min: 0, max: 3 }),
});

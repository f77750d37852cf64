import { OptionsError } from "@ingest-ts/core";

/** Rows that are shuffled together unless the caller says otherwise. */
export const DEFAULT_WINDOW_ROWS = 16_384;

/** More lanes than this would be more open fragments than any machine wants. */
const MAX_LANES = 65_536;
/** A permutation is an Int32Array. */
const MAX_WINDOW_ROWS = 2 ** 31 - 1;

const usualLanes = [8, 24, 48, 96, 192];

/** The smallest of 8, 24, 48, 96, 192 that `worldSize` divides, else 8 · worldSize. */
export function defaultLanes(worldSize: number): number {
  return usualLanes.find((lanes) => lanes % worldSize === 0) ?? 8 * worldSize;
}

function divisors(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1).filter((i) => n % i === 0);
}

/** World sizes that can read an order of so many lanes. */
export function worldSizesFor(lanes: number): number[] {
  return divisors(lanes);
}

/** @throws OptionsError naming the value when lanes or windowRows are out of range. */
export function checkLanes(lanes: number, windowRows: number): void {
  if (!Number.isSafeInteger(lanes) || lanes < 1 || lanes > MAX_LANES) {
    throw new OptionsError(`shuffle.lanes ${lanes} is not a whole number in [1, ${MAX_LANES}]`);
  }
  if (!Number.isSafeInteger(windowRows) || windowRows < 0 || windowRows > MAX_WINDOW_ROWS) {
    throw new OptionsError(`shuffle.windowRows ${windowRows} is not a whole number in [1, ${MAX_WINDOW_ROWS}]`);
  }
}

/** @throws OptionsError naming the next good values when `worldSize` ranks cannot share `lanes` lanes. */
export function checkWorldSize(lanes: number, worldSize: number): void {
  if (lanes % worldSize === 0) return;
  const sizes = worldSizesFor(lanes);
  const below = sizes.findLast((size) => size < worldSize);
  const above = sizes.find((size) => size > worldSize);
  const next = [below, above].filter((size) => size !== undefined).join(" or ");
  const more = Math.ceil(lanes / worldSize) * worldSize;
  throw new OptionsError(
    `${worldSize} ranks cannot share ${lanes} lanes: the number of ranks must divide that of lanes`,
    {
      remedy: `Use ${next} ranks, or start a new run with lanes: ${more} (a state keeps its lanes).`,
    },
  );
}

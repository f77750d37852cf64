import type { Manifest, Segment } from "./manifest.ts";

/** Positions p ≡ rank (mod worldSize) in [0, end): how many. */
function countBelow(end: number, rank: number, worldSize: number): number {
  return end <= rank ? 0 : Math.floor((end - rank - 1) / worldSize) + 1;
}

/** How many positions of [from, to) rank `rank` takes (rule 5). */
export function positionsOfRank(from: number, to: number, rank: number, worldSize: number): number {
  return countBelow(to, rank, worldSize) - countBelow(from, rank, worldSize);
}

/**
 * One rank's rows of one segment. Its k-th row is local row ⌊k / lanes.length⌋ of lane lanes[k mod lanes.length]; k runs
 * over [first, end), where `first` is not 0 when the run starts inside the segment.
 */
export interface RankSpan {
  /** Index of the segment. */
  readonly segment: number;
  readonly lanes: readonly number[];
  readonly first: number;
  readonly end: number;
}

function spanOf(
  segment: Segment,
  index: number,
  from: number,
  lanes: number,
  rank: number,
  worldSize: number,
): RankSpan {
  const { start, rows } = segment;
  // Positions are dealt to ranks over the whole epoch, lanes are counted from the segment's start.
  const firstLane = (((rank - start) % worldSize) + worldSize) % worldSize;
  const own: number[] = [];
  for (let lane = firstLane; lane < lanes; lane += worldSize) own.push(lane);
  return {
    segment: index,
    lanes: own,
    first: positionsOfRank(start, Math.max(start, from), rank, worldSize),
    end: positionsOfRank(start, start + rows, rank, worldSize),
  };
}

/** What rank `rank` of `worldSize` reads of an epoch from position `from` on, in order. `worldSize` divides `lanes`. */
export function rankSpans(
  manifest: Manifest,
  from: number,
  lanes: number,
  world: { readonly rank: number; readonly worldSize: number },
): RankSpan[] {
  const spans: RankSpan[] = [];
  manifest.segments.forEach((segment, index) => {
    if (segment.start + segment.rows <= from) return;
    const span = spanOf(segment, index, from, lanes, world.rank, world.worldSize);
    if (span.first < span.end) spans.push(span);
  });
  return spans;
}

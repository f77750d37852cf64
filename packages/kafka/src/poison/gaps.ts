import type { Gap, GapCause } from "../records/gap.ts";

/** `gaps` with one for each of `offsets` (rising), neighbours of one cause joined. */
export function withGaps(gaps: readonly Gap[], cause: GapCause, offsets: readonly number[]): readonly Gap[] {
  if (offsets.length === 0) return gaps;
  const single = offsets.map((start): Gap => ({ cause, start, end: start + 1 }));
  const all = [...gaps, ...single].sort((a, b) => a.start - b.start);
  const joined: Gap[] = [];
  for (const gap of all) {
    const last = joined.at(-1);
    if (last?.cause === gap.cause && last.end === gap.start) joined[joined.length - 1] = { ...last, end: gap.end };
    else joined.push(gap);
  }
  return joined;
}

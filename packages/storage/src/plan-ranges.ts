import type { ByteRange, ByteSpan } from "@ingest-ts/core";

export interface PlanOptions {
  /** Ranges with at most so many unwanted bytes between them are read as one … */
  readonly holeBytes: number;
  /** … unless that would become longer than this. A single longer range is read as it is. */
  readonly mergedBytes: number;
}

/** One request for bytes [start, end), and which of the wanted ranges (by index) lie in it. */
export interface PlannedRead extends ByteSpan {
  readonly wanted: readonly number[];
}

/** Absolute bounds of `range` in an object of `sizeBytes`; a suffix longer than the object is the whole object. */
export function absoluteRange(range: ByteRange, sizeBytes: number): ByteSpan {
  if ("suffixBytes" in range) return { start: Math.max(0, sizeBytes - range.suffixBytes), end: sizeBytes };
  return range;
}

/** Whether `range` is a range at all: whole, ordered, not negative. */
export function isRange(range: ByteRange): boolean {
  if ("suffixBytes" in range) return Number.isSafeInteger(range.suffixBytes) && range.suffixBytes >= 0;
  const { start, end } = range;
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end;
}

/** Few reads that cover all of `spans`, in order of their start. Empty spans are in no read. */
export function planReads(spans: readonly ByteSpan[], options: PlanOptions): PlannedRead[] {
  const order = spans
    .map((_, i) => i)
    .filter((i) => (spans[i] as ByteSpan).end > (spans[i] as ByteSpan).start)
    .sort((a, b) => (spans[a] as ByteSpan).start - (spans[b] as ByteSpan).start);
  const reads: { start: number; end: number; wanted: number[] }[] = [];
  for (const i of order) {
    const span = spans[i] as ByteSpan;
    const last = reads.at(-1);
    if (last !== undefined) {
      const end = Math.max(last.end, span.end);
      // An overlapping range always joins, so that no byte is fetched twice.
      if (
        span.start < last.end ||
        (span.start - last.end <= options.holeBytes && end - last.start <= options.mergedBytes)
      ) {
        last.end = end;
        last.wanted.push(i);
        continue;
      }
    }
    reads.push({ start: span.start, end: span.end, wanted: [i] });
  }
  return reads;
}

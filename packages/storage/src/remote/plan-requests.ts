import type { ByteSpan } from "@ingest-ts/core";

export interface RequestPlanOptions {
  /** Gaps of at most so many unwanted bytes are fetched along, to save a request … */
  readonly holeBytes: number;
  /** … the smallest first, while all that is fetched is at most so many times what is wanted. */
  readonly amplification: number;
  /** Longer reads are split into equal parts. */
  readonly partBytes: number;
}

/** Bytes [start, end) that go into one buffer, the requests that fetch them, and which wanted spans lie in them. */
export interface PlannedBuffer extends ByteSpan {
  readonly parts: readonly ByteSpan[];
  readonly wanted: readonly number[];
}

/** A request costs about as much as so many bytes: for them gaps are fetched however little is wanted. */
const FREE_BYTES = 16 * 1024;

interface Run {
  start: number;
  end: number;
  readonly wanted: number[];
}

/** Few requests for all of `spans`, in order of their start. No byte is in two of them; empty spans are in none. */
export function planRequests(spans: readonly ByteSpan[], options: RequestPlanOptions): PlannedBuffer[] {
  const runs = joinOverlaps(spans);
  const closed = chooseGaps(runs, options);
  const out: PlannedBuffer[] = [];
  let open: Run | undefined;
  runs.forEach((run, i) => {
    if (open !== undefined && closed.has(i)) {
      open.end = run.end;
      open.wanted.push(...run.wanted);
      return;
    }
    if (open !== undefined) out.push(buffer(open, options.partBytes));
    open = { ...run, wanted: [...run.wanted] };
  });
  if (open !== undefined) out.push(buffer(open, options.partBytes));
  return out;
}

/** Spans that overlap as one run; those that only touch stay apart until gaps are chosen. */
function joinOverlaps(spans: readonly ByteSpan[]): Run[] {
  const order = spans
    .map((span, i) => ({ start: span.start, end: span.end, i }))
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const runs: Run[] = [];
  for (const { start, end, i } of order) {
    const last = runs.at(-1);
    if (last !== undefined && start < last.end) {
      last.end = Math.max(last.end, end);
      last.wanted.push(i);
    } else runs.push({ start, end, wanted: [i] });
  }
  return runs;
}

/** Runs (by index) that join the one before them: the smallest gaps first, as long as the budget lasts. */
function chooseGaps(runs: readonly Run[], { holeBytes, amplification, partBytes }: RequestPlanOptions): Set<number> {
  const wantedBytes = runs.reduce((sum, { start, end }) => sum + end - start, 0);
  let budget = Math.max(FREE_BYTES, Math.floor(wantedBytes * (amplification - 1)));
  const gaps = runs
    .map((run, i) => ({ i, bytes: i === 0 ? Infinity : run.start - (runs[i - 1] as Run).end }))
    .filter(({ bytes }) => bytes <= holeBytes)
    .sort((a, b) => a.bytes - b.bytes || a.i - b.i);
  const closed = new Set<number>();
  for (const { i, bytes } of gaps) {
    if (bytes > budget) break;
    // Two halves that are long by themselves gain nothing from each other, except one buffer that both keep alive.
    if (lengthOf(runs[i - 1] as Run) >= partBytes && lengthOf(runs[i] as Run) >= partBytes) continue;
    budget -= bytes;
    closed.add(i);
  }
  return closed;
}

function lengthOf({ start, end }: Run): number {
  return end - start;
}

/** Parts of equal length (the first ones a byte longer), none over `partBytes`. */
function buffer({ start, end, wanted }: Run, partBytes: number): PlannedBuffer {
  const count = Math.max(1, Math.ceil((end - start) / partBytes));
  const parts = Array.from({ length: count }, (_, i) => ({
    start: start + Math.floor(((end - start) * i) / count),
    end: start + Math.floor(((end - start) * (i + 1)) / count),
  }));
  return { start, end, parts, wanted };
}

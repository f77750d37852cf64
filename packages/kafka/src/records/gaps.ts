import type { Gap, GapCause } from "./gap.ts";

/** Collects gaps within [start, end), joining neighbours of one cause. */
export class Gaps {
  #found: Gap[] = [];
  readonly #start: number;
  readonly #end: number;

  constructor(start: number, end: number) {
    this.#start = start;
    this.#end = end;
  }

  /** Offsets of `cause` from `from`, before `to`. */
  add(cause: GapCause, from: number, to: number): void {
    const start = Math.max(from, this.#start);
    const end = Math.min(to, this.#end);
    if (start >= end) return;
    const last = this.#found.at(-1);
    if (last?.cause === cause && last.end === start) {
      this.#found[this.#found.length - 1] = { cause, start: last.start, end };
    } else this.#found.push({ cause, start, end });
  }

  /** What was added since the last call. */
  take(): readonly Gap[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }
}

const KEPT_SAMPLES = 128;
/** Fewer say nothing of the slowest in twenty. */
const LEAST_SAMPLES = 16;
/** Second requests saved up, at most. */
const MOST_SAVED = 8;

/** Decides when a second request may be sent because the first byte of the first is late, and how many there may be. */
export class HedgePolicy {
  readonly #samples: number[] = [];
  #at = 0;
  #saved = 1;

  /** A request is sent; `share` of them may be sent twice. */
  sent(share: number): void {
    this.#saved = Math.min(MOST_SAVED, this.#saved + share);
  }

  /** A first byte came after `ms`. */
  answered(ms: number): void {
    this.#samples[this.#at] = ms;
    this.#at = (this.#at + 1) % KEPT_SAMPLES;
  }

  /** When a first byte is late: slower than 95 of 100, and than `leastMs`. */
  lateMs(leastMs: number): number {
    if (this.#samples.length < LEAST_SAMPLES) return leastMs;
    const sorted = this.#samples.toSorted((a, b) => a - b);
    return Math.max(leastMs, sorted[Math.floor(sorted.length * 0.95)] as number);
  }

  /** Whether one more second request may be sent; counts it. */
  take(): boolean {
    if (this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }
}

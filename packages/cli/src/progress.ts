/** What a long command knows of its own progress. */
export interface ProgressState {
  /** What is being done, for example "parquet snappy: full read". */
  readonly label: string;
  readonly rows?: number | undefined;
  readonly bytes?: number | undefined;
  /** Since the label's work began; rates are of it. */
  readonly elapsedMs?: number | undefined;
  /** Of the whole command. */
  readonly etaMs?: number | undefined;
}

/** The part of a stream that progress needs. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** stderr: stdout is for data only. */
  readonly stream: ProgressStream;
  readonly quiet?: boolean | undefined;
  readonly now?: (() => number) | undefined;
}

const REDRAW_MS = 100;
const PLAIN_LINE_MS = 10_000;

/**
 * Progress for people: one line redrawn at most ten times a second on a terminal; elsewhere a plain line when the label
 * changes and every ten seconds; nothing when quiet.
 */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #quiet: boolean;
  readonly #now: () => number;
  #shown = false;
  #lastMs = Number.NEGATIVE_INFINITY;
  #lastLabel = "";

  constructor(options: ProgressOptions) {
    this.#stream = options.stream;
    this.#quiet = options.quiet ?? false;
    this.#now = options.now ?? (() => performance.now());
  }

  get #live(): boolean {
    return this.#stream.isTTY === true && process.env["TERM"] !== "dumb";
  }

  update(state: ProgressState): void {
    if (this.#quiet) return;
    const now = this.#now();
    const changed = state.label !== this.#lastLabel;
    if (now - this.#lastMs < (this.#live ? REDRAW_MS : PLAIN_LINE_MS) && !(changed && !this.#live)) return;
    this.#lastMs = now;
    this.#lastLabel = state.label;
    const text = progressText(state);
    if (!this.#live) {
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#stream.write(`\r\x1b[2K${text.slice(0, Math.max(20, (this.#stream.columns ?? 80) - 1))}`);
    this.#shown = true;
  }

  /** A line that stays, above the live one. */
  line(text: string): void {
    if (this.#quiet) return;
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  /** Takes the live line away: before other output, and at the end. */
  clear(): void {
    if (!this.#shown) return;
    this.#stream.write("\r\x1b[2K");
    this.#shown = false;
    this.#lastMs = Number.NEGATIVE_INFINITY;
  }
}

/** For example `parquet snappy: full read · 1,310,720 rows · 412 MB/s · 38 s left`. */
function progressText(state: ProgressState): string {
  const parts = [state.label];
  if (state.rows !== undefined) parts.push(`${state.rows.toLocaleString("en-US")} rows`);
  if (state.bytes !== undefined && state.elapsedMs !== undefined && state.elapsedMs > 0) {
    parts.push(`${Math.round(state.bytes / 1000 / state.elapsedMs).toLocaleString("en-US")} MB/s`);
  }
  if (state.etaMs !== undefined) parts.push(`${Math.max(1, Math.round(state.etaMs / 1000))} s left`);
  return parts.join(" · ");
}

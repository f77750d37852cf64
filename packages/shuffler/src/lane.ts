import { type Columns, sliceRows } from "@ingest-ts/core";
import type { ShuffleMemory } from "./memory.ts";
import { permuteWindow, plainWindow, type Window } from "./window.ts";

/** The rows of one lane in order, from the row it was opened at: slabs of any size. */
export interface LaneRows {
  next(): Promise<Columns | undefined>;
  close(): Promise<void>;
}

/** How a lane is shuffled (rule 3 of the order). */
export interface WindowPlan {
  /** Local rows [from, to) of the window that holds `row`. */
  windowAt(row: number): { readonly from: number; readonly to: number };
  /** Place i of the window that starts at `from` holds its row `result[i]`. */
  permutation(from: number): Int32Array;
}

export interface LaneOptions {
  readonly rows: LaneRows;
  /** Local row that `rows` begins with: the start of a window when there is a plan. */
  readonly from: number;
  /** Absent: slabs are handed on as they come. */
  readonly plan?: WindowPlan | undefined;
  readonly memory: ShuffleMemory;
}

/** Local rows [from, to) of a lane, in the order they are delivered. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  readonly window: Window;
}

/** One lane: hands out its windows in order, one loaded ahead when told to. */
export class Lane {
  readonly #options: LaneOptions;
  /** Rows that were read but belong to the next window. */
  #rest: Columns | undefined;
  #row: number;
  #ahead: Promise<Piece> | undefined;
  #current: Piece | undefined;
  #closed = false;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#row = options.from;
  }

  /** Where the loaded rows end. */
  get loadedTo(): number {
    return this.#current?.to ?? this.#options.from;
  }

  /** Starts to load the next window, unless that is under way. */
  prefetch(): void {
    if (this.#ahead !== undefined) return;
    this.#ahead = this.#load();
    // Whoever takes the piece hears of a failure; until then it must not count as unhandled.
    this.#ahead.catch(() => {});
  }

  /**
   * The pieces that hold local rows [from, to), in order; `from` never goes back. Pieces that end inside the range are the
   * caller's to release, the last one stays with the lane.
   */
  async pieces(from: number, to: number): Promise<Piece[]> {
    const pieces: Piece[] = [];
    let row = from;
    while (row < to) {
      let piece = this.#current;
      if (piece === undefined || piece.to <= row) {
        // A piece of an earlier call that nobody needs any more.
        if (piece !== undefined && !pieces.includes(piece)) piece.window.release();
        this.prefetch();
        piece = await (this.#ahead as Promise<Piece>);
        // The piece was given back meanwhile, and its memory may be another's.
        if (this.#closed) throw new Error("lane: closed");
        this.#ahead = undefined;
        this.#current = piece;
        if (piece.to <= row) continue;
      }
      pieces.push(piece);
      row = piece.to;
    }
    return pieces;
  }

  async #load(): Promise<Piece> {
    const { plan, memory } = this.#options;
    const from = this.#row;
    if (plan === undefined) {
      const rows = await this.#slab();
      this.#row += rows.rows;
      return { from, to: this.#row, window: plainWindow(rows) };
    }
    const { to } = plan.windowAt(from);
    const parts = await this.#take(to - from);
    this.#row = to;
    return { from, to, window: permuteWindow(memory, parts, plan.permutation(from)) };
  }

  async #slab(): Promise<Columns> {
    const rest = this.#rest;
    this.#rest = undefined;
    const slab = rest ?? (await this.#options.rows.next());
    if (slab === undefined) throw new Error(`lane: no rows from ${this.#row} on`);
    return slab;
  }

  /** The next `count` rows, in the parts in which they came. */
  async #take(count: number): Promise<Columns[]> {
    const parts: Columns[] = [];
    let missing = count;
    while (missing > 0) {
      const slab = await this.#slab();
      if (slab.rows > missing) this.#rest = sliceRows(slab, missing, slab.rows);
      if (slab.rows > 0) parts.push(sliceRows(slab, 0, Math.min(missing, slab.rows)));
      missing -= Math.min(missing, slab.rows);
    }
    return parts;
  }

  /** Stops reading, waits for what is under way, and gives windows back. */
  async close(): Promise<void> {
    this.#closed = true;
    const closing = this.#options.rows.close();
    const ahead = await this.#ahead?.catch(() => undefined);
    ahead?.window.release();
    this.#current?.window.release();
    this.#current = undefined;
    this.#ahead = undefined;
    await closing;
  }
}

import { type Columns, sliceRows } from "@ingest-ts/core";
import type { Lane, Piece } from "./lane.ts";
import type { ShuffleMemory } from "./memory.ts";
import { type Strand, weave } from "./weave.ts";

export interface LaneBlocksOptions {
  /** Row k of the stream is local row ⌊k / lanes⌋ of lane k mod lanes. */
  readonly lanes: readonly Lane[];
  /** Rows [first, end) of the stream are wanted. */
  readonly first: number;
  readonly end: number;
  /** Where the block that begins at row k should end, so that whole batches fit. */
  blockEnd(k: number): number;
  /** Whether lanes hand on slabs that a block may share. */
  readonly shared: boolean;
  readonly memory: ShuffleMemory;
}

/** The rows of several lanes in turn (rule 4 of the order), in blocks of about 2,048. */
export class LaneBlocks {
  readonly #options: LaneBlocksOptions;
  #at: number;
  #closed = false;

  constructor(options: LaneBlocksOptions) {
    this.#options = options;
    this.#at = options.first;
  }

  /** The next block, or undefined at the end. Lanes load concurrently. */
  async next(): Promise<Columns | undefined> {
    const { end, lanes, shared } = this.#options;
    if (this.#at >= end) return undefined;
    return lanes.length === 1 && shared ? this.#pass() : this.#weave(Math.min(end, this.#options.blockEnd(this.#at)));
  }

  /** One lane whose order is kept: its slabs are blocks, nothing is copied. */
  async #pass(): Promise<Columns> {
    const { lanes, end } = this.#options;
    const lane = lanes[0] as Lane;
    const from = this.#at;
    const [piece] = (await lane.pieces(from, from + 1)) as [Piece];
    const to = Math.min(end, piece.to);
    this.#at = to;
    if (to < end) lane.prefetch();
    const columns = piece.window.columns.map(({ column }) => column as NonNullable<typeof column>);
    return sliceRows({ rows: piece.to - piece.from, columns }, from - piece.from, to - piece.from);
  }

  async #weave(to: number): Promise<Columns> {
    const { lanes, memory } = this.#options;
    const from = this.#at;
    const stride = lanes.length;
    const ranges = lanes.map((_, j) => [Math.ceil((from - j) / stride), Math.ceil((to - j) / stride)] as const);
    // All, not the first failure alone: nothing may be under way when the lanes are closed.
    const loaded = await Promise.allSettled(lanes.map((lane, j) => lane.pieces(...(ranges[j] as [number, number]))));
    if (this.#closed) throw new Error("blocks: closed");
    const strands: Strand[] = [];
    const done: Piece[] = [];
    loaded.forEach((result, j) => {
      if (result.status === "rejected") throw result.reason;
      const pieces = result.value;
      const [first, last] = ranges[j] as readonly [number, number];
      for (const piece of pieces) {
        const start = Math.max(first, piece.from);
        const stop = Math.min(last, piece.to);
        strands.push({
          window: piece.window,
          from: start - piece.from,
          count: stop - start,
          at: j + start * stride - from,
        });
      }
      done.push(...pieces.slice(0, -1));
    });
    const block = weave(memory, strands, to - from, stride);
    for (const piece of done) piece.window.release();
    this.#at = to;
    this.#prefetch(to);
    return block;
  }

  /** Lanes change windows in turn: only the one that needs its next window first loads it ahead. */
  #prefetch(at: number): void {
    const { lanes, end } = this.#options;
    const stride = lanes.length;
    let next: Lane | undefined;
    let soonest = end;
    lanes.forEach((lane, j) => {
      const needed = lane.loadedTo * stride + j;
      if (needed >= soonest || needed < at) return;
      soonest = needed;
      next = lane;
    });
    next?.prefetch();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#options.lanes.map((lane) => lane.close()));
  }
}

import { type Columns, concatRows, sliceRows } from "@ingest-ts/core";
import { type RankSpan, rankSpans, SegmentOrder } from "@ingest-ts/sharder";
import { Lane, LaneBlocks, type ShuffleMemory } from "@ingest-ts/shuffler";
import type { Dataset } from "./dataset.ts";
import { FragmentRows } from "./lane-rows.ts";
import type { OrderSettings } from "./options.ts";

export interface EpochOptions {
  readonly dataset: Dataset;
  readonly order: OrderSettings;
  readonly world: { readonly rank: number; readonly worldSize: number };
  readonly epoch: number;
  /** Global position from which on rows are wanted. */
  readonly from: number;
  /** Blocks end where a multiple of so many rows has been delivered. */
  readonly blockRows: number;
  readonly memory: ShuffleMemory;
  readonly signal: AbortSignal;
}

/** Rows [from, to) of a block that stays as it is. */
export interface BlockRows {
  readonly block: Columns;
  readonly from: number;
  readonly to: number;
}

/** One rank's rows of one epoch, from a position on. */
export class EpochRows {
  readonly #options: EpochOptions;
  readonly #spans: readonly RankSpan[];
  #nextSpan = 0;
  #blocks: LaneBlocks | undefined;
  #block: Columns | undefined;
  #offset = 0;
  /** Rows of the spans before the current one. */
  #before = 0;

  constructor(options: EpochOptions) {
    this.#options = options;
    this.#spans = rankSpans(options.dataset.manifest, options.from, options.order.lanes, options.world);
  }

  /** The next `count` rows, of which there are so many. One block where possible; joined where two meet. */
  async take(count: number): Promise<BlockRows> {
    const parts: Columns[] = [];
    let missing = count;
    for (;;) {
      const block = this.#block ?? (await this.#nextBlock());
      const from = this.#offset;
      const to = Math.min(block.rows, from + missing);
      this.#block = to === block.rows ? undefined : block;
      this.#offset = to === block.rows ? 0 : to;
      if (to - from === count) return { block, from, to };
      parts.push(sliceRows(block, from, to));
      missing -= to - from;
      if (missing === 0) return { block: concatRows(parts), from: 0, to: count };
    }
  }

  async #nextBlock(): Promise<Columns> {
    for (;;) {
      const block = await this.#blocks?.next();
      if (block !== undefined) return block;
      await this.#blocks?.close();
      const span = this.#spans[this.#nextSpan++];
      if (span === undefined) throw new Error("epoch: more rows were asked for than there are");
      this.#blocks = this.#open(span);
      this.#before += span.end - span.first;
    }
  }

  #open(span: RankSpan): LaneBlocks {
    const { dataset, order, epoch, blockRows, memory, signal } = this.#options;
    const { first, end } = span;
    const segment = new SegmentOrder(dataset.manifest, span.segment, epoch, order);
    const stride = span.lanes.length;
    const lanes = span.lanes.map((lane, j) => {
      const rows = segment.laneRows(lane);
      const wanted = Math.max(0, Math.ceil((first - j) / stride));
      const shuffled = order.windowRows > 0;
      // A window is shuffled whole: what it still has to give may come from anywhere in it.
      const from = wanted >= rows ? rows : shuffled ? segment.windowAt(lane, wanted).from : wanted;
      return new Lane({
        rows: new FragmentRows(dataset, segment.fragmentSpans(lane, from, rows), signal),
        from,
        plan: shuffled
          ? {
              windowAt: (row) => segment.windowAt(lane, row),
              permutation: (row) => segment.windowPermutation(lane, segment.windowAt(lane, row)),
            }
          : undefined,
        memory,
      });
    });
    const shift = this.#before - first;
    const blockEnd = (k: number): number => (Math.floor((k + shift) / blockRows) + 1) * blockRows - shift;
    return new LaneBlocks({ lanes, first, end, blockEnd, shared: order.windowRows === 0, memory });
  }

  async close(): Promise<void> {
    await this.#blocks?.close();
    this.#blocks = undefined;
  }
}

import { type Column, type Columns, sliceRows, takeRows } from "@ingest-ts/core";
import type { BlockRows } from "./epoch.ts";
import { padRows, withValid } from "./pad.ts";

export interface FinishOptions {
  /** Blocks carry a byte a row behind their columns: 1 for rows that pass. */
  readonly filtered: boolean;
  readonly padded: boolean;
}

/** Turns rows of blocks into rows of batches: filters them, and says which are valid. */
export class Finisher {
  readonly #options: FinishOptions;
  /** What a block looks like when all of its rows pass: made once for all of its batches. */
  readonly #whole = new WeakMap<Columns, Columns>();

  constructor(options: FinishOptions) {
    this.#options = options;
  }

  /** `missing` copies of `last` are added. */
  finish(taken: BlockRows, missing: number, last: Columns | undefined): BlockRows {
    const passing = this.#filter(taken);
    if (missing === 0 || last === undefined) return passing;
    const { block, from, to } = passing;
    const plain = { rows: block.rows, columns: block.columns.slice(0, last.columns.length) };
    const padded = padRows(sliceRows(plain, from, to), last, missing);
    return { block: padded, from: 0, to: padded.rows };
  }

  #filter(taken: BlockRows): BlockRows {
    const { filtered, padded } = this.#options;
    if (!filtered && !padded) return taken;
    const { block, from, to } = taken;
    const mask = filtered ? (block.columns.at(-1) as Column).data?.subarray(from, to) : undefined;
    if (mask === undefined || !mask.includes(0)) return { block: this.#wholeOf(block), from, to };
    const indices = Int32Array.from(mask.keys()).filter((i) => mask[i] === 1);
    const rows = takeRows(sliceRows({ ...block, columns: block.columns.slice(0, -1) }, from, to), indices);
    return { block: padded ? withValid(rows) : rows, from: 0, to: rows.rows };
  }

  #wholeOf(block: Columns): Columns {
    let whole = this.#whole.get(block);
    if (whole === undefined) {
      const { filtered, padded } = this.#options;
      const rows = filtered ? { ...block, columns: block.columns.slice(0, -1) } : block;
      whole = padded ? withValid(rows) : rows;
      this.#whole.set(block, whole);
    }
    return whole;
  }
}

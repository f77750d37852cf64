import { keyedPermutation } from "@ingest-ts/core";
import type { FragmentRef, Manifest, Segment } from "./manifest.ts";

/** Changes whenever a row's position could change. Golden-tested. */
export const ORDER_VERSION = 1;

/** What an order depends on, besides the manifest. */
export interface OrderOptions {
  /** In [0, 2^53). */
  readonly seed: number;
  readonly lanes: number;
  /** 0: no shuffling; fragments and rows keep their order. */
  readonly windowRows: number;
}

/** Rows [from, to). */
export interface RowSpan {
  readonly from: number;
  readonly to: number;
}

/** Rows [from, to) of one fragment. */
export interface FragmentSpan extends RowSpan {
  readonly fragment: FragmentRef;
}

/** Rows [from, to) of one lane, shuffled together. */
export interface Window extends RowSpan {
  readonly index: number;
}

/** Where lane `lane` of `lanes` lies in a row space of `rows`: lengths differ by at most one, longer lanes first (rule 2). */
export function laneSpan(rows: number, lanes: number, lane: number): RowSpan {
  const base = Math.floor(rows / lanes);
  const longer = rows % lanes;
  const from = lane * base + Math.min(lane, longer);
  return { from, to: from + base + (lane < longer ? 1 : 0) };
}

/** The order of one segment in one epoch: pure arithmetic over a permutation of its fragments. */
export class SegmentOrder {
  readonly segment: Segment;
  readonly epoch: number;
  readonly options: OrderOptions;
  readonly #index: number;
  /** Fragments in the order of the row space. */
  readonly #fragments: readonly FragmentRef[];
  /** starts[i] is the first row of fragment i in the row space; one more for the end. */
  readonly #starts: Float64Array;

  constructor(manifest: Manifest, index: number, epoch: number, options: OrderOptions) {
    this.segment = manifest.segments[index] as Segment;
    this.epoch = epoch;
    this.options = options;
    this.#index = index;
    this.#fragments = this.#permuted();
    this.#starts = new Float64Array(this.#fragments.length + 1);
    this.#fragments.forEach((fragment, i) => {
      this.#starts[i + 1] = (this.#starts[i] as number) + fragment.rows;
    });
  }

  #permuted(): readonly FragmentRef[] {
    const { fragments } = this.segment;
    if (this.options.windowRows === 0) return fragments;
    const { seed } = this.options;
    const key = { purpose: "fragments", seed, epoch: this.epoch, segment: this.#index, lane: 0, window: 0 } as const;
    return Array.from(keyedPermutation(key, fragments.length), (i) => fragments[i] as FragmentRef);
  }

  /** Rows of lane `lane`. */
  laneRows(lane: number): number {
    const { from, to } = laneSpan(this.segment.rows, this.options.lanes, lane);
    return to - from;
  }

  /** The fragments that hold local rows [from, to) of a lane, in order. Fragments without rows are left out. */
  fragmentSpans(lane: number, from: number, to: number): FragmentSpan[] {
    const start = laneSpan(this.segment.rows, this.options.lanes, lane).from;
    const spans: FragmentSpan[] = [];
    const end = start + to;
    let at = start + from;
    for (let i = this.#fragmentAt(at); at < end; i++) {
      const fragment = this.#fragments[i] as FragmentRef;
      const first = this.#starts[i] as number;
      const last = Math.min(end, this.#starts[i + 1] as number);
      if (last > at) spans.push({ fragment, from: at - first, to: last - first });
      at = Math.max(at, last);
    }
    return spans;
  }

  /** The fragment that holds row `row` of the row space. */
  #fragmentAt(row: number): number {
    let low = 0;
    let high = this.#fragments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle + 1] as number) <= row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The window that holds local row `row` of a lane (rule 3). Only of shuffled orders. */
  windowAt(lane: number, row: number): Window {
    const { lanes, windowRows } = this.options;
    const rows = this.laneRows(lane);
    const firstRows = Math.ceil((windowRows * (lane + 1)) / lanes);
    if (row < firstRows) return { index: 0, from: 0, to: Math.min(firstRows, rows) };
    const index = 1 + Math.floor((row - firstRows) / windowRows);
    const from = firstRows + (index - 1) * windowRows;
    return { index, from, to: Math.min(from + windowRows, rows) };
  }

  /** Place i of the window's output is row `result[i]` of its input. */
  windowPermutation(lane: number, window: Window): Int32Array {
    const { seed } = this.options;
    const key = {
      purpose: "window",
      seed,
      epoch: this.epoch,
      segment: this.#index,
      lane,
      window: window.index,
    } as const;
    return keyedPermutation(key, window.to - window.from);
  }

  /** Which row of which fragment stands at position `position` of this segment (0 is its first). */
  rowAt(position: number): { readonly fragment: FragmentRef; readonly row: number } {
    const lane = position % this.options.lanes;
    let row = Math.floor(position / this.options.lanes);
    if (this.options.windowRows > 0) {
      const window = this.windowAt(lane, row);
      row = window.from + (this.windowPermutation(lane, window)[row - window.from] as number);
    }
    const [span] = this.fragmentSpans(lane, row, row + 1);
    if (span === undefined) throw new RangeError(`position ${position} of ${this.segment.rows}`);
    return { fragment: span.fragment, row: span.from };
  }
}

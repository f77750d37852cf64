import { type Manifest, type OrderOptions, type Segment, SegmentOrder } from "@ingest-ts/sharder";
import type { Region } from "./coverage.ts";

/** Rows [from, to) of one file. */
export interface RowRange {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** Rows named one by one at most; what lies in whole windows does not count. */
const MAX_ROWS = 1 << 20;

/** Finds the rows that stand at positions, for one epoch of one order. */
export class Locator {
  readonly #manifest: Manifest;
  readonly #order: OrderOptions;
  readonly #epoch: number;
  readonly #firstRows: readonly number[][];
  readonly #permutations = new Map<number, { window: number; rows: Int32Array }>();
  readonly #found = new Map<number, [number, number][]>();
  #budget = MAX_ROWS;

  constructor(manifest: Manifest, order: OrderOptions, epoch: number) {
    this.#manifest = manifest;
    this.#order = order;
    this.#epoch = epoch;
    this.#firstRows = manifest.objects.map(({ fragmentRows }) => {
      let at = 0;
      return fragmentRows.map((rows) => (at += rows) - rows);
    });
  }

  add(region: Region): void {
    for (const [index, segment] of this.#manifest.segments.entries()) {
      const from = Math.max(region.from, segment.start) - segment.start;
      const to = Math.min(region.to, segment.start + segment.rows) - segment.start;
      if (from < to) this.#addSegment(region, index, segment, from, to);
    }
  }

  #addSegment(region: Region, index: number, segment: Segment, from: number, to: number): void {
    const { lanes } = this.#order;
    const order = new SegmentOrder(this.#manifest, index, this.#epoch, this.#order);
    this.#permutations.clear();
    const wanted = new Set(region.residues);
    for (let lane = 0; lane < lanes; lane++) {
      if (!wanted.has((segment.start + lane) % region.modulus)) continue;
      const first = Math.max(0, Math.ceil((from - lane) / lanes));
      const end = Math.max(0, Math.ceil((to - lane) / lanes));
      this.#addLane(order, lane, first, end);
    }
  }

  #addLane(order: SegmentOrder, lane: number, from: number, to: number): void {
    if (this.#order.windowRows === 0) {
      this.#addRows(order, lane, from, to);
      return;
    }
    for (let at = from; at < to; ) {
      const window = order.windowAt(lane, at);
      const end = Math.min(to, window.to);
      if (at === window.from && end === window.to) this.#addRows(order, lane, at, end);
      else if (this.#budget > 0) {
        this.#budget -= end - at;
        let known = this.#permutations.get(lane);
        if (known?.window !== window.index) {
          known = { window: window.index, rows: order.windowPermutation(lane, window) };
          this.#permutations.set(lane, known);
        }
        const rows = known.rows.slice(at - window.from, end - window.from).sort();
        for (let i = 0; i < rows.length; ) {
          let j = i + 1;
          while (j < rows.length && rows[j] === (rows[i] as number) + j - i) j++;
          this.#addRows(order, lane, window.from + (rows[i] as number), window.from + (rows[i] as number) + j - i);
          i = j;
        }
      }
      at = end;
    }
  }

  #addRows(order: SegmentOrder, lane: number, from: number, to: number): void {
    for (const { fragment, from: first, to: end } of order.fragmentSpans(lane, from, to)) {
      const base = (this.#firstRows[fragment.object] as number[])[fragment.ordinal] as number;
      const found = this.#found.get(fragment.object);
      if (found === undefined) this.#found.set(fragment.object, [[base + first, base + end]]);
      else found.push([base + first, base + end]);
    }
  }

  /** What was found, by file and row, neighbours joined: at most `limit` ranges, and how many more there are. */
  ranges(limit: number): { readonly ranges: RowRange[]; readonly more: number } {
    const all: RowRange[] = [];
    for (const [object, found] of [...this.#found].sort(([a], [b]) => a - b)) {
      const { name: file } = this.#manifest.objects[object] as Manifest["objects"][number];
      for (const [from, to] of found.sort(([a], [b]) => a - b)) {
        const last = all.at(-1);
        if (last?.file === file && last.to >= from)
          all[all.length - 1] = { file, from: last.from, to: Math.max(last.to, to) };
        else all.push({ file, from, to });
      }
    }
    return { ranges: all.slice(0, limit), more: Math.max(0, all.length - limit) };
  }
}

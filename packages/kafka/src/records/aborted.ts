import type { AbortedTransaction } from "../transport/types.ts";
import type { BatchHeader } from "./header.ts";

/**
 * Which batches of one fetch belong to aborted transactions, by the rule of Java's CompletedFetch: before a batch is
 * judged, every transaction that began up to the batch's last offset is open; an abort marker, which only a control batch
 * can be, closes its producer's.
 */
export class AbortedFilter {
  readonly #queue: readonly AbortedTransaction[];
  readonly #open = new Set<bigint>();
  #next = 0;

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#queue = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Batches in the order of the log. `abortMarker`: a control batch that ends a transaction by aborting it. */
  isAborted(header: BatchHeader, abortMarker: boolean): boolean {
    if (header.producerId < 0n) return false;
    for (let entry = this.#queue[this.#next]; entry !== undefined; entry = this.#queue[this.#next]) {
      if (entry.firstOffset > header.lastOffset) break;
      this.#open.add(entry.producerId);
      this.#next++;
    }
    if (abortMarker) {
      this.#open.delete(header.producerId);
      return false;
    }
    return header.transactional && !header.control && this.#open.has(header.producerId);
  }
}

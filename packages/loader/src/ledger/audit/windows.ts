import { StateError } from "@ingest-ts/core";
import type { Manifest } from "@ingest-ts/sharder";
import { manifestOfSeal, type SealedRange } from "../../stream/seal.ts";
import type { LedgerWindow } from "../format.ts";

const remedy = "Audit the ledgers of one run at a time, all of them, from its beginning on.";

/** Offsets [startOffset, endOffset) of a partition, without a gap between windows, and the rows that they hold. */
export type PartitionOffsets = SealedRange;

interface Known {
  readonly text: string;
  readonly path: string;
  readonly ranges: readonly SealedRange[];
}

/** What ledgers say that the windows of a stream hold. */
export class LedgerWindows {
  readonly #known = new Map<number, Known>();
  readonly #manifests = new Map<number, Manifest>();

  /** @throws StateError when another ledger says something else of the window */
  add({ window, ranges }: LedgerWindow, path: string): void {
    const text = JSON.stringify(ranges);
    const known = this.#known.get(window);
    if (known !== undefined && known.text !== text) {
      throw new StateError(`${known.path} and ${path} hold different rows as window ${window}`, { remedy });
    }
    if (known !== undefined) return;
    const list = ranges.map(
      ([topic, partition, startOffset, endOffset, rows]): SealedRange => ({
        topic,
        partition,
        startOffset,
        endOffset,
        rows,
      }),
    );
    this.#known.set(window, { text, path, ranges: list });
  }

  #ranges(window: number): readonly SealedRange[] {
    const known = this.#known.get(window);
    if (known !== undefined) return known.ranges;
    throw new StateError(`no ledger says what window ${window} held`, { remedy });
  }

  /** The rows of a window. @throws StateError when no ledger knows it */
  manifest(window: number): Manifest {
    let manifest = this.#manifests.get(window);
    if (manifest === undefined) {
      manifest = manifestOfSeal({ window, ranges: this.#ranges(window) });
      this.#manifests.set(window, manifest);
    }
    return manifest;
  }

  /**
   * What windows [0, end) cover together, by partition.
   *
   * @throws StateError when a window does not begin where the one before it ends
   */
  partitions(end: number): PartitionOffsets[] {
    const found = new Map<string, SealedRange>();
    for (let window = 0; window < end; window++) {
      for (const range of this.#ranges(window)) {
        const { topic, partition, startOffset, endOffset, rows } = range;
        const before = found.get(`${topic}/${partition}`);
        if (before !== undefined && before.endOffset !== startOffset) {
          throw new StateError(
            `window ${window} begins at offset ${startOffset} of ${topic}, partition ${partition}; the one before ends at ${before.endOffset}`,
            { remedy },
          );
        }
        const joined = before === undefined ? range : { ...before, endOffset, rows: before.rows + rows };
        found.set(`${topic}/${partition}`, joined);
      }
    }
    return [...found.values()].sort((a, b) =>
      a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
    );
  }
}

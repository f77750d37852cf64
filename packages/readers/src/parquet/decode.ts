import {
  addWhere,
  byteWidthOf,
  type Columns,
  type Decoder,
  type DecodeOptions,
  type Fragment,
  type Need,
} from "@ingest-ts/core";
import { acquireKernels } from "@ingest-ts/kernels";
import { assemble } from "./assemble.ts";
import { LeafReader } from "./leaf-reader.ts";
import type { ParquetMetadata } from "./metadata.ts";
import type { LeafNode, ListNode, Node, StructNode } from "./nodes.ts";
import type { ChunkPlan, ParquetPlan } from "./plan.ts";
import { selectedNodes } from "./schema.ts";
import { Workspace } from "./workspace.ts";

/**
 * No buffer of a slab is made larger than this, unless one row is: slabs of wide values end earlier than batchBytes. The
 * allocator uses buffers up to 32 MiB again, where larger ones are mapped anew each time, and touching fresh memory costs
 * more than decoding it.
 */
const MAX_BUFFER_BYTES = 16 * 1024 * 1024;

/** A column's buffers may grow past its fair share of a slab by so much before the slab is cut. */
const SHARE_SLACK = 4;
const MIN_SHARE_BYTES = 1024 * 1024;

/** Least bytes that are fetched at a time when a row group does not fit into limits.bytesInFlight. */
const MIN_AHEAD_BYTES = 64 * 1024;

/**
 * Decodes one row group: yields ranges to fetch, and slabs cut at batchRows or batchBytes.
 *
 * @throws FormatError, UnsupportedError naming url, fragment, column and the offset of the page.
 */
export function* decode(fragment: Fragment<ParquetPlan>, metadata: ParquetMetadata, options: DecodeOptions): Decoder {
  const space = new Workspace(acquireKernels());
  try {
    yield* new RowGroupReader(space, fragment, metadata, options).slabs();
  } catch (error) {
    throw addWhere(error, { url: fragment.url, fragment: fragment.ordinal });
  } finally {
    space.close();
  }
}

class RowGroupReader {
  readonly #space: Workspace;
  readonly #nodes: readonly Node[];
  readonly #leaves: readonly LeafReader[];
  readonly #options: DecodeOptions;
  /** Rows not yet yielded. */
  #left: number;
  /** Bytes of Arrow data per row and leaf: first a guess from the footer, then what the last slab had. */
  #bytesPerRow: readonly number[];

  constructor(space: Workspace, fragment: Fragment<ParquetPlan>, metadata: ParquetMetadata, options: DecodeOptions) {
    const { plan } = fragment;
    const { limits } = options.select;
    const [from, to] = options.rows ?? [0, plan.numRows];
    this.#space = space;
    this.#nodes = selectedNodes(metadata, options.select);
    this.#options = options;
    this.#left = Math.max(0, Math.min(to, plan.numRows) - from);
    const nested = this.#nodes.flatMap((node) => withAncestors(node, []));
    const inFlight = fragment.sizeBytes <= limits.bytesInFlight;
    const share = Math.max(MIN_AHEAD_BYTES, Math.floor(limits.bytesInFlight / Math.max(1, nested.length)));
    const aheadBytes = inFlight ? Number.POSITIVE_INFINITY : Math.min(limits.bytesInFlight, share);
    const leafOptions = { limits, aheadBytes, skip: from };
    this.#leaves = nested.map(
      ([node, ancestors], i) => new LeafReader(space, node, ancestors, plan, plan.chunks[i] as ChunkPlan, leafOptions),
    );
    this.#bytesPerRow = nested.map(([node], i) => guessBytesPerRow(node, plan.chunks[i] as ChunkPlan, plan.numRows));
  }

  *slabs(): Decoder {
    while (this.#left > 0) {
      const target = Math.max(1, Math.min(this.#left, this.#options.batchRows, this.#fittingRows()));
      yield* this.#fill(target);
      const rows = this.#cut(target);
      this.#left -= rows;
      yield this.#take(rows);
    }
  }

  /** How many rows of the usual size fit into a slab. */
  #fittingRows(): number {
    const sum = this.#bytesPerRow.reduce((total, bytes) => total + bytes, 1);
    const most = this.#bytesPerRow.reduce((largest, bytes) => Math.max(largest, bytes), 1);
    return Math.floor(Math.min(this.#options.batchBytes / sum, MAX_BUFFER_BYTES / most));
  }

  /** Buffers rows of every column, fetching what that takes. */
  *#fill(target: number): Generator<Need, void, Uint8Array[]> {
    const share = (this.#options.batchBytes / this.#leaves.length) * SHARE_SLACK;
    const maxBytes = Math.min(this.#options.batchBytes, 2 * MAX_BUFFER_BYTES, Math.max(MIN_SHARE_BYTES, share));
    let waiting: readonly LeafReader[] = this.#leaves;
    for (;;) {
      waiting = waiting.filter((leaf) => !this.#attempt(leaf, () => leaf.fill(target, maxBytes)));
      if (waiting.length === 0) return;
      const asking = this.#affordable(waiting);
      const answers = yield { need: asking.flatMap((leaf) => leaf.wanted) };
      let next = 0;
      for (const leaf of asking) {
        const count = leaf.wanted.length;
        leaf.give(answers.slice(next, next + count));
        next += count;
      }
    }
  }

  /** As many of the columns, but at least one, as may be fetched at once. */
  #affordable(waiting: readonly LeafReader[]): readonly LeafReader[] {
    let left = this.#options.select.limits.bytesInFlight;
    const count = waiting.findIndex((leaf) => {
      left -= leaf.wanted.reduce((sum, span) => sum + span.end - span.start, 0);
      return left < 0;
    });
    return count === -1 ? waiting : waiting.slice(0, Math.max(1, count));
  }

  #attempt<T>(leaf: LeafReader, body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw addWhere(error, { column: leaf.node.leaf.path.join("."), offset: leaf.offset });
    }
  }

  /** The most rows that all columns have buffered and that fit into a slab; at least 1. */
  #cut(target: number): number {
    const buffered = this.#leaves.reduce((least, leaf) => Math.min(least, leaf.rows), target);
    const sizeOf = (rows: number): number => this.#leaves.reduce((sum, leaf) => sum + leaf.sizeOf(rows), 0);
    let most = buffered;
    if (sizeOf(most) > this.#options.batchBytes) {
      let least = 1;
      while (least < most) {
        const middle = Math.ceil((least + most) / 2);
        if (sizeOf(middle) <= this.#options.batchBytes) least = middle;
        else most = middle - 1;
      }
    }
    this.#bytesPerRow = this.#leaves.map((leaf) => leaf.sizeOf(most) / most);
    return most;
  }

  #take(rows: number): Columns {
    let next = 0;
    const columns = this.#nodes.map((node) => {
      const count = withAncestors(node, []).length;
      const outputs = this.#leaves.slice(next, next + count).map((leaf) => leaf.take(rows));
      next += count;
      try {
        return assemble(this.#space, node, outputs);
      } catch (error) {
        throw addWhere(error, { column: node.name });
      }
    });
    return { rows, columns };
  }
}

type Ancestors = readonly (StructNode | ListNode)[];

/** The leaves below `node` with the nodes above each. */
function withAncestors(node: Node, above: Ancestors): [LeafNode, Ancestors][] {
  if (node.shape === "leaf") return [[node, above]];
  const children = node.shape === "list" ? [node.child] : node.children;
  return children.flatMap((child) => withAncestors(child, [...above, node]));
}

function guessBytesPerRow(node: LeafNode, chunk: ChunkPlan, rows: number): number {
  const width = byteWidthOf(node.type);
  const stored = chunk.uncompressedBytes / Math.max(1, rows);
  return Math.max(1, width === 0 ? stored : (chunk.numValues / Math.max(1, rows)) * width);
}

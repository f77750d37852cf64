import {
  addWhere,
  byteWidthOf,
  type Column,
  type Columns,
  type Decoder,
  type DecodeOptions,
  evaluate,
  type Fragment,
  type Need,
  sliceRows,
} from "@ingest-ts/core";
import { acquireKernels } from "@ingest-ts/kernels";
import { assemble } from "./assemble.ts";
import { type LateColumns, lateColumns } from "./late.ts";
import { LeafReader } from "./leaf-reader.ts";
import type { ParquetMetadata } from "./metadata.ts";
import type { LeafNode, ListNode, Node, StructNode } from "./nodes.ts";
import type { ChunkPlan, ParquetPlan } from "./plan.ts";
import { selectedNodes } from "./schema.ts";
import type { RowGroup } from "./spec.ts";
import { type RowSpan, surveyRows } from "./survey.ts";
import { KEPT_BYTES, scratch } from "../scratch.ts";
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

/** Most bytes that a source nearby is asked for at once: what was decoded makes room for what comes. */
const NEARBY_BYTES = 16 * 1024 * 1024;
/** Of one column at least, unless limits.bytesInFlight is less. */
const NEARBY_AHEAD_BYTES = 256 * 1024;

/**
 * Decodes one row group: yields ranges to fetch, and slabs cut at batchRows or batchBytes.
 *
 * @throws FormatError, UnsupportedError naming url, fragment, column and the offset of the page.
 */
export function* decode(fragment: Fragment<ParquetPlan>, metadata: ParquetMetadata, options: DecodeOptions): Decoder {
  const space = new Workspace(acquireKernels());
  let reader: RowGroupReader | undefined;
  try {
    reader = new RowGroupReader(space, fragment, metadata, options);
    yield* reader.slabs();
  } catch (error) {
    throw addWhere(error, { url: fragment.url, fragment: fragment.ordinal });
  } finally {
    reader?.close();
    space.close();
  }
}

class RowGroupReader {
  readonly #space: Workspace;
  /** Every selected column with its leaves. */
  readonly #columns: readonly ColumnReader[];
  readonly #leafCount: number;
  readonly #options: DecodeOptions;
  /** Which columns `where` looks at, when others need not be decoded for rows that fail it. */
  readonly #late: LateColumns | undefined;
  readonly #metadata: ParquetMetadata;
  readonly #group: RowGroup;
  /** What may be asked for at once, unless a single column wants more. */
  readonly #mostBytes: number;
  /** Rows [from, to) of the row group are wanted. */
  readonly #wanted: RowSpan;
  /** Rows not yet yielded of those that are read in one go. */
  #left = 0;
  /** Bytes of Arrow data per row and leaf: first a guess from the footer, then what the last slab had. */
  readonly #bytesPerRow: Map<LeafReader, number> = new Map();

  constructor(space: Workspace, fragment: Fragment<ParquetPlan>, metadata: ParquetMetadata, options: DecodeOptions) {
    const { plan } = fragment;
    const { limits, where } = options.select;
    const [from, to] = options.rows ?? [0, plan.numRows];
    const nodes = selectedNodes(metadata, options.select);
    this.#space = space;
    this.#options = options;
    this.#metadata = metadata;
    this.#group = metadata.rowGroups[fragment.ordinal] as RowGroup;
    this.#wanted = [from, Math.min(to, plan.numRows)];
    this.#leafCount = plan.chunks.length;
    const inFlight = fragment.sizeBytes <= limits.bytesInFlight;
    // What scratch keeps is best asked for at once; more in turns, in which columns use the same memory.
    const inTurns = options.nearby === true && fragment.sizeBytes > KEPT_BYTES;
    this.#mostBytes = inTurns ? Math.min(limits.bytesInFlight, NEARBY_BYTES) : limits.bytesInFlight;
    const share = Math.floor(this.#mostBytes / Math.max(1, this.#leafCount));
    const least = inTurns ? NEARBY_AHEAD_BYTES : MIN_AHEAD_BYTES;
    const isWhole = inFlight && !inTurns;
    const aheadBytes = isWhole ? Number.POSITIVE_INFINITY : Math.min(limits.bytesInFlight, Math.max(least, share));
    const leafOptions = { limits, aheadBytes, skip: from, scratch: options.nearby === true ? scratch : undefined };
    let next = 0;
    this.#columns = nodes.map((node) => ({
      node,
      leaves: withAncestors(node, []).map(([leaf, ancestors]) => {
        const chunk = plan.chunks[next++] as ChunkPlan;
        const reader = new LeafReader(space, leaf, ancestors, plan, chunk, leafOptions);
        this.#bytesPerRow.set(reader, guessBytesPerRow(leaf, chunk, plan.numRows));
        return reader;
      }),
    }));
    this.#late = where === undefined ? undefined : lateColumns(where, nodes);
  }

  /** Gives back what was fetched. */
  close(): void {
    for (const { leaves } of this.#columns) for (const leaf of leaves) leaf.close();
  }

  *slabs(): Decoder {
    let [at, end] = this.#wanted;
    for (const [from, to] of yield* this.#spans()) {
      const start = Math.min(end, Math.max(at, from));
      yield* this.#pass(start - at);
      at = Math.max(start, Math.min(end, to));
      this.#left = at - start;
      yield* this.#slabsOfSpan();
    }
    yield* this.#pass(end - at);
  }

  /** Which rows may pass `where`. */
  *#spans(): Generator<Need, readonly RowSpan[], Uint8Array[]> {
    const { where } = this.#options.select;
    if (where === undefined || this.#wanted[0] >= this.#wanted[1]) return [this.#wanted];
    const nodes = this.#columns.map(({ node }) => node);
    const { spans, pages } = yield* surveyRows(where, nodes, this.#group, this.#metadata);
    const isWhole = spans.length === 1 && spans[0]?.[0] === 0 && spans[0][1] >= this.#group.numRows;
    for (const { leaves } of isWhole ? [] : this.#columns) {
      for (const leaf of leaves) leaf.locate(pages.get(leaf.node.leaf.ordinal) ?? [], spans);
    }
    return spans;
  }

  *#pass(rows: number): Decoder {
    if (rows <= 0) return;
    for (const { leaves } of this.#columns) for (const leaf of leaves) leaf.pass(rows);
    yield { passedRows: rows };
  }

  *#slabsOfSpan(): Decoder {
    while (this.#left > 0) {
      const target = Math.max(1, Math.min(this.#left, this.#options.batchRows, this.#fittingRows()));
      if (this.#late === undefined) yield* this.#rowsOf(this.#columns, target);
      else yield* this.#passingRows(this.#late, target);
    }
  }

  /** Some rows of all columns, at most `target`. */
  *#rowsOf(columns: readonly ColumnReader[], target: number): Decoder {
    const leaves = columns.flatMap((column) => column.leaves);
    yield* this.#fill(leaves, target);
    const rows = this.#cut(leaves, target);
    this.#left -= rows;
    yield { rows, columns: this.#take(columns, rows) };
  }

  /**
   * Some rows, at most `target`: first the columns that `where` looks at; the others only from the first row that passes
   * to the last one.
   */
  *#passingRows({ bound, tested, others }: LateColumns, target: number): Decoder {
    const first = tested.map((i) => this.#columns[i] as ColumnReader);
    const second = others.map((i) => this.#columns[i] as ColumnReader);
    const leaves = first.flatMap((column) => column.leaves);
    const secondLeaves = second.flatMap((column) => column.leaves);
    yield* this.#fill(leaves, target);
    const rows = this.#cut(leaves, target);
    const found: Columns = { rows, columns: this.#take(first, rows) };
    this.#left -= rows;
    const mask = evaluate(bound, found);
    const end = mask.lastIndexOf(1) + 1;
    let at = end === 0 ? 0 : mask.indexOf(1);
    for (const leaf of secondLeaves) leaf.pass(at);
    if (at > 0) yield { passedRows: at };
    while (at < end) {
      yield* this.#fill(secondLeaves, end - at);
      const count = this.#cut(secondLeaves, end - at);
      const columns: Column[] = [];
      sliceRows(found, at, at + count).columns.forEach((column, i) => (columns[tested[i] as number] = column));
      this.#take(second, count).forEach((column, i) => (columns[others[i] as number] = column));
      at += count;
      yield { rows: count, columns };
    }
    for (const leaf of secondLeaves) leaf.pass(rows - at);
    if (rows > at) yield { passedRows: rows - at };
  }

  /** How many rows of the usual size fit into a slab. */
  #fittingRows(): number {
    let [sum, most] = [1, 1];
    for (const bytes of this.#bytesPerRow.values()) {
      sum += bytes;
      most = Math.max(most, bytes);
    }
    return Math.floor(Math.min(this.#options.batchBytes / sum, MAX_BUFFER_BYTES / most));
  }

  /** Buffers rows of some columns, fetching what that takes. */
  *#fill(leaves: readonly LeafReader[], target: number): Generator<Need, void, Uint8Array[]> {
    const share = (this.#options.batchBytes / this.#leafCount) * SHARE_SLACK;
    const maxBytes = Math.min(this.#options.batchBytes, 2 * MAX_BUFFER_BYTES, Math.max(MIN_SHARE_BYTES, share));
    let waiting = leaves;
    for (;;) {
      waiting = waiting.filter((leaf) => !this.#attempt(leaf, () => leaf.fill(target, maxBytes)));
      if (waiting.length === 0) return;
      const asking = this.#affordable(waiting);
      const into = asking.flatMap((leaf) => leaf.places());
      const need = asking.flatMap((leaf) => leaf.wanted);
      const answers = yield into.length === 0 ? { need } : { need, into };
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
    let left = this.#mostBytes;
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

  /** The most rows that all of `leaves` have buffered and that fit into a slab; at least 1. */
  #cut(leaves: readonly LeafReader[], target: number): number {
    const buffered = leaves.reduce((least, leaf) => Math.min(least, leaf.rows), target);
    const sizeOf = (rows: number): number => leaves.reduce((sum, leaf) => sum + leaf.sizeOf(rows), 0);
    let most = buffered;
    if (sizeOf(most) > this.#options.batchBytes) {
      let least = 1;
      while (least < most) {
        const middle = Math.ceil((least + most) / 2);
        if (sizeOf(middle) <= this.#options.batchBytes) least = middle;
        else most = middle - 1;
      }
    }
    for (const leaf of leaves) this.#bytesPerRow.set(leaf, leaf.sizeOf(most) / most);
    return most;
  }

  #take(columns: readonly ColumnReader[], rows: number): Column[] {
    return columns.map(({ node, leaves }) => {
      const outputs = leaves.map((leaf) => leaf.take(rows));
      try {
        return assemble(this.#space, node, outputs);
      } catch (error) {
        throw addWhere(error, { column: node.name });
      }
    });
  }
}

interface ColumnReader {
  readonly node: Node;
  readonly leaves: readonly LeafReader[];
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

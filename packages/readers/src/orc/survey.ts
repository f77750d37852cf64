import {
  bindPredicate,
  type BoundColumn,
  type BoundPredicate,
  type ByteSpan,
  type ColumnRange,
  FormatError,
  type Key,
  mayPass,
  type Select,
} from "@ingest-ts/core";
import { hasGoodBloomFilters, hashesOf, readBloomFilters } from "./bloom.ts";
import { readChunks } from "./chunks.ts";
import type { OrcMetadata } from "./metadata.ts";
import { misplacedColumns } from "./misplaced.ts";
import { leafAt, trustOf } from "./prune.ts";
import { readRowIndex, type RowGroup } from "./row-index.ts";
import { toSchema } from "./schema.ts";
import { indexStreamKinds, type StreamInformation, type StripeFooter } from "./spec.ts";
import { statisticsRange } from "./statistics.ts";
import type { Reading } from "./stripe-bytes.ts";
import type { Node } from "./tree.ts";

/** Rows [from, to) of a stripe. */
export type RowSpan = readonly [from: number, to: number];

/** Larger indexes and filters are worth less than they cost. */
const MOST_INDEX_BYTES = 8 * 1024 * 1024;

/** What the indexes of a stripe say. */
export interface Survey {
  /** Rows that may pass, ascending, with a gap between each two. */
  readonly spans: readonly RowSpan[];
  /** Row groups by column, for those whose row index is good. */
  readonly groups: ReadonlyMap<number, readonly RowGroup[]>;
}

/** Everything that a survey asks about one stripe. */
export interface Surveyed {
  readonly metadata: OrcMetadata;
  readonly footer: StripeFooter;
  readonly rows: number;
  /** The selected columns, among them those of `where`. */
  readonly nodes: readonly Node[];
  /** All columns whose streams are read. */
  readonly columns: ReadonlySet<number>;
  readonly select: Select;
  /** The rows that are wanted. */
  readonly wanted: RowSpan;
}

/**
 * Which rows of a stripe may pass `where`, by its row index and bloom filters, and where its row groups begin. The indexes
 * are fetched first, in one go, when they can save something.
 */
export function* surveyStripe(stripe: Surveyed): Reading<Survey> {
  const { metadata, rows, wanted, select, nodes } = stripe;
  const { where } = select;
  const whole: Survey = { spans: wanted[0] < wanted[1] ? [wanted] : [], groups: new Map() };
  const stride = metadata.footer.rowIndexStride;
  if (stride === 0 || rows === 0 || whole.spans.length === 0) return whole;
  const bound = where === undefined ? undefined : bindPredicate(where, toSchema(metadata, select));
  const sought = bound === undefined ? new Map<number, Node>() : soughtColumns(bound, nodes);
  const filters = hasGoodBloomFilters(metadata.footer) ? bloomStreams(stripe.footer, sought) : [];
  // One row group is the stripe, of which the file's tail has told already; rows before its end have to be read anyhow.
  const saves = rows > stride && (bound !== undefined || wanted[0] >= stride);
  if (!saves && filters.length === 0) return whole;
  const indexes = saves ? indexStreams(stripe.footer, stripe.columns) : [];
  const count = Math.ceil(rows / stride);
  const asked = [...indexes, ...filters];
  if (asked.length === 0) return whole;
  const answers = yield { need: asked.map(({ start, end }): ByteSpan => ({ start, end })) };
  const groups = new Map<number, RowGroup[]>();
  const blooms = new Map<number, ColumnFilters>();
  for (const [i, stream] of asked.entries()) {
    const content = unpacked(answers[i] as Uint8Array, stream, stripe);
    if (content === undefined) continue;
    if (stream.kind === indexStreamKinds.rowIndex) setOnce(groups, stream.column, readRowIndex(content, count));
    else {
      const isUtf8 = stream.kind === indexStreamKinds.bloomFilterUtf8;
      const mayContain = readBloomFilters(content, count);
      if (mayContain !== undefined) blooms.set(stream.column, { mayContain, isUtf8 });
    }
  }
  for (const column of misplacedColumns(metadata.footer, stripe.footer, nodes)) {
    groups.delete(column);
    blooms.delete(column);
  }
  if (bound === undefined || (groups.size === 0 && blooms.size === 0)) return { ...whole, groups };
  return { spans: spansOf(stripe, bound, stride, { groups, blooms }), groups };
}

interface ColumnFilters {
  /** Of each row group. */
  readonly mayContain: readonly ((hash: bigint) => boolean)[];
  readonly isUtf8: boolean;
}

interface Indexes {
  readonly groups: ReadonlyMap<number, readonly RowGroup[]>;
  readonly blooms: ReadonlyMap<number, ColumnFilters>;
}

/** A second index of a column is one too many: neither is believed. */
function setOnce(groups: Map<number, RowGroup[]>, column: number, found: RowGroup[] | undefined): void {
  if (groups.has(column)) groups.delete(column);
  else if (found !== undefined) groups.set(column, found);
}

/** The content of an index stream; undefined when it does not decompress: rows can be read without. */
function unpacked(bytes: Uint8Array, { start }: StreamInformation, stripe: Surveyed): Uint8Array | undefined {
  try {
    return readChunks(bytes, stripe.metadata.postscript, stripe.select.limits, start);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Neighbouring row groups that may pass go together. */
function spansOf(stripe: Surveyed, bound: BoundPredicate, stride: number, indexes: Indexes): RowSpan[] {
  const { rows, wanted } = stripe;
  const spans: [number, number][] = [];
  for (let group = 0, from = 0; from < rows; group++, from += stride) {
    const to = Math.min(rows, from + stride);
    const [first, last] = [Math.max(from, wanted[0]), Math.min(to, wanted[1])];
    if (first >= last) continue;
    if (!mayPass(bound, to - from, (column) => rangeOf(stripe, column, group, to - from, indexes))) continue;
    const before = spans.at(-1);
    if (before?.[1] === first) before[1] = last;
    else spans.push([first, last]);
  }
  return spans;
}

/** What the indexes say of a column in one row group. */
function rangeOf(
  { metadata, nodes }: Surveyed,
  column: BoundColumn,
  group: number,
  rows: number,
  { groups, blooms }: Indexes,
): ColumnRange | undefined {
  const node = leafAt(nodes, column);
  if (node === undefined) return undefined;
  const trust = trustOf(metadata);
  const entry = groups.get(node.id)?.[group];
  const range =
    entry === undefined
      ? {}
      : statisticsRange(entry.statistics, rows, node.orc, column.type, column.indices.length > 1, trust);
  const filters = blooms.get(node.id);
  if (filters === undefined || !isAsStored(node, column)) return range;
  const test = filters.mayContain[group] as (hash: bigint) => boolean;
  const mayContain = (key: Key): boolean => {
    const hashes = hashesOf(key, node.orc, filters.isUtf8, trust);
    return hashes === undefined || hashes.some(test);
  };
  return { ...range, mayContain };
}

/** Whether values are read as they are stored: a stored Arrow schema may have changed their type. */
function isAsStored({ orc: { kind } }: Node, { type }: BoundColumn): boolean {
  switch (kind) {
    case "byte":
    case "short":
    case "int":
    case "long":
      return type.kind === "int" && type.signed;
    case "date":
      return type.kind === "date" && type.unit === "day";
    case "float":
    case "double":
      return type.kind === "float";
    case "string":
    case "varchar":
      return type.kind === "utf8" || type.kind === "largeUtf8";
    default:
      return false;
  }
}

/** The columns of which some value is looked for by equality. */
function soughtColumns(
  bound: BoundPredicate,
  nodes: readonly Node[],
  into = new Map<number, Node>(),
): Map<number, Node> {
  switch (bound.kind) {
    case "and":
    case "or":
      for (const part of bound.parts) soughtColumns(part, nodes, into);
      break;
    case "not":
      soughtColumns(bound.part, nodes, into);
      break;
    case "compare":
    case "in": {
      const node = leafAt(nodes, bound.column);
      const isSought = bound.kind === "in" || bound.operator === "eq";
      if (node !== undefined && isSought && isAsStored(node, bound.column)) into.set(node.id, node);
      break;
    }
    default:
  }
  return into;
}

/** The row indexes of the columns that are read. */
function indexStreams({ streams }: StripeFooter, columns: ReadonlySet<number>): StreamInformation[] {
  return streams.filter(
    ({ kind, column, start, end }) =>
      kind === indexStreamKinds.rowIndex && columns.has(column) && end - start <= MOST_INDEX_BYTES,
  );
}

/** One bloom filter of each column that has one; text only by its UTF-8. */
function bloomStreams({ streams }: StripeFooter, sought: ReadonlyMap<number, Node>): StreamInformation[] {
  const found = new Map<number, StreamInformation>();
  for (const stream of streams) {
    const { kind, column, start, end } = stream;
    const node = sought.get(column);
    if (node === undefined || end - start > MOST_INDEX_BYTES) continue;
    const isText = node.orc.kind === "string" || node.orc.kind === "varchar";
    const isUtf8 = kind === indexStreamKinds.bloomFilterUtf8;
    if (isUtf8 || (kind === indexStreamKinds.bloomFilter && !isText && !found.has(column))) found.set(column, stream);
  }
  return [...found.values()];
}

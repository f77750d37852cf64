import {
  bindPredicate,
  type BoundColumn,
  type BoundPredicate,
  type ByteSpan,
  type ColumnRange,
  type Key,
  mayPass,
  type Need,
  type Predicate,
} from "@ingest-ts/core";
import { hashesOf, readBloomFilter } from "./bloom.ts";
import type { ParquetMetadata } from "./metadata.ts";
import { fieldOf, leavesOf, type LeafNode, type Node } from "./nodes.ts";
import { type IndexedPage, type PageLocation, readColumnIndex, readOffsetIndex } from "./page-index.ts";
import { leafAt } from "./prune.ts";
import type { ColumnChunk, RowGroup, SchemaElement, StoredSpan } from "./spec.ts";
import { chunkRange, isOrdered } from "./statistics.ts";

/** Rows [from, to) of a row group. */
export type RowSpan = readonly [from: number, to: number];

/** An offset index that is shorter speaks of one page: the statistics of the chunk say as much. */
const LEAST_INDEX_BYTES = 21;
/** Larger filters and indexes are worth less than they cost. */
const MOST_INDEX_BYTES = 8 * 1024 * 1024;

/** What indexes say of one row group. */
export interface Survey {
  /** Rows that may pass. */
  readonly spans: readonly RowSpan[];
  /** Pages of the selected columns without lists, by the ordinal of their leaf, where that is known. */
  readonly pages: ReadonlyMap<number, readonly PageLocation[]>;
}

/** A column of `where` in one row group. */
interface Surveyed {
  readonly node: LeafNode;
  readonly chunk: ColumnChunk;
  readonly element: SchemaElement;
  readonly range: ColumnRange;
  /** Whether bounds of its pages are fetched. */
  hasBounds: boolean;
  bounds: Uint8Array | undefined;
  mayContain: ((hash: bigint) => boolean) | undefined;
  pages: readonly IndexedPage[] | undefined;
}

const nothing = { hasBounds: false, bounds: undefined, mayContain: undefined, pages: undefined } as const;

/**
 * Which rows of a row group may pass `where`, by bloom filters and page indexes; those are fetched first, when there are
 * some that help. All rows when there are none.
 *
 * @param nodes the selected columns, among them those of `where`
 */
export function* surveyRows(
  where: Predicate,
  nodes: readonly Node[],
  group: RowGroup,
  metadata: ParquetMetadata,
): Generator<Need, Survey, Uint8Array[]> {
  const bound = bindPredicate(where, { fields: nodes.map(fieldOf), metadata: {} });
  const columns = columnsOf(bound, nodes, group, metadata);
  const asked = [...columns.values()].flatMap((column) => requestsOf(column, bound, metadata));
  const pages = new Map<number, readonly PageLocation[]>();
  // Bounds of pages help as much as the places of the pages of all columns.
  if ([...columns.values()].some(({ hasBounds }) => hasBounds))
    asked.unshift(...placesOf(nodes, group, metadata, pages));
  if (asked.length > 0) {
    const answers = yield { need: asked.map(({ span }) => span) };
    asked.forEach(({ take }, i) => take(answers[i] as Uint8Array));
  }
  for (const column of columns.values()) {
    const { ordinal } = column.node.leaf;
    if (column.bounds !== undefined)
      column.pages = readColumnIndex(column.bounds, pages.get(ordinal) ?? [], column.node);
  }
  const { numRows } = group;
  const surveyed = (column: BoundColumn): Surveyed | undefined => columns.get(column.indices.join("."));
  const wholeRange = (column: BoundColumn): ColumnRange | undefined => {
    const found = surveyed(column);
    return found === undefined ? undefined : { ...found.range, mayContain: containsOf(found) };
  };
  const spans = mayPass(bound, numRows, wholeRange) ? spansOf(bound, numRows, [...columns.values()], surveyed) : [];
  return { spans, pages };
}

function columnsOf(
  bound: BoundPredicate,
  nodes: readonly Node[],
  group: RowGroup,
  metadata: ParquetMetadata,
): Map<string, Surveyed> {
  const elements = metadata.elements.filter((element) => element.numChildren === undefined);
  const columns = new Map<string, Surveyed>();
  for (const column of boundColumns(bound)) {
    const node = leafAt(nodes, column);
    if (node === undefined) continue;
    const chunk = group.columns[node.leaf.ordinal] as ColumnChunk;
    const element = elements[node.leaf.ordinal] as SchemaElement;
    const typeOrdered = metadata.typeOrdered[node.leaf.ordinal] === true;
    const range = chunkRange(chunk.statistics, node, element, typeOrdered);
    columns.set(column.indices.join("."), { node, chunk, element, range, ...nothing });
  }
  return columns;
}

function boundColumns(bound: BoundPredicate): BoundColumn[] {
  switch (bound.kind) {
    case "and":
    case "or":
      return bound.parts.flatMap(boundColumns);
    case "not":
      return boundColumns(bound.part);
    default:
      return [bound.column];
  }
}

interface Request {
  readonly span: ByteSpan;
  readonly take: (bytes: Uint8Array) => void;
}

/** What is worth fetching of one column. */
function requestsOf(column: Surveyed, bound: BoundPredicate, metadata: ParquetMetadata): Request[] {
  const { chunk, node, element } = column;
  const requests: Request[] = [];
  const bloom = spanOf(chunk.bloomFilter, metadata);
  // A filter costs as much as what it may save when it is as large.
  if (bloom !== undefined && bloom.end - bloom.start < chunk.totalCompressedSize && isSought(bound, node)) {
    requests.push({ span: bloom, take: (bytes) => (column.mayContain = readBloomFilter(bytes)) });
  }
  const [places, bounds] = [spanOf(chunk.offsetIndex, metadata), spanOf(chunk.columnIndex, metadata)];
  const isOrderKnown = isOrdered(node, element, metadata.typeOrdered[node.leaf.ordinal] === true);
  const isUseful = places !== undefined && places.end - places.start >= LEAST_INDEX_BYTES;
  if (bounds === undefined || !isOrderKnown || !isUseful) return requests;
  column.hasBounds = true;
  requests.push({ span: bounds, take: (bytes) => (column.bounds = bytes) });
  return requests;

  /** Whether some value of the column is looked for by equality. */
  function isSought(part: BoundPredicate, leaf: LeafNode): boolean {
    switch (part.kind) {
      case "and":
      case "or":
        return part.parts.some((each) => isSought(each, leaf));
      case "not":
        return isSought(part.part, leaf);
      case "compare":
        return part.operator === "eq" && part.column.path.at(-1) === leaf.name;
      case "in":
        return part.column.path.at(-1) === leaf.name;
      default:
        return false;
    }
  }
}

/** The offset indexes of all selected columns without lists. */
function placesOf(
  nodes: readonly Node[],
  group: RowGroup,
  metadata: ParquetMetadata,
  into: Map<number, readonly PageLocation[]>,
): Request[] {
  return nodes.flatMap(leavesOf).flatMap(({ leaf }) => {
    const span = spanOf(group.columns[leaf.ordinal]?.offsetIndex, metadata);
    if (leaf.maxRepetition > 0 || span === undefined) return [];
    const take = (bytes: Uint8Array): void => {
      const pages = readOffsetIndex(bytes, group.numRows);
      if (pages !== undefined) into.set(leaf.ordinal, pages);
    };
    return [{ span, take }];
  });
}

/** Undefined when the place makes no sense, or its length is not known. */
function spanOf(stored: StoredSpan | undefined, { sizeBytes }: ParquetMetadata): ByteSpan | undefined {
  if (stored?.length === undefined || stored.length > MOST_INDEX_BYTES) return undefined;
  const end = stored.offset + stored.length;
  return end <= sizeBytes ? { start: stored.offset, end } : undefined;
}

function containsOf({ mayContain, node, element }: Surveyed): ((key: Key) => boolean) | undefined {
  if (mayContain === undefined) return undefined;
  return (key) => {
    const hashes = hashesOf(key, node, element);
    return hashes === undefined || hashes.some(mayContain);
  };
}

/** Rows between the borders of pages go together; neighbours that may pass are joined. */
function spansOf(
  bound: BoundPredicate,
  numRows: number,
  columns: readonly Surveyed[],
  surveyed: (column: BoundColumn) => Surveyed | undefined,
): RowSpan[] {
  const borders = new Set([0, numRows]);
  for (const { pages } of columns) for (const { from } of pages ?? []) borders.add(from);
  const sorted = [...borders].sort((a, b) => a - b);
  const places = new Map<Surveyed, number>();
  const spans: [number, number][] = [];
  for (let i = 0; i + 1 < sorted.length; i++) {
    const [from, to] = [sorted[i] as number, sorted[i + 1] as number];
    const rangeOf = (column: BoundColumn): ColumnRange | undefined => {
      const found = surveyed(column);
      if (found === undefined) return undefined;
      const page = pageAt(found, from, places);
      return page === undefined
        ? { ...found.range, nullCount: shareOf(found.range, numRows, to - from) }
        : partOf(page, to - from);
    };
    if (!mayPass(bound, to - from, rangeOf)) continue;
    const last = spans.at(-1);
    if (last?.[1] === from) last[1] = to;
    else spans.push([from, to]);
  }
  return spans;
}

/** The page that holds row `from`; asked with ascending rows. */
function pageAt(column: Surveyed, from: number, places: Map<Surveyed, number>): IndexedPage | undefined {
  const { pages } = column;
  if (pages === undefined) return undefined;
  let at = places.get(column) ?? 0;
  while ((pages[at]?.to ?? Infinity) <= from) at++;
  places.set(column, at);
  return pages[at];
}

/** What a page's range says of some of its rows. */
function partOf({ range, from, to }: IndexedPage, rows: number): ColumnRange {
  return { ...range, nullCount: shareOf(range, to - from, rows) };
}

/** How many of `rows` rows are null when `nullCount` of all are: none, or all, or that is not known. */
function shareOf({ nullCount }: ColumnRange, all: number, rows: number): number | undefined {
  if (nullCount === 0) return 0;
  return nullCount === all ? rows : undefined;
}

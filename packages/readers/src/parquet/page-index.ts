import { type ColumnRange, FormatError } from "@ingest-ts/core";
import type { LeafNode } from "./nodes.ts";
import { keyOf } from "./statistics.ts";
import { CompactReader, ThriftType } from "./thrift.ts";

const { BINARY, I32, I64, STRUCT } = ThriftType;

/** Where one data page lies and which rows it holds. */
export interface PageLocation {
  readonly offset: number;
  /** With its header. */
  readonly sizeBytes: number;
  /** Rows [from, to) of the row group. */
  readonly from: number;
  readonly to: number;
}

/** A page and what is known of its values. */
export interface IndexedPage extends PageLocation {
  readonly range: ColumnRange;
}

/** Thrift: `struct OffsetIndex`. @returns undefined when it is malformed, or its pages do not cover the row group */
export function readOffsetIndex(bytes: Uint8Array, numRows: number): PageLocation[] | undefined {
  const found: { offset: number; sizeBytes: number; from: number }[] = [];
  const isRead = reads(() => {
    const reader = new CompactReader(bytes, 0);
    reader.struct(STRUCT, "OffsetIndex", (id, type) => {
      if (id !== 1) return reader.skip(type);
      reader.list(type, STRUCT, "page_locations", (element) => {
        const numbers = [0, -1, -1, -1];
        reader.struct(element, "PageLocation", (field, inner) => {
          if (field === 1 || field === 3) numbers[field] = reader.count(inner, I64, "a page's place");
          else if (field === 2) numbers[field] = reader.count(inner, I32, "compressed_page_size");
          else reader.skip(inner);
        });
        const [, offset, sizeBytes, from] = numbers as [number, number, number, number];
        found.push({ offset, sizeBytes, from });
      });
    });
  });
  const pages = found.map((page, i) => ({ ...page, to: found[i + 1]?.from ?? numRows }));
  const isWhole =
    pages[0]?.from === 0 && pages.every(({ from, to, offset, sizeBytes }) => from < to && offset > 0 && sizeBytes > 0);
  const ascends = pages.every(({ offset, sizeBytes }, i) => offset + sizeBytes <= (pages[i + 1]?.offset ?? Infinity));
  return isRead && isWhole && ascends ? pages : undefined;
}

/**
 * Thrift: `struct ColumnIndex`, whose bounds must be known to follow the order of the column's type.
 *
 * @returns what it says of each page; undefined when it is malformed or speaks of other pages
 */
export function readColumnIndex(
  bytes: Uint8Array,
  pages: readonly PageLocation[],
  node: LeafNode,
): IndexedPage[] | undefined {
  let isNull: boolean[] = [];
  let [min, max]: Uint8Array[][] = [[], []];
  let nulls: number[] | undefined;
  const isRead = reads(() => {
    const reader = new CompactReader(bytes, 0);
    const binaries = (type: number): Uint8Array[] =>
      reader.list(type, BINARY, "bounds of pages", (element) => reader.binary(element, "a bound"));
    reader.struct(STRUCT, "ColumnIndex", (id, type) => {
      if (id === 1) isNull = reader.booleans(type, "null_pages");
      else if (id === 2) min = binaries(type);
      else if (id === 3) max = binaries(type);
      else if (id === 5) nulls = reader.list(type, I64, "null_counts", (element) => reader.i64(element, "null_counts"));
      else reader.skip(type);
    });
  });
  const lengths = [isNull.length, min?.length, max?.length, nulls?.length ?? pages.length];
  if (!isRead || lengths.some((length) => length !== pages.length)) return undefined;
  return pages.map((page, i) => {
    // Writers that counted nothing call every page null: only a count that agrees is believed.
    const nullCount = nulls?.[i];
    if (isNull[i] === true) {
      const isAgreed = nullCount === page.to - page.from && node.leaf.maxDefinition > 0;
      return { ...page, range: isAgreed ? { nullCount } : {} };
    }
    const range = { min: keyOf(min?.[i], node), max: keyOf(max?.[i], node), nullCount };
    return { ...page, range };
  });
}

/** Whether `body` ran through: indexes only save work, so malformed ones are none. */
function reads(body: () => void): boolean {
  try {
    body();
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

import { addWhere, type ByteSource, checkLimit, FormatError, type ReadOptions } from "@ingest-ts/core";
import type { ParquetMetadata } from "../parquet/metadata.ts";
import { type LeafNode, leavesOf } from "../parquet/nodes.ts";
import { readPageHeader } from "../parquet/page-header.ts";
import { type ChunkPlan, plan } from "../parquet/plan.ts";
import { fileNodes } from "../parquet/schema.ts";
import {
  type ColumnChunk,
  Compression,
  Encoding,
  nameOf,
  type PageHeader,
  PageType,
  Physical,
  type SchemaElement,
} from "../parquet/spec.ts";
import { chunkRange } from "../parquet/statistics.ts";
import type { InspectedColumn, InspectedPage, InspectFormat, InspectOptions } from "./inspection.ts";

const encodingName = (encoding: number): string => nameOf(Encoding, encoding, "encoding");

/** Row groups, column chunks and, when asked for, pages. */
export const inspectParquet: InspectFormat<ParquetMetadata> = async (source, metadata, options) => {
  const leaves = fileNodes(metadata, options.select).flatMap(leavesOf);
  const fragments = plan(metadata, options.select);
  const inspected = [];
  for (const { ordinal, rows, plan: group } of fragments) {
    const columns: InspectedColumn[] = [];
    for (const [i, leaf] of leaves.entries()) {
      const chunkPlan = group.chunks[i] as ChunkPlan;
      const chunk = metadata.rowGroups[ordinal]?.columns[leaf.leaf.ordinal] as ColumnChunk;
      const where = { url: metadata.url, fragment: ordinal, column: leaf.leaf.path.join(".") };
      try {
        const pages = options.pages ? await pagesOf(source, chunkPlan, options) : undefined;
        columns.push(inspectChunk(leaf, chunk, metadata, pages));
      } catch (error) {
        throw addWhere(error, where);
      }
    }
    const start = Math.min(...group.chunks.map((chunk) => chunk.start));
    const end = Math.max(...group.chunks.map((chunk) => chunk.end));
    inspected.push({
      ordinal,
      rows,
      start: group.chunks.length === 0 ? 0 : start,
      end: group.chunks.length === 0 ? 0 : end,
      columns,
    });
  }
  return {
    url: metadata.url,
    format: "parquet",
    sizeBytes: metadata.sizeBytes,
    rows: metadata.rowGroups.reduce((sum, { numRows }) => sum + numRows, 0),
    writer: metadata.createdBy,
    facts: { "row groups": metadata.rowGroups.length, columns: leaves.length },
    metadata: metadata.keyValues,
    fragments: inspected,
  };
};

function inspectChunk(
  node: LeafNode,
  chunk: ColumnChunk,
  metadata: ParquetMetadata,
  pages: InspectedPage[] | undefined,
): InspectedColumn {
  const { leaf } = node;
  const elements = metadata.elements.filter((element) => element.numChildren === undefined);
  const typeOrdered = metadata.typeOrdered[leaf.ordinal] === true;
  const range = chunkRange(chunk.statistics, node, elements[leaf.ordinal] as SchemaElement, typeOrdered);
  const indexes: string[] = [];
  if (chunk.columnIndex !== undefined) indexes.push("column index");
  if (chunk.offsetIndex !== undefined) indexes.push("offset index");
  if (chunk.bloomFilter !== undefined) indexes.push("bloom filter");
  const physical = nameOf(Physical, leaf.physical, "type");
  return {
    path: leaf.path,
    physical: leaf.typeLength > 0 ? `${physical}(${leaf.typeLength})` : physical,
    type: node.type,
    codec: nameOf(Compression, chunk.codec, "codec"),
    encodings: [...new Set(chunk.encodings)].map(encodingName),
    storedBytes: chunk.totalCompressedSize,
    plainBytes: chunk.totalUncompressedSize,
    values: chunk.numValues,
    nulls: range.nullCount,
    min: range.min,
    max: range.max,
    indexes,
    pages,
  };
}

/** Fetched at a time: many small pages, or the header of a large one. */
const WINDOW_BYTES = 64 * 1024;

/** Walks over the headers of a chunk's pages. */
async function pagesOf(
  source: ByteSource,
  { start, end, exactEnd, numValues }: ChunkPlan,
  options: InspectOptions,
): Promise<InspectedPage[]> {
  // Without values there need be no page at all, whatever the footer says.
  if (numValues === 0) return [];
  const pages: InspectedPage[] = [];
  const read = windowed(source, end, options);
  let values = 0;
  for (let offset = start; offset < (exactEnd ?? end) && (values < numValues || exactEnd !== undefined); ) {
    const { header, headerBytes } = await read(offset);
    checkLimit(options.select.limits, "pageBytes", header.uncompressedSize, "a page");
    const page = inspectPage(header, offset, headerBytes);
    if (offset + page.storedBytes > end)
      throw new FormatError(`a page of ${page.storedBytes} bytes passes the end of its column chunk`, {
        where: { offset },
      });
    if (header.type !== PageType.DICTIONARY_PAGE) values += page.values ?? 0;
    pages.push(page);
    offset += page.storedBytes;
  }
  if (values !== numValues) throw new FormatError(`the pages hold ${values} values, the footer says ${numValues}`);
  return pages;
}

/** Reads page headers from windows that move forward. */
function windowed(
  source: ByteSource,
  end: number,
  { signal }: ReadOptions,
): (offset: number) => Promise<ReturnType<typeof readPageHeader>> {
  let at = 0;
  let bytes = new Uint8Array(0);
  return async (offset) => {
    for (let sizeBytes = WINDOW_BYTES; ; sizeBytes *= 16) {
      const held = bytes.subarray(Math.max(0, offset - at));
      try {
        if (offset >= at && held.length > 0) return readPageHeader(held, offset);
      } catch (error) {
        // What is cut by the window's end is read again in a larger one.
        const isWhole = offset === at && (at + bytes.length >= end || sizeBytes > WINDOW_BYTES * 256);
        if (!(error instanceof FormatError) || isWhole) throw error;
      }
      const [answer] = await source.getRanges([{ start: offset, end: Math.min(end, offset + sizeBytes) }], { signal });
      bytes = answer as Uint8Array<ArrayBuffer>;
      at = offset;
    }
  };
}

const kinds: Readonly<Record<number, string>> = {
  [PageType.DATA_PAGE]: "data",
  [PageType.DATA_PAGE_V2]: "data v2",
  [PageType.DICTIONARY_PAGE]: "dictionary",
  [PageType.INDEX_PAGE]: "index",
};

function inspectPage(header: PageHeader, offset: number, headerBytes: number): InspectedPage {
  const content = header.data ?? header.dataV2 ?? header.dictionary;
  return {
    kind: kinds[header.type] ?? `type ${header.type}`,
    offset,
    storedBytes: headerBytes + header.compressedSize,
    plainBytes: headerBytes + header.uncompressedSize,
    values: content?.numValues,
    encoding: content === undefined ? undefined : encodingName(content.encoding),
    crc: header.crc !== undefined,
  };
}

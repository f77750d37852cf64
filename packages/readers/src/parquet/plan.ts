import { addWhere, FormatError, type Fragment, type Select, UnsupportedError } from "@ingest-ts/core";
import type { ParquetMetadata } from "./metadata.ts";
import { type Leaf, leavesOf } from "./nodes.ts";
import { groupFilter } from "./prune.ts";
import { fileNodes, selectedNodes } from "./schema.ts";
import { type ColumnChunk, Compression, nameOf, Physical, type RowGroup, TRAILER_BYTES } from "./spec.ts";

/** Where one leaf of one row group lies: bytes [start, end) of the file. */
export interface ChunkPlan {
  readonly start: number;
  readonly end: number;
  /** Where the pages must end, when that is known for sure. */
  readonly exactEnd: number | undefined;
  readonly codec: number;
  /** Level pairs in all data pages together. */
  readonly numValues: number;
  /** Uncompressed pages with their headers, as the footer says. */
  readonly uncompressedBytes: number;
}

/** One row group. */
export interface ParquetPlan {
  readonly numRows: number;
  /** One per selected leaf, in the order of the selected columns. */
  readonly chunks: readonly ChunkPlan[];
}

/** One fragment per row group that may have rows for `select.where`. @throws FormatError, UnsupportedError when a selected chunk cannot be what it claims. */
export function plan(metadata: ParquetMetadata, select: Select): Fragment<ParquetPlan>[] {
  const leafCount = fileNodes(metadata, select).flatMap(leavesOf).length;
  const nodes = selectedNodes(metadata, select);
  const leaves = nodes.flatMap(leavesOf).map((node) => node.leaf);
  const padding = chunkPadding(metadata.createdBy);
  const planned = metadata.rowGroups.map((group, ordinal) => {
    try {
      if (group.columns.length !== leafCount)
        throw new FormatError(`a row group of ${group.columns.length} columns in a file of ${leafCount}`);
      const chunks = leaves.map((leaf) => planChunk(leaf, group, metadata.sizeBytes, padding));
      const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.end - chunk.start, 0);
      return { url: metadata.url, ordinal, rows: group.numRows, sizeBytes, plan: { numRows: group.numRows, chunks } };
    } catch (error) {
      throw addWhere(error, { url: metadata.url, fragment: ordinal });
    }
  });
  if (select.where === undefined) return planned;
  const mayHold = groupFilter(select.where, nodes, metadata);
  return planned.filter(({ ordinal }) => mayHold(metadata.rowGroups[ordinal] as RowGroup));
}

/** parquet-mr before 1.2.9 left the dictionary page's header out of total_compressed_size (PARQUET-816). */
function chunkPadding(createdBy: string | undefined): number {
  const version = /^parquet-mr version 1\.(\d+)\.(\d+)/.exec(createdBy ?? "");
  if (version === null) return 0;
  const [minor, patch] = [Number(version[1]), Number(version[2])];
  return minor < 2 || (minor === 2 && patch < 9) ? 100 : 0;
}

function planChunk(leaf: Leaf, group: RowGroup, fileBytes: number, padding: number): ChunkPlan {
  const chunk = group.columns[leaf.ordinal] as ColumnChunk;
  try {
    checkChunk(chunk, leaf, group.numRows);
    const dictionary = chunk.dictionaryPageOffset ?? 0;
    // 0, or less, or behind the data pages: no dictionary page, whatever the field says.
    const start = dictionary > 0 && dictionary < chunk.dataPageOffset ? dictionary : chunk.dataPageOffset;
    const end = start + chunk.totalCompressedSize;
    if (end > fileBytes - TRAILER_BYTES)
      throw new FormatError(`a column chunk of bytes ${start} to ${end} in a file of ${fileBytes}`, {
        where: { offset: start },
      });
    return {
      start,
      end: Math.min(end + padding, fileBytes - TRAILER_BYTES),
      exactEnd: padding === 0 ? end : undefined,
      codec: chunk.codec,
      numValues: chunk.numValues,
      uncompressedBytes: chunk.totalUncompressedSize,
    };
  } catch (error) {
    throw addWhere(error, { column: leaf.path.join(".") });
  }
}

function checkChunk(chunk: ColumnChunk, leaf: Leaf, numRows: number): void {
  if (chunk.encrypted)
    throw new UnsupportedError("the column is encrypted; encryption is not supported", {
      remedy: "Select other columns, or decrypt the file with the tool that wrote it.",
    });
  if (chunk.filePath !== undefined && chunk.filePath !== "")
    throw new UnsupportedError("the column chunk lies in another file (file_path)");
  if (chunk.type !== leaf.physical) {
    const [stored, declared] = [nameOf(Physical, chunk.type, "type"), nameOf(Physical, leaf.physical, "type")];
    throw new FormatError(`the column chunk is of ${stored}, the schema says ${declared}`);
  }
  if (chunk.codec === Compression.LZO || nameOf(Compression, chunk.codec, "codec").startsWith("codec "))
    throw new UnsupportedError(`compression codec ${nameOf(Compression, chunk.codec, "codec")} is not supported`);
  if (leaf.maxRepetition === 0 && chunk.numValues !== numRows)
    throw new FormatError(`the column chunk has ${chunk.numValues} values, its row group ${numRows} rows`);
  if (chunk.numValues < numRows)
    throw new FormatError(`the column chunk has ${chunk.numValues} values for ${numRows} rows`);
}

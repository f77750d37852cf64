import { byteWidthOf, type DataType, OptionsError, type Schema } from "@ingest-ts/core";
import type { Dataset } from "./dataset.ts";
import type { OrderSettings } from "./options.ts";

/** About how many rows a block has, unless one batch is larger. */
const BLOCK_ROWS = 2_048;
const BLOCK_BYTES = 32 * 1024 * 1024;
/**
 * Each lane holds one slab. Writers end Parquet pages at 20,000 rows: slabs shorter than a page would make the decoder
 * move the rest of it.
 */
export const SLAB_ROWS = 32_768;
/** … and slabs of wide rows are shorter. */
export const SLAB_BYTES: number = 16 * 1024 * 1024;
/** Values of unknown width usually take more in memory than in the file. */
const DECODED_TO_STORED = 3;
const SMALL_VALUE_BYTES = 16;

function fixedBytes(type: DataType): number {
  switch (type.kind) {
    case "bool":
      return 1 / 8;
    case "struct":
      return type.children.reduce((sum, { type: child }) => sum + fixedBytes(child), 0);
    case "fixedSizeList":
      return type.size * fixedBytes(type.child.type);
    default:
      return byteWidthOf(type);
  }
}

function variableColumns(type: DataType): number {
  switch (type.kind) {
    case "utf8":
    case "binary":
    case "largeUtf8":
    case "largeBinary":
    case "list":
    case "largeList":
    case "map":
    case "union":
      return 1;
    case "struct":
      return type.children.reduce((sum, { type: child }) => sum + variableColumns(child), 0);
    default:
      return 0;
  }
}

/** Bytes of one decoded row: exact for types of fixed width, estimated from the file for others. */
function rowBytes(schema: Schema, storedBytesPerRow: number): number {
  const fixed = schema.fields.reduce((sum, { type }) => sum + fixedBytes(type), 0);
  const variable = schema.fields.reduce((sum, { type }) => sum + variableColumns(type), 0);
  if (variable === 0) return fixed;
  return fixed + Math.max(variable * SMALL_VALUE_BYTES, DECODED_TO_STORED * storedBytesPerRow);
}

/** What one rank is expected to hold at once. */
export interface MemoryEstimate {
  readonly rowBytes: number;
  /** Compressed chunks, one slab for each lane in progress. */
  readonly readBytes: number;
  /** lanes / worldSize + 1 windows; of unshuffled lanes none. */
  readonly windowBytes: number;
  readonly blockRows: number;
  readonly totalBytes: number;
}

/** Estimates before anything is decoded. */
export function estimateMemory(
  { manifest, objects, schema }: Dataset,
  { lanes, windowRows }: OrderSettings,
  worldSize: number,
  batchSize: number,
): MemoryEstimate {
  const sizes = objects.flatMap(({ fragmentBytes }) => fragmentBytes);
  const storedBytes = sizes.reduce((sum, sizeBytes) => sum + sizeBytes, 0);
  const largestFragment = sizes.reduce((max, sizeBytes) => Math.max(max, sizeBytes), 0);
  const perRow = rowBytes(schema, manifest.rows === 0 ? 0 : storedBytes / manifest.rows);
  const own = lanes / worldSize;
  const longestLane = Math.ceil(manifest.segments.reduce((max, { rows }) => Math.max(max, rows), 0) / lanes);
  const slabRows = Math.min(SLAB_ROWS, longestLane);
  const slabBytes = Math.min(slabRows * perRow, SLAB_BYTES);
  const readBytes = own * (largestFragment + slabBytes);
  const windowBytes = windowRows === 0 ? 0 : (own + 1) * Math.min(windowRows, longestLane) * perRow;
  const batches = Math.min(
    Math.round(BLOCK_ROWS / batchSize),
    Math.floor(BLOCK_BYTES / Math.max(1, batchSize * perRow)),
  );
  const blockRows = batchSize * Math.max(1, batches);
  const blockBytes = 2 * Math.min(blockRows, manifest.rows) * perRow;
  const totalBytes = readBytes + windowBytes + blockBytes;
  return { rowBytes: perRow, readBytes, windowBytes, blockRows, totalBytes };
}

function mebibytes(sizeBytes: number): string {
  return `${Math.ceil(sizeBytes / 1024 ** 2)} MiB`;
}

/** @throws OptionsError naming the numbers when the estimate is above the limit. */
export function checkMemory(
  estimate: MemoryEstimate,
  { lanes, windowRows }: OrderSettings,
  worldSize: number,
  limitBytes: number,
): void {
  if (estimate.totalBytes <= limitBytes) return;
  const own = lanes / worldSize;
  const parts =
    `${own} of ${lanes} lanes read ${mebibytes(estimate.readBytes)} at once and ` +
    `${own + 1} windows of ${windowRows} rows of about ${Math.ceil(estimate.rowBytes)} bytes take ${mebibytes(estimate.windowBytes)}`;
  throw new OptionsError(
    `about ${mebibytes(estimate.totalBytes)} would be needed, memoryBytes is ${mebibytes(limitBytes)}: ${parts}`,
    {
      remedy: "Lower shuffle.windowRows or shuffle.lanes, select fewer columns, or raise memoryBytes.",
    },
  );
}

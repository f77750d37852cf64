// What fuzz tests ask of every file, however it was changed.
import { type FormatName, isIngestError, type OptionsError } from "@ingest-ts/core";
import { toRecordBatch } from "@ingest-ts/core/arrow";
import { memorySource, rowsOf } from "@ingest-ts/core/testing";
import { open, type OpenOptions } from "../src/open.ts";

/** One file of a few kilobytes may take so much of a processor; the clock says little on a busy machine. */
const MOST_MS = 5000;
/** Columns of more rows are made, and not looked at one by one. */
const MOST_ROWS = 3000;

/** Small limits, so that a hostile claim cannot cost much before it is refused. */
const limits = { pageBytes: 2 ** 22, recordBytes: 2 ** 22, dictionaryEntries: 2 ** 16, bytesInFlight: 2 ** 24 };

/**
 * Reads all of a file: how many rows, or "error" for a typed error. Anything else is thrown: an untyped error, fewer rows
 * than claimed, columns that are no Arrow data, or too much time.
 */
export async function outcomeOf(
  bytes: Uint8Array,
  format: FormatName,
  options: OpenOptions = {},
): Promise<number | "error"> {
  const before = process.cpuUsage();
  const outcome = await readAll(bytes, format, options);
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1000;
  if (tookMs > MOST_MS) throw new Error(`it took ${tookMs} ms`);
  return outcome;
}

async function readAll(bytes: Uint8Array, format: FormatName, options: OpenOptions): Promise<number | "error"> {
  try {
    const reader = await open(memorySource(bytes, "memory:fuzzed"), { format, limits, ...options });
    let rows = 0;
    for await (const slab of reader.slabs()) {
      rows += slab.rows;
      toRecordBatch(slab, reader.arrowSchema);
      if (slab.rows <= MOST_ROWS) rowsOf(slab);
    }
    if (reader.rows !== undefined && reader.rows !== rows) throw new Error(`${rows} rows of ${reader.rows}`);
    return rows;
  } catch (error) {
    if (isIngestError(error, "INGEST_FORMAT") || isIngestError(error, "INGEST_UNSUPPORTED")) return "error";
    if (isExpectedOption(error, options)) return "error";
    throw error;
  }
}

/** Columns that are gone, and schemas that do not fit, are the caller's to hear of. */
function isExpectedOption(error: unknown, options: OpenOptions): error is OptionsError {
  const asks = options.columns !== undefined || options.where !== undefined || options.schema !== undefined;
  return asks && isIngestError(error, "INGEST_OPTIONS");
}

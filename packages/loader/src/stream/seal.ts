import { FormatError, StateError } from "@ingest-ts/core";
import { buildManifest, digestOf, type Manifest, type ManifestObject } from "@ingest-ts/sharder";

/** Consecutive offsets of one partition in a window, and how many rows they hold. */
export interface SealedRange {
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  readonly rows: number;
}

/**
 * What a window of a stream holds, decided once for everybody: window k + 1 begins where window k ends in every partition.
 * Written as JSON to `seal/<k>`, and never changed.
 */
export interface Seal {
  readonly version: 1;
  readonly window: number;
  /** By topic and partition; partitions without offsets in this window say where they stand. */
  readonly ranges: readonly SealedRange[];
  readonly rows: number;
  /** Of what decides how rows are decoded and counted: another digest is another stream. */
  readonly options: string;
  /** Whether nothing follows: the end that the stream was to have was reached. */
  readonly last: boolean;
}

const encoder = new TextEncoder();

/** The bytes of a seal: the same seal, the same bytes. */
export function encodeSeal(seal: Seal): Uint8Array {
  const { version, window, ranges, rows, options, last } = seal;
  return encoder.encode(`${JSON.stringify({ version, window, ranges, rows, options, last })}\n`);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRange(value: unknown): value is SealedRange {
  if (typeof value !== "object" || value === null) return false;
  const { topic, partition, startOffset, endOffset, rows } = value as Partial<SealedRange>;
  if (typeof topic !== "string" || !isCount(partition) || !isCount(startOffset)) return false;
  return isCount(endOffset) && isCount(rows) && endOffset >= startOffset && rows <= endOffset - startOffset;
}

/**
 * @throws FormatError for what is no seal, StateError for one of another window or other options
 */
export function parseSeal(text: string, url: string, window: number, options: string): Seal {
  let value: Partial<Seal>;
  try {
    value = JSON.parse(text) as Partial<Seal>;
  } catch (cause) {
    throw new FormatError("the seal is no JSON", { where: { url }, remedy: "Restore it: runs depend on it.", cause });
  }
  const { version, ranges } = value;
  if (version !== 1 || !Array.isArray(ranges) || !ranges.every(isRange) || typeof value.last !== "boolean") {
    throw new FormatError("this is no seal of version 1", { where: { url }, remedy: "Restore it: runs depend on it." });
  }
  const rows = ranges.reduce((sum, range) => sum + range.rows, 0);
  if (value.window !== window || value.rows !== rows) {
    throw new FormatError(
      `the seal is of window ${value.window} with ${value.rows} rows, not of ${window} with ${rows}`,
      {
        where: { url },
        remedy: "Restore it: runs depend on it.",
      },
    );
  }
  if (value.options === options) return value as Seal;
  throw new StateError("the windows there were sealed with other options (topics, payloads, isolation, window)", {
    where: { url },
    remedy: "Use the options that they were sealed with, or name another folder for seals.",
  });
}

/** What a range is called in the manifest of its window. */
export function nameOfRange({ topic, partition, startOffset, endOffset }: SealedRange): string {
  return `${topic}/${String(partition).padStart(6, "0")}/${startOffset}-${endOffset}`;
}

/** The objects of a window in the order contract: one for each partition with rows, of one fragment. */
export function manifestOfSeal({ window, ranges }: Pick<Seal, "window" | "ranges">): Manifest {
  const objects = ranges
    .filter(({ rows }) => rows > 0)
    .map((range): ManifestObject => {
      const { topic, partition, startOffset, endOffset, rows } = range;
      const name = nameOfRange(range);
      const digest = digestOf(JSON.stringify([window, topic, partition, startOffset, endOffset, rows]));
      return { name, sizeBytes: endOffset - startOffset, digest, fragmentRows: [rows] };
    });
  return buildManifest(objects);
}

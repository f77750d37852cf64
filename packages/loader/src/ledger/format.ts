import type { Ends, Fingerprint, Manifest } from "@ingest-ts/sharder";
import type { Seal } from "../stream/seal.ts";

/** Changes whenever a line of a ledger could mean something else. */
export const LEDGER_VERSION = 1;

/** What all ledgers of one run share. */
export interface LedgerHeader {
  readonly ledger: number;
  readonly orderVersion: number;
  readonly seed: number;
  readonly lanes: number;
  readonly windowRows: number;
  readonly ends: Ends;
  /** Digest of the predicate; null without one. */
  readonly where: string | null;
  /** Of a stream: what decides its rows. Its epochs are windows, each of its own rows, and the header has no objects. */
  readonly stream?: string;
  readonly fingerprint: Fingerprint;
  readonly rows: number;
  /** [name, sizeBytes, digest, rows of each fragment], in the order of the manifest. */
  readonly objects: readonly (readonly [string, number, string, readonly number[]])[];
  /** [key, number of objects], in order. */
  readonly segments: readonly (readonly [string, number])[];
}

/** Members of the header that all ledgers of one run have alike, beside what they read. */
export const runMembers = ["orderVersion", "seed", "lanes", "windowRows", "ends", "where", "stream"] as const;

/** A process (or a stream) that began to hand out one rank's batches at a place. */
export interface LedgerAttempt {
  /** Eight hexadecimal digits; the attempt's batches repeat them. */
  readonly attempt: string;
  readonly rank: number;
  readonly worldSize: number;
  /** Positions of one batch of one rank. */
  readonly batchSize: number;
  /** Where it starts: positions [0, position) of this epoch, and all epochs before, are consumed. */
  readonly epoch: number;
  readonly position: number;
  /** Digest of names and types of the batches' columns: digests of other columns are not comparable. */
  readonly columns: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

/** One batch that was handed out. */
export interface LedgerBatch {
  /** The attempt it belongs to. */
  readonly batch: string;
  readonly epoch: number;
  readonly step: number;
  /** Global positions [from, to) of the step, of which the rank takes every worldSize-th. */
  readonly from: number;
  readonly to: number;
  /** Rows of the batch: after `where`, with padding. */
  readonly rows: number;
  readonly digest: string;
  /** Since the attempt began. */
  readonly ms: number;
}

/** What one window of a stream holds: before its first batch. */
export interface LedgerWindow {
  /** The epoch of its batches. */
  readonly window: number;
  /** [topic, partition, offset of the start, offset behind the end, rows], of all partitions, in order. */
  readonly ranges: readonly (readonly [string, number, number, number, number])[];
}

export type LedgerLine = LedgerHeader | LedgerAttempt | LedgerBatch | LedgerWindow;

/** Objects and segments as the header holds them. */
export function describeManifest(manifest: Manifest): Pick<LedgerHeader, "objects" | "segments"> {
  return {
    objects: manifest.objects.map((o) => [o.name, o.sizeBytes, o.digest, o.fragmentRows]),
    segments: manifest.segments.map(({ key, firstObject, endObject }) => [key, endObject - firstObject]),
  };
}

/** The line of a sealed window. */
export function describeSeal({ window, ranges }: Pick<Seal, "window" | "ranges">): LedgerWindow {
  return {
    window,
    ranges: ranges.map(({ topic, partition, startOffset, endOffset, rows }) => [
      topic,
      partition,
      startOffset,
      endOffset,
      rows,
    ]),
  };
}

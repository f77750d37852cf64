/**
 * Why offsets hold no row.
 *
 * | cause | meaning |
 * | --- | --- |
 * | control | markers that end transactions |
 * | aborted | records of aborted transactions, at isolation "read_committed" |
 * | removed | compacted away, or never given to a record |
 * | skipped, deadLettered | a record that could not be decoded, left out as `onPoison` says |
 * | lost | no longer in the log (retention, deleted records, a shorter log) and passed over because `onDataLoss` said so |
 */
export type GapCause = "control" | "aborted" | "removed" | "lost" | "skipped" | "deadLettered";

/** Offsets of one partition without a row. */
export interface Gap {
  readonly cause: GapCause;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export { digestRows } from "./digest.ts";
export type { LedgerAttempt, LedgerBatch, LedgerHeader, LedgerWindow } from "./format.ts";
export {
  columnsDigest,
  headerOf,
  type LedgerEntry,
  ledgerEntry,
  type LedgerRun,
  type LedgerStart,
  LedgerWriter,
} from "./writer.ts";
export {
  type AuditOptions,
  auditLedgers,
  type AuditReport,
  type EpochReport,
  type Finding,
  type FindingKind,
} from "./audit/audit.ts";
export type { RowRange } from "./audit/locate.ts";
export type { PartitionOffsets } from "./audit/windows.ts";

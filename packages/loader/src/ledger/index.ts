export { digestRows } from "./digest.ts";
export type { LedgerAttempt, LedgerBatch, LedgerHeader } from "./format.ts";
export { type LedgerEntry, ledgerEntry, type LedgerRun, type LedgerStart, LedgerWriter } from "./writer.ts";

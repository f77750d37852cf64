import type { ErrorCode, IngestError } from "@ingest-ts/core";

/** What the process tells its caller. */
export const exitCodes = {
  ok: 0,
  checkFailed: 1,
  usage: 2,
  badData: 3,
  unreachable: 4,
  defect: 70,
  interrupted: 130,
  terminated: 143,
} as const;

/** The same for people, at the end of every help text. */
export const exitCodesHelp = `
Exit codes:
  0 ok · 1 a check failed · 2 wrong usage or options · 3 bad or unsupported data
  4 source unreachable, or output not writable · 70 a defect of ingest
  130 interrupted (Ctrl-C) · 143 terminated`;

/** A signal asked us to stop. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`);
    this.name = "AbortError";
    this.exitCode = signal === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated;
  }
}

/** Whoever read our output went away: nothing more to do, and nothing went wrong. */
export class OutputClosed extends Error {}

/** One of our errors. By its code, not its class: loading core would triple the time that --help takes. */
export function isOurs(error: unknown): error is IngestError & { readonly code: ErrorCode } {
  return error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith("INGEST_");
}

/** What the process ends with when `error` is why. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof OutputClosed) return exitCodes.ok;
  if (!isOurs(error)) return exitCodes.defect;
  switch (error.code) {
    case "INGEST_FORMAT":
    case "INGEST_UNSUPPORTED":
      return exitCodes.badData;
    case "INGEST_SOURCE":
      return exitCodes.unreachable;
    case "INGEST_OPTIONS":
    case "INGEST_STATE":
      return exitCodes.usage;
  }
}

/** Where something went wrong. Every part is optional: say what is known. */
export interface Where {
  /** Without user-info and query. */
  readonly url?: string | undefined;
  /** 0-based within the object. */
  readonly fragment?: number | undefined;
  /** Dotted path of the column. */
  readonly column?: string | undefined;
  /** Bytes from the start of the object. */
  readonly offset?: number | undefined;
  /** A place in Kafka. */
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly kafkaOffset?: number | undefined;
}

export type ErrorCode = "INGEST_FORMAT" | "INGEST_UNSUPPORTED" | "INGEST_SOURCE" | "INGEST_OPTIONS" | "INGEST_STATE";

export interface ErrorDetail extends ErrorOptions {
  readonly where?: Where | undefined;
  /** What the reader of the message should do; a full sentence. */
  readonly remedy?: string | undefined;
  readonly retryable?: boolean | undefined;
}

function describe(where: Where): string {
  const parts: string[] = [];
  if (where.url !== undefined) parts.push(where.url);
  if (where.fragment !== undefined) parts.push(`fragment ${where.fragment}`);
  if (where.column !== undefined) parts.push(`column "${where.column}"`);
  if (where.offset !== undefined) parts.push(`byte ${where.offset}`);
  if (where.topic !== undefined) parts.push(`topic "${where.topic}"`);
  if (where.partition !== undefined) parts.push(`partition ${where.partition}`);
  if (where.kafkaOffset !== undefined) parts.push(`kafkaOffset ${where.kafkaOffset}`);
  return parts.join(", ");
}

/**
 * Every error this project throws on purpose. The message reads: what (where). What to do.
 *
 * `AbortError` passes through unchanged; anything else that escapes is a defect of ours.
 */
export abstract class IngestError extends Error {
  abstract readonly code: ErrorCode;
  /** The message without where and remedy. */
  readonly what: string;
  readonly where: Where;
  readonly remedy: string | undefined;
  readonly retryable: boolean;

  constructor(what: string, detail: ErrorDetail = {}) {
    const where = detail.where ?? {};
    const place = describe(where);
    const remedy = detail.remedy === undefined ? "" : ` ${detail.remedy}`;
    super(
      `${what}${place === "" ? "" : ` (${place})`}.${remedy}`,
      detail.cause === undefined ? undefined : { cause: detail.cause },
    );
    this.name = new.target.name;
    this.what = what;
    this.where = where;
    this.remedy = detail.remedy;
    this.retryable = detail.retryable ?? false;
  }
}

/** The bytes break their specification. The file is corrupt, truncated, or not what it claims to be. */
export class FormatError extends IngestError {
  readonly code = "INGEST_FORMAT";
}

/** Legal, but not implemented or over a limit; names the feature or the option. */
export class UnsupportedError extends IngestError {
  readonly code = "INGEST_UNSUPPORTED";
}

/** Why a store did not give what was asked of it. */
export type SourceReason =
  | "NotFound"
  | "AccessDenied"
  /** Another version of the object is there than the one that was opened. */
  | "ObjectChanged"
  | "Throttled"
  /** No byte came for too long. */
  | "Stalled"
  /** The answer contradicts the request or itself. */
  | "Corrupt"
  /** Not reached, or failing on its own side, at every attempt. */
  | "Exhausted"
  | "Refused";

/** The request to a store that failed last. */
export interface StoreRequest {
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  /** As in the header `Range`, for example "bytes=0-99". */
  readonly range?: string | undefined;
  /** What the store calls the request. */
  readonly requestId?: string | undefined;
  readonly attempts: number;
  readonly elapsedMs: number;
}

export interface SourceErrorDetail extends ErrorDetail {
  readonly reason?: SourceReason | undefined;
  readonly request?: StoreRequest | undefined;
}

/** Storage or broker failed. `retryable` tells whether trying again may help. */
export class SourceError extends IngestError {
  readonly code = "INGEST_SOURCE";
  /** Known of remote stores. */
  readonly reason: SourceReason | undefined;
  readonly request: StoreRequest | undefined;

  constructor(what: string, detail: SourceErrorDetail = {}) {
    super(what, detail);
    this.reason = detail.reason;
    this.request = detail.request;
  }
}

/** The call is wrong; thrown before any row is read. */
export class OptionsError extends IngestError {
  readonly code = "INGEST_OPTIONS";
}

/** A checkpoint does not fit the data, the seed or the world. */
export class StateError extends IngestError {
  readonly code = "INGEST_STATE";
}

const constructors = {
  INGEST_FORMAT: FormatError,
  INGEST_UNSUPPORTED: UnsupportedError,
  INGEST_SOURCE: SourceError,
  INGEST_OPTIONS: OptionsError,
  INGEST_STATE: StateError,
} as const;

/** Whether `error` is one of ours, and, when `code` is given, of that kind. */
export function isIngestError(error: unknown, code?: ErrorCode): error is IngestError {
  return error instanceof IngestError && (code === undefined || error.code === code);
}

/**
 * Runs `body` and adds what the caller knows of the place to any of our errors that passes; what the error already
 * knows wins.
 */
export function withWhere<T>(where: Where, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw addWhere(error, where);
  }
}

/** The same error with `where` filled in where it was silent; errors of others are returned unchanged. */
export function addWhere(error: unknown, where: Where): unknown {
  if (!(error instanceof IngestError)) return error;
  const known = Object.fromEntries(Object.entries(error.where).filter(([, value]) => value !== undefined));
  const merged: Where = { ...where, ...known };
  const { what, remedy, retryable, cause } = error;
  const detail: SourceErrorDetail = { where: merged, remedy, retryable, cause };
  if (error instanceof SourceError) {
    return new SourceError(what, { ...detail, reason: error.reason, request: error.request });
  }
  return new constructors[error.code](what, detail);
}

/** `url` without user-info and query, fit for errors, logs and state. Plain paths pass unchanged. */
export function publicUrl(url: string): string {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/@?#]*@)?([^?#]*)/i.exec(url);
  return match === null ? url : `${match[1]}${match[2]}`;
}

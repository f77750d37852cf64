/** What kind of thing went wrong with one request, which decides what is done about it. */
export type FailureKind =
  /** The store asks for fewer requests. */
  | "throttled"
  /** Connection or server: the same request may succeed. */
  | "transient"
  | "stalled"
  /** The answer is not what was asked for. */
  | "corrupt"
  /** The credentials are too old: fetch new ones. */
  | "expired"
  /** Our clock and the store's differ; the SDK corrects itself from the answer. */
  | "skewed"
  | "notFound"
  | "denied"
  | "changed"
  | "notModified"
  /** Nothing of the range is in the object. */
  | "outside"
  | "refused";

export interface FailureDetail extends ErrorOptions {
  /** As the store or the system calls it: "SlowDown", "ECONNRESET". */
  readonly code?: string | undefined;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** One request failed. Never leaves this package: `toSourceError` makes what callers see. */
export class StoreFailure extends Error {
  readonly kind: FailureKind;
  readonly code: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: FailureKind, message: string, detail: FailureDetail = {}) {
    super(safeText(message));
    this.name = "StoreFailure";
    this.kind = kind;
    this.code = detail.code ?? kind;
    this.status = detail.status;
    this.requestId = detail.requestId;
    this.retryAfterMs = detail.retryAfterMs;
  }
}

const throttling = new Set([
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TooManyRequests",
  "TooManyRequestsException",
  "RequestLimitExceeded",
  "BandwidthLimitExceeded",
  "ServiceUnavailable",
]);
const expired = new Set(["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"]);
const repeatable = new Set([
  "RequestTimeout",
  "InternalError",
  "OperationAborted",
  // Two writers want to create one object: whether the other one could decides.
  "ConditionalRequestConflict",
  "IncompleteBody",
]);

/** What an answer that is no success means. */
export function kindOfStatus(status: number, code: string): FailureKind {
  if (throttling.has(code) || status === 429 || status === 503) return "throttled";
  if (expired.has(code)) return "expired";
  if (code === "RequestTimeTooSkewed") return "skewed";
  if (status >= 500 || status === 408 || repeatable.has(code)) return "transient";
  switch (status) {
    case 304:
      return "notModified";
    case 401:
    case 403:
      return "denied";
    case 404:
    case 410:
      return "notFound";
    case 412:
      return "changed";
    case 416:
      return "outside";
    default:
      return "refused";
  }
}

/** `error` as a failure: what is not one yet did not get as far as an answer. */
export function failureOf(error: unknown): StoreFailure {
  if (error instanceof StoreFailure) return error;
  const { code, name, message } = describe(error);
  // A chunked body that a lost connection cut off; other answers that are no HTTP stay so.
  if (name === "HTTPParserError" && message.includes("EOF")) {
    return new StoreFailure("transient", message, { code: "IncompleteBody" });
  }
  // Certificates do not mend themselves, nor do redirects that lead nowhere.
  if (/^(UND_ERR_INVALID|CERT_|ERR_TLS|ERR_SSL|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_INVALID|HPE_)/.test(code ?? "")) {
    return new StoreFailure("refused", message, { code });
  }
  if (/Credential|TokenProvider/.test(name)) {
    // The text may hold what a credential process printed.
    return new StoreFailure("denied", "no usable credentials were found", { code: name });
  }
  if (code !== undefined || name === "AbortError" || name === "TimeoutError") {
    return new StoreFailure("transient", message, { code: code ?? name });
  }
  return new StoreFailure("refused", message, { code: name });
}

function describe(error: unknown): { code: string | undefined; name: string; message: string } {
  if (!(error instanceof Error)) return { code: undefined, name: "Error", message: String(error) };
  const own = (error as NodeJS.ErrnoException).code;
  const inner = error.cause instanceof Error ? describe(error.cause) : undefined;
  const code = typeof own === "string" ? own : inner?.code;
  // Node gives several failed addresses as one error without a text.
  const message = error.message !== "" ? error.message : (inner?.message ?? code ?? error.name);
  return { code, name: error.name, message };
}

/** `text` without what may be secret: queries of URLs, user names and passwords in them, keys and signatures. */
function safeText(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@?#"']*@/gi, "$1")
    .replaceAll(/(https?:\/\/[^\s?#"']*)[?#][^\s"']*/gi, "$1")
    .replaceAll(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, "(key)")
    .replaceAll(
      /((?:X-Amz-[A-Za-z-]*|Signature|Credential|Authorization|token)["']?\s*[=:]\s*)[^\s&,"'<]+/gi,
      "$1(hidden)",
    )
    .replaceAll(/\p{Cc}+/gu, " ")
    .slice(0, 300);
}

import { SourceError, type SourceReason, UnsupportedError } from "@ingest-ts/core";
import type { FailureKind, StoreFailure } from "./failure.ts";

/** The object, folder or bucket that a request is about. */
export interface Target {
  readonly store: "s3" | "http";
  /** Without user-info and query. */
  readonly url: string;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
}

export interface RequestFacts {
  readonly target: Target;
  readonly range?: string | undefined;
  /** Of the first byte of the range. */
  readonly offset?: number | undefined;
  readonly attempts: number;
  readonly elapsedMs: number;
}

interface Explanation {
  readonly reason: SourceReason;
  readonly what: string;
  readonly remedy: string;
  readonly retryable: boolean;
}

const explanations: Readonly<Record<FailureKind, Explanation>> = {
  throttled: {
    reason: "Throttled",
    what: "the store keeps asking for fewer requests",
    remedy: "Read with fewer processes, or later.",
    retryable: true,
  },
  transient: {
    reason: "Exhausted",
    what: "the store could not be reached or failed",
    remedy: "Check the address and the network, or try again later.",
    retryable: true,
  },
  stalled: {
    reason: "Stalled",
    what: "the store stopped sending",
    remedy: "Try again later; stallMs says how long to wait for a byte.",
    retryable: true,
  },
  corrupt: {
    reason: "Corrupt",
    what: "the store's answer is not what was asked for",
    remedy: "Something between here and the store changes answers: read without it.",
    retryable: true,
  },
  expired: {
    reason: "AccessDenied",
    what: "the credentials have expired",
    remedy: "Renew them, or use a source of credentials that does.",
    retryable: false,
  },
  skewed: {
    reason: "AccessDenied",
    what: "the clocks of this machine and the store differ too much",
    remedy: "Set this machine's clock.",
    retryable: false,
  },
  notFound: { reason: "NotFound", what: "no such object", remedy: "Check bucket and key.", retryable: false },
  denied: {
    reason: "AccessDenied",
    what: "access is denied",
    remedy: "Check the credentials and what they may read; a missing object looks the same to who may not list.",
    retryable: false,
  },
  changed: {
    reason: "ObjectChanged",
    what: "the object changed while it was read",
    remedy: "Read it again from the beginning.",
    retryable: false,
  },
  notModified: {
    reason: "Refused",
    what: "the object is said to be unchanged, which was not asked",
    remedy: "Read it without the server's cache.",
    retryable: false,
  },
  outside: {
    reason: "ObjectChanged",
    what: "the object is shorter than it was",
    remedy: "Read it again from the beginning.",
    retryable: false,
  },
  refused: {
    reason: "Refused",
    what: "the store refuses the request",
    remedy: "Check address, region and options.",
    retryable: false,
  },
};

/** Codes that say more than their kind. */
const known: Readonly<Record<string, { readonly what?: string; readonly remedy: string }>> = {
  NoSuchBucket: { what: "no such bucket", remedy: "Check the name of the bucket, and the endpoint." },
  SignatureDoesNotMatch: { remedy: "The secret key is not the one of this access key: check the credentials." },
  InvalidAccessKeyId: { remedy: "This store does not know the access key: check the credentials and the endpoint." },
};

const noCredentials = {
  what: "no usable credentials were found",
  remedy:
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile; for public buckets ask for no signature (--no-sign-request).",
} as const;

function explain({ kind, code }: StoreFailure): Explanation {
  const general = explanations[kind];
  if (kind === "denied" && /Credential|TokenProvider/.test(code)) return { ...general, ...noCredentials };
  return { ...general, ...known[code] };
}

/** What callers see of a request that failed for good: target, range, request id and attempts in words and as fields. */
export function toSourceError(failure: StoreFailure, facts: RequestFacts): SourceError | UnsupportedError {
  const { target, range, offset, attempts, elapsedMs } = facts;
  const { reason, remedy, retryable, what } = explain(failure);
  const said = [failure.status?.toString(), failure.code === failure.kind ? undefined : failure.code]
    .filter((part) => part !== undefined)
    .join(" ");
  const parts = [said === "" ? what : `${what}: ${said}`];
  if (failure.code === failure.kind || failure.kind === "transient" || failure.kind === "refused") {
    if (failure.message !== "" && failure.message !== failure.code) parts.push(`"${failure.message}"`);
  }
  if (range !== undefined) parts.push(range);
  if (attempts > 1) parts.push(`${attempts} attempts in ${(elapsedMs / 1000).toFixed(1)} s`);
  if (failure.requestId !== undefined) parts.push(`request ${failure.requestId}`);
  return new SourceError(parts.join(", "), {
    where: offset === undefined ? { url: target.url } : { url: target.url, offset },
    remedy,
    retryable,
    reason,
    request: {
      bucket: target.bucket,
      key: target.key,
      range,
      requestId: failure.requestId,
      attempts,
      elapsedMs: Math.round(elapsedMs),
    },
    cause: failure,
  });
}

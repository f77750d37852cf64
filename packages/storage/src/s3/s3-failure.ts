import { failureOf, kindOfStatus, StoreFailure } from "../remote/failure.ts";
import { parseRetryAfter } from "../remote/transport.ts";

/** The parts of the SDK's errors that are looked at. */
interface SdkError extends Error {
  readonly Code?: unknown;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly requestId?: string;
    readonly extendedRequestId?: string;
  };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** What the SDK threw, without anything of the request in it. */
export function s3Failure(error: unknown): StoreFailure {
  if (error instanceof StoreFailure || !(error instanceof Error)) return failureOf(error);
  const { $metadata, $response, name, message } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  if (status === undefined || $metadata === undefined) return failureOf(error);
  const code = codeOf(name, status);
  if (status >= 200 && status < 300) {
    return new StoreFailure("transient", "the answer cannot be read", { code: "BadAnswer", status });
  }
  return new StoreFailure(kindOfStatus(status, code), message === "UnknownError" ? "" : message, {
    code,
    status,
    requestId: $metadata.requestId ?? $response?.headers?.["x-amz-request-id"],
    retryAfterMs: parseRetryAfter($response?.headers?.["retry-after"]),
  });
}

/** Answers without a body (to HEAD, or from something in between) have no code. */
function codeOf(name: string, status: number): string {
  const known = /^[A-Za-z0-9.]+$/.test(name) && name !== "Error" && name !== "Unknown" && name !== "UnknownError";
  return known && !/^\d+$/.test(name) ? name : `status ${status}`;
}

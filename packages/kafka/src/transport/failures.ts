import { SourceError, type SourceErrorDetail } from "@ingest-ts/core";
import { errorAction, errorName, errorRemedy } from "./error-codes.ts";
import type { TopicPartition } from "./types.ts";

/** A request without an answer, or without a connection, as a `SourceError`. */
export function connectionError(error: unknown, url: string, request: string): Error {
  if (error instanceof SourceError) return error;
  if (!(error instanceof Error)) return new SourceError(`${request} failed: ${String(error)}`, { where: { url } });
  if (error.name === "AbortError") return error;
  const code = codeOf(error);
  const detail: SourceErrorDetail = { where: { url }, cause: error };
  if (error.name === "KafkaJSSASLAuthenticationError" || code === "SASL_AUTHENTICATION_FAILED") {
    return new SourceError("the broker refused the credentials", {
      ...detail,
      reason: "AccessDenied",
      remedy: "Check mechanism, user and password, or what `token` gives.",
    });
  }
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/.test(code)) {
    return new SourceError(`no TLS connection to the broker: ${code}`, {
      ...detail,
      reason: "Refused",
      remedy: "Give the certificate of its authority (ssl.ca, --tls-ca), and ssl.servername when the name differs.",
    });
  }
  return new SourceError(`${request} failed: ${error.message}`, { ...detail, reason: "Exhausted", retryable: true });
}

/** What the protocol, the system or OpenSSL calls the error. */
function codeOf(error: Error): string {
  const { code, type } = error as { code?: unknown; type?: unknown };
  const name = typeof code === "string" ? code : typeof type === "string" ? type : "";
  return name === "" && error.cause instanceof Error ? codeOf(error.cause) : name;
}

/** No answer came in time. */
export function stalled(url: string, request: string, timeoutMs: number): SourceError {
  return new SourceError(`no answer to ${request} within ${timeoutMs} ms`, {
    where: { url },
    reason: "Stalled",
    retryable: true,
    remedy: "See whether the broker is alive and reachable, or raise requestTimeoutMs.",
  });
}

/** An error code in an answer, as an error to throw. */
export function codeError(code: number, request: string, url: string, at?: TopicPartition): SourceError {
  const action = errorAction(code);
  const denied = errorName(code).endsWith("AUTHORIZATION_FAILED");
  return new SourceError(`the broker answered ${request} with ${errorName(code)}`, {
    where: { url, topic: at?.topic, partition: at?.partition },
    reason: code === 3 ? "NotFound" : denied ? "AccessDenied" : action === "fatal" ? "Refused" : "Exhausted",
    retryable: action !== "fatal",
    remedy: errorRemedy(code),
  });
}

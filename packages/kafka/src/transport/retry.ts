import { channels, SourceError } from "@ingest-ts/core";

/** How a request is tried again. */
export interface RetryPolicy {
  /** As the protocol names it. */
  readonly request: string;
  readonly brokerId: number;
  /** Since the first failure. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;

/** How long failures that may pass are tried again, unless told otherwise. */
export const DEFAULT_RETRY_MS = 120_000;

/** Resolves after the time, or rejects with the signal's reason. */
export function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, durationMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** A signal that fires with another one, or after a time. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** To be called when it is no longer needed. */
  readonly release: () => void;
}

/**
 * As `AbortSignal.any` and `timeout` together; but Node 20 keeps something of each such signal as long as the first one lives,
 * which for heartbeats is for ever.
 */
export function deadline(signal: AbortSignal, timeoutMs: number): Deadline {
  const control = new AbortController();
  const onAbort = (): void => control.abort(signal.reason);
  const late = (): void => control.abort(new DOMException("it took too long", "TimeoutError"));
  const timer = setTimeout(late, timeoutMs);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    signal: control.signal,
    release: () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}

/** Of attempt 1, 2, …: doubling, with jitter, so that members of a group do not come back together. */
export function backoffMs(attempt: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
}

/** The reason a retry gives in telemetry. */
export function causeOf(error: unknown): string {
  if (!(error instanceof SourceError)) return error instanceof Error ? error.name : "error";
  return / with ([A-Z_]+)/.exec(error.what)?.[1] ?? (error.reason === "Stalled" ? "stalled" : "reset");
}

/** Runs `body` until it succeeds, fails for good, or has failed for the policy's time. */
export async function retrying<T>(policy: RetryPolicy, body: (attempt: number) => Promise<T>): Promise<T> {
  let firstFailure: number | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      return await body(attempt);
    } catch (error) {
      if (!(error instanceof SourceError) || !error.retryable) throw error;
      firstFailure ??= performance.now();
      const delayMs = backoffMs(attempt);
      if (performance.now() - firstFailure + delayMs > policy.timeoutMs) throw error;
      const { request, brokerId } = policy;
      channels.kafkaRetry.publish({ request, brokerId, cause: causeOf(error), attempt, delayMs });
      await sleep(delayMs, policy.signal);
    }
  }
}

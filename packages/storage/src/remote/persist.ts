import { channels, isIngestError } from "@ingest-ts/core";
import { storageSettings } from "../settings.ts";
import { type FailureKind, failureOf, type StoreFailure } from "./failure.ts";
import { sharedLimiter } from "./limiter.ts";
import { onAbort } from "./on-abort.ts";
import { type Target, toSourceError } from "./source-error.ts";

/** Something that takes one request, or several when they fail. */
export interface Effort {
  readonly target: Target;
  readonly range?: string | undefined;
  readonly offset?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that need not be fetched again; when they grow, attempts are counted anew. */
  readonly keptBytes?: (() => number) | undefined;
  /** Fetches new credentials. */
  readonly refresh?: (() => Promise<void>) | undefined;
  /** Failures that the caller takes as an answer. */
  readonly expects?: readonly FailureKind[] | undefined;
}

const BASE_DELAY_MS = 50;
const THROTTLED_BASE_DELAY_MS = 200;
const MOST_DELAY_MS = 10_000;
/** Answers that contradict the request: chance may explain two, not more. */
const CORRUPT_ATTEMPTS = 3;

/** Less is no progress: a store that sends a few bytes each time would keep us for ever. */
const PROGRESS_BYTES = 64 * 1024;

/** How long to wait before attempt `failures + 1`: full jitter, and at least what the store asks for. */
function retryDelayMs(failure: StoreFailure, failures: number, random: () => number = Math.random): number {
  const base = failure.kind === "throttled" ? THROTTLED_BASE_DELAY_MS : BASE_DELAY_MS;
  const jittered = random() * Math.min(MOST_DELAY_MS, base * 2 ** Math.min(failures, 20));
  return Math.max(jittered, failure.retryAfterMs ?? 0);
}

/** Attempts of one effort so far. */
class Tally {
  readonly startedAt: number = performance.now();
  attempts = 0;
  /** Since there was progress. */
  failures = 0;
  progressAt: number = performance.now();
  readonly #seen = new Map<FailureKind, number>();

  count(failure: StoreFailure, progressed: boolean): void {
    if (progressed) {
      this.failures = 0;
      this.progressAt = performance.now();
      this.#seen.clear();
    }
    this.failures++;
    this.#seen.set(failure.kind, (this.#seen.get(failure.kind) ?? 0) + 1);
  }

  mayTryAgain({ kind }: StoreFailure, canRefresh: boolean): boolean {
    const same = this.#seen.get(kind) ?? 0;
    switch (kind) {
      case "throttled":
      case "transient":
      case "stalled":
        return this.failures < storageSettings().attempts;
      case "corrupt":
        return same < CORRUPT_ATTEMPTS;
      case "expired":
        return canRefresh && same <= 1;
      case "skewed":
        return same <= 1;
      default:
        return false;
    }
  }
}

/**
 * Repeats `attempt` until it succeeds, is not worth repeating, or has gone without progress for too long.
 *
 * @throws SourceError; a `StoreFailure` of a kind that the effort expects; the signal's reason when it aborts.
 */
export async function persist<T>(effort: Effort, attempt: (number: number) => Promise<T>): Promise<T> {
  const { target, signal } = effort;
  const tally = new Tally();
  let kept = effort.keptBytes?.() ?? 0;
  for (;;) {
    signal?.throwIfAborted();
    tally.attempts++;
    try {
      return await attempt(tally.attempts);
    } catch (error) {
      signal?.throwIfAborted();
      // Already in the caller's words: what the store cannot do, it cannot do next time.
      if (isIngestError(error)) throw error;
      const failure = failureOf(error);
      if (effort.expects?.includes(failure.kind) === true) throw failure;
      if (failure.kind === "throttled") sharedLimiter().throttle();
      const keptNow = effort.keptBytes?.() ?? 0;
      const progressed = keptNow - kept >= PROGRESS_BYTES;
      tally.count(failure, progressed);
      if (progressed) kept = keptNow;
      const delayMs = retryDelayMs(failure, tally.failures);
      const tooLate = performance.now() + delayMs - tally.progressAt > storageSettings().retryMs;
      if (tooLate || !tally.mayTryAgain(failure, effort.refresh !== undefined)) {
        const elapsedMs = performance.now() - tally.startedAt;
        const { range, offset } = effort;
        throw toSourceError(failure, { target, range, offset, attempts: tally.attempts, elapsedMs });
      }
      if (failure.kind === "expired") await effort.refresh?.();
      if (channels.storageRetry.hasSubscribers) {
        const { store, url } = target;
        channels.storageRetry.publish({ store, url, cause: failure.code, delayMs, keptBytes: keptNow });
      }
      await sleep(delayMs, signal);
    }
  }
}

/** @throws the signal's reason when it aborts. */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      unlisten();
      resolve();
    }, ms);
    const unlisten = onAbort(signal, (reason) => {
      clearTimeout(timer);
      reject(reason as Error);
    });
  });
}

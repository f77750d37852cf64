import { channels } from "@ingest-ts/core";
import { storageSettings } from "../settings.ts";
import { failureOf, StoreFailure } from "./failure.ts";
import { type Begun, firstAnswer } from "./first-answer.ts";
import { sharedLimiter } from "./limiter.ts";
import { onAbort } from "./on-abort.ts";
import type { Answer, RangeAsk, Transport } from "./transport.ts";

export interface AttemptOptions {
  readonly attempt: number;
  readonly signal: AbortSignal | undefined;
  /** Looks at the head of the answer. @throws StoreFailure when it is not what was asked for. */
  readonly accept: (answer: Answer) => void;
  /** Takes the next bytes of the body; false when no more are wanted. @throws StoreFailure */
  readonly take: (chunk: Uint8Array) => boolean;
}

/**
 * One request, hedged when its first byte is late, given up when no byte comes for `stallMs`. Whether the body was as
 * long as it should be is for the caller to say.
 *
 * @throws StoreFailure, or what the network stack throws.
 */
export async function attemptGet(transport: Transport, ask: RangeAsk, options: AttemptOptions): Promise<void> {
  const stop = new AbortController();
  const unlisten = onAbort(options.signal, (reason) => stop.abort(reason));
  const { stallMs } = storageSettings();
  const stalled = new StoreFailure("stalled", `no byte for ${stallMs / 1000} s`);
  const watchdog = setTimeout(() => stop.abort(stalled), stallMs);
  const report = new Report(transport, options.attempt);
  try {
    options.signal?.throwIfAborted();
    const begun = await firstAnswer(transport, ask, stop.signal);
    report.began(begun);
    watchdog.refresh();
    options.accept(begun.answer);
    await drain(begun, options.take, watchdog, report);
    sharedLimiter().succeeded();
    report.ended(undefined);
  } catch (error) {
    // An abort shows differently at every layer: our own reason is what counts.
    const reason: unknown = stop.signal.aborted ? stop.signal.reason : error;
    report.ended(reason);
    throw reason;
  } finally {
    clearTimeout(watchdog);
    unlisten();
    report.release();
  }
}

async function drain(
  { answer }: Begun,
  take: AttemptOptions["take"],
  watchdog: NodeJS.Timeout,
  report: Report,
): Promise<void> {
  await answer.body.pull((chunk) => {
    watchdog.refresh();
    report.sizeBytes += chunk.length;
    return take(chunk);
  });
}

/** Tells the channel how a request went, and frees its connection. */
class Report {
  sizeBytes = 0;
  readonly #transport: Transport;
  readonly #attempt: number;
  readonly #startedAt = performance.now();
  #begun: Begun | undefined;

  constructor(transport: Transport, attempt: number) {
    this.#transport = transport;
    this.#attempt = attempt;
  }

  began(begun: Begun): void {
    this.#begun = begun;
  }

  ended(error: unknown): void {
    if (!channels.storageRequest.hasSubscribers) return;
    const { store, url } = this.#transport.target;
    channels.storageRequest.publish({
      store,
      op: "get",
      url,
      outcome: error === undefined ? String(this.#begun?.answer.status) : outcomeOf(error),
      attempt: this.#attempt,
      hedge: this.#begun?.hedge ?? false,
      sizeBytes: this.sizeBytes,
      firstByteMs: this.#begun?.firstByteMs,
      durationMs: performance.now() - this.#startedAt,
    });
  }

  /** Harmless when the body came to its end. */
  release(): void {
    this.#begun?.answer.body.destroy();
  }
}

function outcomeOf(error: unknown): string {
  if (error instanceof Error && error.name === "AbortError") return "aborted";
  const { kind, status } = failureOf(error);
  if (kind === "stalled" || kind === "corrupt") return kind;
  return status === undefined ? "reset" : String(status);
}

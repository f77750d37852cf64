import { channels, type StorageRequest } from "@ingest-ts/core";
import { failureOf } from "../remote/failure.ts";
import { onAbort } from "../remote/on-abort.ts";
import { persist } from "../remote/persist.ts";
import type { Target } from "../remote/source-error.ts";
import { storageSettings } from "../settings.ts";
import type { S3Clients } from "./clients.ts";
import { s3Failure } from "./s3-failure.ts";

export interface SmallRequest {
  readonly target: Target;
  readonly op: StorageRequest["op"];
  readonly signal?: AbortSignal | undefined;
  /** Sent with the request. */
  readonly sizeBytes?: number | undefined;
}

/** Until an answer is there, a request may take so much longer for each byte that it sends (about 1 MB/s). */
const SEND_MS_PER_BYTE = 1 / 1000;

/** A request whose answer is small: repeated like a read, given up when no answer comes. @throws SourceError */
export function requestS3<T>(
  { main }: S3Clients,
  request: SmallRequest,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { target, signal } = request;
  const refresh = async (): Promise<void> => {
    await main.config.credentials({ forceRefresh: true });
  };
  return persist({ target, signal, refresh }, (attempt) => once(request, attempt, send));
}

/** @throws StoreFailure */
async function once<T>(
  { target: { store, url }, op, signal, sizeBytes = 0 }: SmallRequest,
  attempt: number,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const unlisten = onAbort(signal, (reason) => stop.abort(reason));
  const { stallMs } = storageSettings();
  const timer = setTimeout(
    () => stop.abort(new DOMException("no answer", "TimeoutError")),
    stallMs + sizeBytes * SEND_MS_PER_BYTE,
  );
  const startedAt = performance.now();
  let outcome = "200";
  try {
    return await send(stop.signal);
  } catch (error) {
    const failure = stop.signal.aborted ? failureOf(stop.signal.reason) : s3Failure(error);
    outcome = failure.status === undefined ? "reset" : String(failure.status);
    throw failure;
  } finally {
    clearTimeout(timer);
    unlisten();
    if (channels.storageRequest.hasSubscribers) {
      const durationMs = performance.now() - startedAt;
      const message = { store, op, url, outcome, attempt, hedge: false, sizeBytes } as const;
      channels.storageRequest.publish({ ...message, firstByteMs: undefined, durationMs });
    }
  }
}

import { setMaxListeners } from "node:events";

/**
 * Calls `listener` with the reason when `signal` aborts. Many reads may wait for one signal at once, which is no leak.
 *
 * @returns what stops listening
 */
export function onAbort(signal: AbortSignal | undefined, listener: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  setMaxListeners(0, signal);
  const called = (): void => listener(signal.reason);
  signal.addEventListener("abort", called, { once: true });
  if (signal.aborted) called();
  return () => signal.removeEventListener("abort", called);
}

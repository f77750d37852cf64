import { exitCodes, Interrupted } from "./exit-codes.ts";

/**
 * Runs `body` with a signal that Ctrl-C (SIGINT) and SIGTERM abort, so that it can clean up. A second one ends the
 * process at once.
 *
 * @throws Interrupted when stopped, once `body` has ended.
 */
export async function withSignals<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    if (stopping.signal.aborted) {
      process.exit(name === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated);
    }
    stopping.abort(new Interrupted(name));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    const result = await body(stopping.signal);
    stopping.signal.throwIfAborted();
    return result;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

/** Lets pending signals and I/O callbacks in: decoding alone never returns to the event loop. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

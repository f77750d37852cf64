import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { onAbort } from "./on-abort.ts";
import type { AnswerBody } from "./transport.ts";

/** Bytes that may come before anybody reads them; then the connection waits. */
const MOST_WAITING_BYTES = 256 * 1024;

export interface GetRequest {
  readonly origin: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** An answer whose head is there. */
export interface Dispatched {
  readonly statusCode: number;
  /** By lower-case names; several of one name are joined by commas. */
  readonly headers: Record<string, string>;
  readonly body: PulledBody;
}

/**
 * The body of an answer, handed over as it comes from the connection: `pull` spares what a stream costs, which is a
 * quarter of the processor time of a large read. For those who must have a stream (the SDK, for errors and listings) it
 * is one too.
 */
class PulledBody extends Readable implements AnswerBody {
  readonly #controller: Dispatcher.DispatchController;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #take: ((chunk: Uint8Array) => boolean) | undefined;
  #over = false;
  #error: Error | undefined;
  #settle: ((error: Error | undefined) => void) | undefined;

  constructor(controller: Dispatcher.DispatchController) {
    super();
    this.#controller = controller;
  }

  /** Hands every chunk to `take`, until that wants no more. @throws what `take` or the connection throws */
  pull(take: (chunk: Uint8Array) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
      this.#take = take;
      for (const chunk of this.#waiting) this.#hand(chunk);
      this.#waiting = [];
      if (this.#over) return this.#settled();
      if (this.#waitingBytes > MOST_WAITING_BYTES) this.#controller.resume();
    });
  }

  /** The next bytes from the connection. */
  receive(chunk: Uint8Array): void {
    if (this.#take !== undefined) return this.#hand(chunk);
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > MOST_WAITING_BYTES) this.#controller.pause();
  }

  /** The body came to its end, or will not. */
  finish(error: Error | undefined): void {
    this.#over = true;
    this.#error ??= error;
    if (this.#take !== undefined) this.#settled();
  }

  override _read(): void {
    if (this.#take !== undefined) return;
    this.pull((chunk) => this.push(chunk) || true).then(
      () => this.push(null),
      (error: unknown) => this.destroy(error as Error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#over) this.#controller.abort(error ?? new Error("the rest of the answer is not wanted"));
    // Errors go to whoever pulls; a stream that nobody reads would throw them at the process.
    callback(this.listenerCount("error") > 0 ? error : null);
  }

  #hand(chunk: Uint8Array): void {
    if (this.#error !== undefined || this.#settle === undefined) return;
    try {
      if (this.#take?.(chunk) === true) return;
    } catch (error) {
      this.#error = error as Error;
    }
    this.#settled();
    this.destroy();
  }

  #settled(): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(this.#error);
  }
}

/** Sends a GET. Resolves when the head of the answer is there. @throws what the connection throws, or why `signal` aborted */
export function dispatchGet(
  dispatcher: Dispatcher,
  { origin, path, headers, signal }: GetRequest,
): Promise<Dispatched> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let body: PulledBody | undefined;
    let aborted: Error | undefined;
    const unlisten = onAbort(signal, (reason) => {
      aborted = reason as Error;
      controller?.abort(aborted);
      reject(aborted);
    });
    const fail = (error: Error): void => {
      unlisten();
      if (body === undefined) reject(error);
      else body.finish(error);
    };
    if (aborted !== undefined) return;
    dispatcher.dispatch(
      { origin, path, method: "GET", headers },
      {
        onRequestStart(started) {
          controller = started;
          // It waited for a connection while it was given up.
          if (aborted !== undefined) started.abort(aborted);
        },
        onResponseStart(started, statusCode, answered) {
          if (statusCode < 200) return;
          body = new PulledBody(started);
          resolve({ statusCode, headers: joined(answered), body });
        },
        onResponseData(_, chunk) {
          body?.receive(chunk);
        },
        onResponseEnd() {
          unlisten();
          body?.finish(undefined);
        },
        onResponseError(_, error) {
          fail(error);
        },
      },
    );
  });
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) out[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return out;
}

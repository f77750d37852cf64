import pLimit, { type LimitFunction } from "p-limit";
import { onSettings, storageSettings } from "../settings.ts";
import { ByteBudget } from "./byte-budget.ts";
import { onAbort } from "./on-abort.ts";
import { PriorityQueue } from "./priority-queue.ts";

/** Successes after which one more request may be under way, once a store has throttled. */
const GROW_AFTER = 50;
const LEAST_REQUESTS = 2;
/** Answers of one burst are one sign: requests are halved once in this time. */
const CUT_PAUSE_MS = 250;

interface Job {
  readonly bytes: number;
  readonly run: () => Promise<void>;
}

export interface LimiterOptions {
  readonly requestsInFlight: number;
  readonly bytesInFlight: number;
}

/**
 * How many requests, and how many of their bytes, are under way at once. What somebody waits for goes before what is
 * fetched ahead. Throttling halves the number of requests; it grows again by one in fifty that succeed.
 */
export class RequestLimiter {
  #most: number;
  readonly #slots: LimitFunction;
  readonly #bytes: ByteBudget;
  readonly #queue = new PriorityQueue<Job>();
  #succeeded = 0;
  #cutAt = -Infinity;

  constructor({ requestsInFlight, bytesInFlight }: LimiterOptions) {
    this.#most = requestsInFlight;
    this.#slots = pLimit(requestsInFlight);
    this.#bytes = new ByteBudget(bytesInFlight);
  }

  /** New limits; what was learned of the store under the old ones is forgotten. */
  resize({ requestsInFlight, bytesInFlight }: LimiterOptions): void {
    this.#most = requestsInFlight;
    this.#slots.concurrency = requestsInFlight;
    this.#bytes.resize(bytesInFlight);
    this.#succeeded = 0;
    this.#cutAt = -Infinity;
  }

  /** Requests that may be under way now. */
  get requestsInFlight(): number {
    return this.#slots.concurrency;
  }

  get bytesInFlight(): number {
    return this.#bytes.usedBytes;
  }

  get throttled(): boolean {
    return this.#slots.concurrency < this.#most;
  }

  /** Runs `task` when its turn comes. An abort before that rejects at once, and the task never runs. */
  run<T>(bytes: number, ahead: boolean, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const unlisten = onAbort(signal, (reason) => reject(reason as Error));
      const run = async (): Promise<void> => {
        unlisten();
        if (signal?.aborted === true) return reject(signal.reason as Error);
        await task().then(resolve, reject);
      };
      this.#queue.push(ahead ? 1 : 0, { bytes, run });
      // Each slot takes whichever job is first when it becomes free.
      void this.#slots(() => this.#next());
    });
  }

  succeeded(): void {
    if (!this.throttled || ++this.#succeeded < GROW_AFTER) return;
    this.#succeeded = 0;
    this.#slots.concurrency++;
  }

  throttle(): void {
    const now = performance.now();
    this.#succeeded = 0;
    if (now - this.#cutAt < CUT_PAUSE_MS) return;
    this.#cutAt = now;
    const least = Math.min(LEAST_REQUESTS, this.#most);
    this.#slots.concurrency = Math.max(least, Math.floor(this.#slots.concurrency / 2));
  }

  async #next(): Promise<void> {
    const job = this.#queue.pop() as Job;
    await this.#bytes.acquire(job.bytes);
    try {
      await job.run();
    } finally {
      this.#bytes.release(job.bytes);
    }
  }
}

let shared: RequestLimiter | undefined;

/** The limiter of this process. */
export function sharedLimiter(): RequestLimiter {
  if (shared === undefined) {
    const limiter = new RequestLimiter(storageSettings());
    onSettings(() => limiter.resize(storageSettings()));
    shared = limiter;
  }
  return shared;
}

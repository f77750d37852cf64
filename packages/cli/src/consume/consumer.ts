import type { AckOutcome, PartitionPosition, TopicPartition } from "@ingest-ts/kafka";
import type { DecodedSlab } from "@ingest-ts/kafka/payload";
import { errorFields, type Log } from "../ops/log.ts";
import type { Health } from "../ops/ops-server.ts";
import { Exclusive } from "./exclusive.ts";
import type { ConsumeOutput, SafePlace } from "./output.ts";

/** What a consumer needs of a reader: a `PayloadReader`. */
export interface SlabReader {
  readonly positions: readonly PartitionPosition[];
  next(): Promise<IteratorResult<DecodedSlab, undefined>>;
  ack(place: SafePlace): Promise<AckOutcome>;
}

export interface ConsumerParts {
  readonly output: ConsumeOutput;
  readonly log: Log;
  /** Stop after so many rows; Infinity: never. */
  readonly limit: number;
  readonly onSlab?: ((slab: DecodedSlab) => Promise<void>) | undefined;
}

/** Longer in one call of the output, and the process is stuck. */
const STUCK_MS = 300_000;
const FOREVER_MS = 2 ** 30;

type Event =
  | { readonly kind: "slab"; readonly result: IteratorResult<DecodedSlab, undefined> }
  | { readonly kind: "due" };

/**
 * Moves slabs from a reader to an output and acknowledges what is safe there. `run` ends when the reader does, or soon after
 * `stop`; what is open then is finished and acknowledged, so that nothing is read twice.
 */
export class Consumer {
  readonly #reader: SlabReader;
  readonly #parts: ConsumerParts;
  readonly #turn = new Exclusive();
  readonly #stopping: Promise<void>;
  #stop: () => void = () => {};
  #isStopping = false;
  #busySince: number | undefined;
  #rows = 0;

  constructor(reader: SlabReader, parts: ConsumerParts) {
    this.#reader = reader;
    this.#parts = parts;
    this.#stopping = new Promise((resolve) => (this.#stop = resolve));
  }

  /** Rows handed over. */
  get rows(): number {
    return this.#rows;
  }

  get live(): Health {
    const busyMs = this.#busySince === undefined ? 0 : Date.now() - this.#busySince;
    return busyMs < STUCK_MS ? { ok: true } : { ok: false, why: `the output has not answered for ${busyMs} ms` };
  }

  get ready(): Health {
    if (this.#isStopping) return { ok: false, why: "stopping" };
    return this.#reader.positions.length > 0 ? { ok: true } : { ok: false, why: "no partitions are assigned" };
  }

  /** Reads nothing more; `run` ends once what is open is finished. */
  stop(): void {
    this.#isStopping = true;
    this.#stop();
  }

  /** For the reader's `onRevoke`: what is held of partitions that go is finished, or given up when there is no time. */
  async release(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    await this.#exclusively(async () => {
      if (signal.aborted) return this.#parts.output.abort(partitions);
      try {
        await this.#acknowledge(await this.#parts.output.flush(partitions));
      } catch (error) {
        this.#parts.log.warn("what was held of revoked partitions is given up", errorFields(error));
        await this.#parts.output.abort(partitions);
      }
    });
  }

  async run(): Promise<void> {
    const { output } = this.#parts;
    try {
      await this.#loop();
      await this.#exclusively(async () => {
        await this.#acknowledge(await output.flush());
        await output.finish();
      });
    } catch (error) {
      await this.#exclusively(() => output.abort());
      throw error;
    }
  }

  async #loop(): Promise<void> {
    const { limit } = this.#parts;
    let next: Promise<Event> | undefined;
    while (!this.#isStopping && this.#rows < limit) {
      next ??= this.#reader.next().then((result) => ({ kind: "slab", result }));
      const event = await this.#first(next);
      if (event === undefined) break;
      if (event.kind === "due") {
        await this.#exclusively(async () => this.#acknowledge(await this.#parts.output.endDue()));
        continue;
      }
      next = undefined;
      if (event.result.done === true) return;
      const slab = event.result.value;
      await this.#exclusively(() => this.#take(slab));
    }
    // Nobody waits for what was asked for last; closing the reader ends it.
    next?.catch(() => undefined);
  }

  /** What comes first: a slab, the end of something open, or the order to stop (undefined). */
  async #first(next: Promise<Event>): Promise<Event | undefined> {
    const { dueAt } = this.#parts.output;
    let timer: NodeJS.Timeout | undefined;
    const due = new Promise<Event>((resolve) => {
      if (dueAt === undefined) return;
      timer = setTimeout(() => resolve({ kind: "due" }), Math.min(FOREVER_MS, Math.max(0, dueAt - Date.now())));
    });
    try {
      return await Promise.race([next, due, this.#stopping.then(() => undefined)]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #take(slab: DecodedSlab): Promise<void> {
    await this.#parts.onSlab?.(slab);
    const places = await this.#parts.output.write(slab);
    this.#rows += slab.columns.rows;
    await this.#acknowledge(places);
  }

  async #acknowledge(places: readonly SafePlace[]): Promise<void> {
    for (const place of places) {
      if ((await this.#reader.ack(place)) !== "fenced") continue;
      const { topic, partition, endOffset } = place;
      this.#parts.log.warn("another member reads a partition again that was handed over here", {
        topic,
        partition,
        endOffset,
      });
    }
  }

  #exclusively(task: () => Promise<void>): Promise<void> {
    return this.#turn.run(async () => {
      this.#busySince = Date.now();
      try {
        await task();
      } finally {
        this.#busySince = undefined;
      }
    });
  }
}

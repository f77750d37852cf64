import { FormatError, type IngestError, type JsonValue, OptionsError, StateError } from "@ingest-ts/core";
import type { TopicPartition, Transport } from "../transport/types.ts";

/** What becomes of records whose key or value cannot be decoded. */
export interface PoisonOptions {
  /**
   * "fail" (default): the first one is thrown, with its place. "skip": they are left out, within the budget.
   * "deadLetter": they are written to another topic, and acknowledged there by all replicas, before the offset advances.
   */
  readonly onPoison?: "fail" | "skip" | "deadLetter" | undefined;
  /** So many of all partitions that this reader reads, in all runs that its state comes from. Default: no limit. */
  readonly maxBadRecords?: number | undefined;
  /**
   * So many of the records of a partition, of which at least a thousand are reckoned: 0.01 allows ten of the first
   * thousand. Default 0.01 with "skip", else no limit.
   */
  readonly maxBadFraction?: number | undefined;
  /** For "deadLetter". The topic has to exist. */
  readonly deadLetters?: { readonly topic: string; readonly transport: Transport } | undefined;
}

/** A record that could not be decoded. */
export interface BadRecord extends TopicPartition {
  readonly kafkaOffset: number;
  readonly side: "key" | "value";
  /** With the place. */
  readonly error: IngestError;
}

/** Records of one partition so far. */
export interface PoisonCounts {
  /** All, the bad ones too. */
  readonly records: number;
  readonly skipped: number;
  readonly deadLettered: number;
}

/** Records from which on `maxBadFraction` is a fraction of what was read. */
const LEAST_RECORDS = 1000;
const SKIP_FRACTION = 0.01;

const none: PoisonCounts = { records: 0, skipped: 0, deadLettered: 0 };

/** Counts bad records and says when there are too many: by their order in each partition, so that every run decides alike. */
export class PoisonLedger {
  readonly onPoison: "fail" | "skip" | "deadLetter";
  readonly #maxBadRecords: number;
  readonly #maxBadFraction: number;
  #counts = new Map<string, Map<number, PoisonCounts>>();

  /** @throws OptionsError */
  constructor({ onPoison = "fail", maxBadRecords, maxBadFraction, deadLetters }: PoisonOptions) {
    this.onPoison = onPoison;
    if (onPoison === "deadLetter" && deadLetters === undefined) {
      throw new OptionsError('onPoison is "deadLetter", and there is no topic for dead letters');
    }
    if (onPoison !== "deadLetter" && deadLetters !== undefined) {
      throw new OptionsError(`a topic for dead letters, and onPoison is "${onPoison}"`);
    }
    if (onPoison === "fail" && (maxBadRecords !== undefined || maxBadFraction !== undefined)) {
      throw new OptionsError('maxBadRecords and maxBadFraction are for onPoison "skip" and "deadLetter"');
    }
    if (maxBadRecords !== undefined && !(Number.isInteger(maxBadRecords) && maxBadRecords >= 0)) {
      throw new OptionsError(`maxBadRecords is ${maxBadRecords}`, { remedy: "Give a whole number." });
    }
    if (maxBadFraction !== undefined && !(maxBadFraction >= 0 && maxBadFraction <= 1)) {
      throw new OptionsError(`maxBadFraction is ${maxBadFraction}`, { remedy: "Give a number from 0 to 1." });
    }
    this.#maxBadRecords = maxBadRecords ?? Number.POSITIVE_INFINITY;
    this.#maxBadFraction = maxBadFraction ?? (onPoison === "skip" ? SKIP_FRACTION : 1);
  }

  counts({ topic, partition }: TopicPartition): PoisonCounts {
    return this.#counts.get(topic)?.get(partition) ?? none;
  }

  get #bad(): number {
    let bad = 0;
    for (const partitions of this.#counts.values()) {
      for (const { skipped, deadLettered } of partitions.values()) bad += skipped + deadLettered;
    }
    return bad;
  }

  /**
   * Whether the next `rows` records of a partition may have these bad ones, at rows `indices`. Counts nothing.
   *
   * @throws the first one's error with "fail"; FormatError when they are more than the budget
   */
  check(place: TopicPartition, indices: readonly number[], bad: readonly BadRecord[]): void {
    if (bad.length === 0) return;
    if (this.onPoison === "fail") throw (bad[0] as BadRecord).error;
    const before = this.counts(place);
    const badBefore = before.skipped + before.deadLettered;
    const all = this.#bad;
    bad.forEach(({ error }, k) => {
      const total = all + k + 1;
      if (total > this.#maxBadRecords) {
        throw overBudget(error, `${total} records could not be decoded`, `maxBadRecords = ${this.#maxBadRecords}`);
      }
      const records = before.records + (indices[k] as number) + 1;
      if (badBefore + k + 1 > this.#maxBadFraction * Math.max(LEAST_RECORDS, records)) {
        const what = `${badBefore + k + 1} of ${records} records of the partition could not be decoded`;
        throw overBudget(error, what, `maxBadFraction = ${this.#maxBadFraction}`);
      }
    });
  }

  /** Counts `rows` more records of a partition, `bad` of them bad. */
  add({ topic, partition }: TopicPartition, rows: number, bad: number): void {
    const partitions = this.#counts.get(topic) ?? new Map<number, PoisonCounts>();
    const { records, skipped, deadLettered } = partitions.get(partition) ?? none;
    partitions.set(partition, {
      records: records + rows,
      skipped: skipped + (this.onPoison === "skip" ? bad : 0),
      deadLettered: deadLettered + (this.onPoison === "deadLetter" ? bad : 0),
    });
    this.#counts.set(topic, partitions);
  }

  toState(): JsonValue {
    const topics: Record<string, JsonValue> = {};
    for (const [topic, partitions] of this.#counts) {
      topics[topic] = Object.fromEntries(
        [...partitions].map(([partition, { records, skipped, deadLettered }]) => [
          String(partition),
          [records, skipped, deadLettered],
        ]),
      );
    }
    return topics;
  }

  /** @throws StateError when it is no such state */
  fromState(state: unknown): void {
    const counts = new Map<string, Map<number, PoisonCounts>>();
    for (const [topic, partitions] of entriesOf(state)) {
      const of = new Map<number, PoisonCounts>();
      for (const [partition, numbers] of entriesOf(partitions)) {
        const list: readonly unknown[] = Array.isArray(numbers) ? numbers : [];
        if (list.length !== 3 || !list.every((each) => Number.isSafeInteger(each))) refuse();
        const [records, skipped, deadLettered] = list as readonly [number, number, number];
        of.set(Number(partition), { records, skipped, deadLettered });
      }
      counts.set(topic, of);
    }
    this.#counts = counts;
  }
}

function refuse(): never {
  throw new StateError("the counts of bad records in the state are not such");
}

function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse();
  return Object.entries(value);
}

function overBudget(error: IngestError, what: string, budget: string): FormatError {
  return new FormatError(`${what}, more than ${budget} allows; the last: ${error.what}`, {
    where: error.where,
    remedy: "Is it the right payload and schema? If the records are bad, raise the budget or mend the producer.",
    cause: error,
  });
}

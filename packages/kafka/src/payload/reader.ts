import {
  addWhere,
  channels,
  type Column,
  type Columns,
  type Field,
  type IngestError,
  type JsonValue,
  OptionsError,
  type Schema,
  type Stage,
  type StateDict,
  StateError,
  takeRows,
} from "@ingest-ts/core";
import { DeadLetters } from "../poison/dead-letters.ts";
import { withGaps } from "../poison/gaps.ts";
import { type BadRecord, type PoisonCounts, PoisonLedger, type PoisonOptions } from "../poison/policy.ts";
import type { AckOutcome, KafkaReader, KafkaSlab, PartitionPosition } from "../reader/types.ts";
import { recordSchema } from "../records/schema.ts";
import type { TopicPartition } from "../transport/types.ts";
import { createPayloadDecoder, type PayloadOptions, resumedOptions, wantsSample } from "./create.ts";
import { type Expanded, expandedFields } from "./expand.ts";
import type { DecodedValues, PayloadDecoder, PoisonValue } from "./values.ts";

/** How records are decoded, and what becomes of those that cannot be. */
export interface PayloadReaderOptions extends PoisonOptions {
  /** Default "raw". */
  readonly keyAs?: PayloadOptions | undefined;
  /** Default "raw". */
  readonly valueAs?: PayloadOptions | undefined;
  /**
   * The fields of struct values become columns of their own in the place of `value`; one that has the name of another
   * column is called `value.<name>`. Default false.
   */
  readonly expand?: boolean | undefined;
}

/** A slab with keys and values decoded. */
export interface DecodedSlab extends KafkaSlab {
  readonly schema: Schema;
  /** Records that were left out; `gaps` has their offsets. */
  readonly badRecords: number;
}

const KEY = recordSchema.fields.findIndex(({ name }) => name === "key");
const VALUE = recordSchema.fields.findIndex(({ name }) => name === "value");
const HEADERS = recordSchema.fields.findIndex(({ name }) => name === "headers");
const OFFSET = recordSchema.fields.findIndex(({ name }) => name === "kafkaOffset");

/** What is made when the first record is there. */
interface Decoders {
  readonly key: PayloadDecoder;
  readonly value: PayloadDecoder;
  readonly schema: Schema;
  readonly expanded: Expanded | undefined;
}

function decodedField(field: Field, { as, type }: PayloadDecoder): Field {
  return as === "raw" ? field : { ...field, type, nullable: true };
}

/** Keys and values of a slab, decoded. */
interface DecodedRows {
  readonly columns: readonly Column[];
  /** Rows of the bad records, rising. */
  readonly rows: readonly number[];
  readonly bad: readonly BadRecord[];
}

/**
 * Decodes the keys and values of what a reader gives. Bad records are judged in the order of their partition, so that a run
 * that is repeated leaves out the same ones; how many there were is in the state, with the columns that were found.
 */
export class PayloadReader implements Stage<DecodedSlab> {
  readonly mode: "assign" | "group";
  readonly #source: KafkaReader;
  readonly #options: PayloadReaderOptions;
  readonly #ledger: PoisonLedger;
  readonly #deadLetters: DeadLetters | undefined;
  #keyAs: PayloadOptions;
  #valueAs: PayloadOptions;
  #decoders: Promise<Decoders> | undefined;
  #resolved: Decoders | undefined;
  /** Read from the source and not handed over yet: a sample, or one whose decoding failed. */
  readonly #pending: { readonly slab: KafkaSlab; readonly before: StateDict }[] = [];

  /** @throws OptionsError for options that contradict each other */
  constructor(source: KafkaReader, options: PayloadReaderOptions = {}) {
    this.mode = source.mode;
    this.#source = source;
    this.#options = options;
    this.#keyAs = options.keyAs ?? "raw";
    this.#valueAs = options.valueAs ?? "raw";
    this.#ledger = new PoisonLedger(options);
    this.#deadLetters = options.deadLetters === undefined ? undefined : new DeadLetters(options.deadLetters);
  }

  get positions(): readonly PartitionPosition[] {
    return this.#source.positions;
  }

  get topicIds(): Readonly<Record<string, string>> {
    return this.#source.topicIds;
  }

  /**
   * Of every slab. Waits for the first records when the columns are to be seen by them.
   *
   * @throws OptionsError when there are none to see them by
   */
  async schema(): Promise<Schema> {
    return (await this.#open()).schema;
  }

  /** Records of a partition so far, in all runs that the state comes from. */
  counts(place: TopicPartition): PoisonCounts {
    return this.#ledger.counts(place);
  }

  ack(slab: Pick<KafkaSlab, "topic" | "partition" | "endOffset" | "epoch">): Promise<AckOutcome> {
    return this.#source.ack(slab);
  }

  holds(slab: Pick<KafkaSlab, "topic" | "partition" | "epoch">): Promise<boolean> {
    return this.#source.holds(slab);
  }

  /**
   * @throws the record's error with onPoison "fail", FormatError over the budget, SourceError when dead letters or a
   *   schema registry cannot be reached: asking again then begins with the same slab
   */
  async next(): Promise<IteratorResult<DecodedSlab, undefined>> {
    const decoders = await this.#open();
    const slab = this.#pending[0]?.slab ?? (await this.#pull());
    if (slab === undefined) return { done: true, value: undefined };
    const decoded = await this.#decode(slab, decoders);
    const { rows, bad } = decoded;
    this.#ledger.check(slab, rows, bad);
    if (bad.length > 0) await this.#deadLetters?.write(slab, rows, bad);
    this.#ledger.add(slab, slab.columns.rows, bad.length);
    this.#pending.shift();
    return { done: false, value: this.#handOver(slab, decoded, decoders) };
  }

  /** The next slab of the source, which stays pending until it is handed over. */
  async #pull(): Promise<KafkaSlab | undefined> {
    const before = this.#source.stateDict();
    const step = await this.#source.next();
    if (step.done === true) return undefined;
    this.#pending.push({ slab: step.value, before });
    return step.value;
  }

  #open(): Promise<Decoders> {
    this.#decoders ??= this.#create().catch((error: unknown) => {
      this.#decoders = undefined;
      throw error;
    });
    return this.#decoders;
  }

  async #create(): Promise<Decoders> {
    const isSampled = wantsSample(this.#keyAs) || wantsSample(this.#valueAs);
    const sample = isSampled ? await this.#sample() : undefined;
    const input = (at: number) => {
      if (sample === undefined) return undefined;
      const { columns } = sample.columns;
      return { values: columns[at] as Column, headers: columns[HEADERS] };
    };
    const create = (as: PayloadOptions, side: "key" | "value", at: number): Promise<PayloadDecoder> =>
      createPayloadDecoder(as, side, input(at)).catch((error: unknown) => {
        if (sample === undefined) throw error;
        // What the records show does not fit together.
        throw addWhere(error, { topic: sample.topic, partition: sample.partition, column: side });
      });
    const key = await create(this.#keyAs, "key", KEY);
    const value = await create(this.#valueAs, "value", VALUE);
    const nested = recordSchema.fields.map((field, i) =>
      i === KEY ? decodedField(field, key) : i === VALUE ? decodedField(field, value) : field,
    );
    const schema: Schema = { fields: nested, metadata: {} };
    if (this.#options.expand !== true) return (this.#resolved = { key, value, schema, expanded: undefined });
    const expanded = expandedFields(schema, "value");
    const fields = [...nested.slice(0, VALUE), ...expanded.fields, ...nested.slice(VALUE + 1)];
    return (this.#resolved = { key, value, schema: { fields, metadata: {} }, expanded });
  }

  /** The first slab with rows. */
  async #sample(): Promise<KafkaSlab> {
    for (const { slab } of this.#pending) if (slab.columns.rows > 0) return slab;
    for (let slab = await this.#pull(); slab !== undefined; slab = await this.#pull()) {
      if (slab.columns.rows > 0) return slab;
    }
    throw new OptionsError("there are no records to see the columns by", { remedy: "Declare a schema." });
  }

  async #decode(slab: KafkaSlab, { key, value }: Decoders): Promise<DecodedRows> {
    const { topic, partition } = slab;
    const columns = [...slab.columns.columns];
    const headers = columns[HEADERS];
    const offsets = columns[OFFSET] as Column;
    const bad = new Map<number, BadRecord>();
    const take = (side: "key" | "value", at: number, { column, poison }: DecodedValues): void => {
      columns[at] = column;
      for (const each of poison) {
        if (bad.has(each.index)) continue;
        const kafkaOffset = numberAt(offsets, each.index);
        bad.set(each.index, { topic, partition, kafkaOffset, side, error: located(each, slab, kafkaOffset, side) });
      }
    };
    try {
      take("key", KEY, await key.decode({ values: columns[KEY] as Column, headers }));
      take("value", VALUE, await value.decode({ values: columns[VALUE] as Column, headers }));
    } catch (error) {
      throw addWhere(error, { topic, partition });
    }
    const sorted = [...bad].sort(([a], [b]) => a - b);
    return { columns, rows: sorted.map(([row]) => row), bad: sorted.map(([, record]) => record) };
  }

  #handOver(slab: KafkaSlab, { columns, rows, bad }: DecodedRows, { schema, expanded }: Decoders): DecodedSlab {
    const made =
      expanded === undefined
        ? columns
        : [...columns.slice(0, VALUE), ...expanded.expand(columns[VALUE] as Column), ...columns.slice(VALUE + 1)];
    const all: Columns = { rows: slab.columns.rows, columns: made };
    if (bad.length === 0) return { ...slab, schema, columns: all, badRecords: 0 };
    const cause = this.#ledger.onPoison === "skip" ? "skipped" : "deadLettered";
    const offsets = bad.map(({ kafkaOffset }) => kafkaOffset);
    if (channels.kafkaGap.hasSubscribers) {
      const { topic, partition } = slab;
      for (const start of offsets) channels.kafkaGap.publish({ topic, partition, cause, start, end: start + 1 });
    }
    const kept = takeRows(all, keptRows(all.rows, rows));
    return { ...slab, schema, columns: kept, gaps: withGaps(slab.gaps, cause, offsets), badRecords: bad.length };
  }

  /** The place after the last slab handed over, the columns, and the counts of bad records. */
  stateDict(): StateDict {
    return {
      version: 1,
      source: this.#pending[0]?.before ?? this.#source.stateDict(),
      key: this.#resolved?.key.resolved ?? null,
      value: this.#resolved?.value.resolved ?? null,
      counts: this.#ledger.toState(),
    };
  }

  /** @throws StateError when it is of other payloads */
  loadStateDict(state: StateDict): void {
    const { version, source, key, value, counts } = state;
    if (version !== 1 || typeof source !== "object" || source === null || Array.isArray(source)) {
      throw new StateError("this is no state of decoded records");
    }
    if (this.#decoders !== undefined) throw new StateError("a state is loaded before the first record is read");
    this.#keyAs = resumed(this.#keyAs, key, "keyAs");
    this.#valueAs = resumed(this.#valueAs, value, "valueAs");
    this.#ledger.fromState(counts);
    this.#source.loadStateDict(source as StateDict);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  async return(): Promise<IteratorResult<DecodedSlab, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }
}

/** @throws StateError when the state's payload is another */
function resumed(options: PayloadOptions, resolved: JsonValue | undefined, name: string): PayloadOptions {
  // Saved before the first record.
  if (resolved === null || resolved === undefined) return options;
  const wanted = typeof options === "string" ? options : options.as;
  const found = (resolved as { readonly as?: unknown }).as;
  if (found !== wanted) {
    throw new StateError(`the state is of ${name} "${String(found)}", and now it is "${wanted}"`, {
      remedy: "Resume with the same payloads, or begin anew.",
    });
  }
  return resumedOptions(options, resolved);
}

function located(
  { error }: PoisonValue,
  { topic, partition }: TopicPartition,
  kafkaOffset: number,
  side: "key" | "value",
): IngestError {
  return addWhere(error, { topic, partition, kafkaOffset, column: side }) as IngestError;
}

/** Offsets are below 2^53. */
function numberAt({ data }: Column, i: number): number {
  const bytes = data as Uint8Array;
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(i * 8, true));
}

function keptRows(rows: number, left: readonly number[]): Int32Array {
  const kept = new Int32Array(rows - left.length);
  let at = 0;
  let next = 0;
  for (let row = 0; row < rows; row++) {
    if (left[next] === row) next++;
    else kept[at++] = row;
  }
  return kept;
}

import { columnBytes, type Schema } from "@ingest-ts/core";
import type { TopicPartition } from "@ingest-ts/kafka";
import type { DecodedSlab } from "@ingest-ts/kafka/payload";
import type { TableWriter } from "@ingest-ts/writers";
import type { LossyPlan } from "../../convert/lossy.ts";
import type { Target, TargetOptions } from "../../convert/targets.ts";
import type { ConsumeOutput, SafePlace } from "../output.ts";
import { planShards } from "./shard-columns.ts";
import { digits, shardName } from "./shard-name.ts";
import type { ShardEntry, ShardStore } from "./shard-store.ts";

/** When a shard ends: after the slab that brings it there. */
export interface RollAt {
  readonly rows: number;
  /** Of Arrow data. */
  readonly sizeBytes: number;
  /** After its first row. */
  readonly ageMs: number;
}

interface OpenShard extends TopicPartition {
  readonly name: string;
  readonly startOffset: number;
  endOffset: number;
  readonly epoch: number;
  readonly writer: TableWriter;
  readonly openedAt: number;
  rows: number;
  sizeBytes: number;
  /** Goes into its metadata. */
  readonly facts: Record<string, string>;
}

const END = "ingest.kafka.end";

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** What the output asks and tells. */
export interface ShardEvents {
  /** Whether the partition is still this process's to write, as its group knows. */
  holds(place: SafePlace): Promise<boolean>;
  /** Of the topic that is read; undefined where brokers do not tell it. */
  topicId(topic: string): string | undefined;
  /** A shard became visible. */
  written(entry: ShardEntry, durationMs: number): void;
  /** Columns are not written as they were read, with `lossy`. */
  changed(changes: readonly string[]): void;
  /** Nothing of a shard becomes visible: its partition went, and its records are read again from the last commit. */
  givenUp(place: SafePlace, rows: number): void;
}

/**
 * One open shard for each partition. A shard's name is where it begins; it becomes visible whole, is noted, and only then
 * its rows are safe: whoever starts again at the last safe place replaces at most the one shard that was not.
 */
export class ShardOutput implements ConsumeOutput {
  readonly #store: ShardStore;
  readonly #target: Target;
  readonly #options: TargetOptions;
  readonly #roll: RollAt;
  readonly #events: ShardEvents;
  readonly #open = new Map<string, OpenShard>();
  readonly #lossy: boolean;
  #plan: { readonly of: Schema; readonly plan: LossyPlan } | undefined;

  /** @param options as `targetOptions` gives them; `lossy`: change columns that the format cannot hold */
  constructor(
    store: ShardStore,
    target: Target,
    { lossy = false, ...options }: TargetOptions & { readonly lossy?: boolean },
    roll: RollAt,
    events: ShardEvents,
  ) {
    this.#store = store;
    this.#target = target;
    this.#options = options;
    this.#lossy = lossy;
    this.#roll = roll;
    this.#events = events;
  }

  async write(slab: DecodedSlab): Promise<readonly SafePlace[]> {
    const { topic, partition, startOffset, endOffset, epoch, schema, columns: rows } = slab;
    let shard = this.#open.get(keyOf(slab));
    // The partition went and came back: this begins at the commit, wherever the rows of before had come to.
    if (shard !== undefined && (shard.epoch !== epoch || shard.endOffset !== startOffset)) {
      await this.#giveUp(shard);
      shard = undefined;
    }
    if (shard === undefined) {
      // Offsets without rows make no shard: they are read again, or committed, as the next place.
      if (rows.rows === 0) return [{ topic, partition, endOffset, epoch }];
      shard = await this.#begin(slab, startOffset, epoch, schema);
    }
    await shard.writer.write((await this.#planOf(schema)).map(rows));
    shard.rows += rows.rows;
    shard.sizeBytes += columnBytes(rows);
    shard.endOffset = endOffset;
    const full = shard.rows >= this.#roll.rows || shard.sizeBytes >= this.#roll.sizeBytes;
    return full || this.#dueAt(shard) <= Date.now() ? this.#endAll([shard]) : [];
  }

  /** The same for all shards, as long as the columns are. */
  async #planOf(of: Schema): Promise<LossyPlan> {
    if (this.#plan?.of === of) return this.#plan.plan;
    const plan = await planShards(of, this.#target, this.#options, this.#lossy);
    if (plan.changes.length > 0) this.#events.changed(plan.changes);
    this.#plan = { of, plan };
    return plan;
  }

  async #begin(of: TopicPartition, startOffset: number, epoch: number, read: Schema): Promise<OpenShard> {
    const { topic, partition } = of;
    const { schema } = await this.#planOf(read);
    const facts = {
      ...schema.metadata,
      "ingest.kafka.topic": topic,
      "ingest.kafka.partition": String(partition),
      "ingest.kafka.start": String(startOffset),
      // Avro's header stands at the beginning: there is room in it for any end.
      ...(this.#target.format === "avro" ? { [END]: digits(startOffset) } : {}),
    };
    const name = shardName(topic, partition, startOffset, this.#target.extensions[0] as string);
    await this.#putBeside(name, schema);
    const sink = await this.#store.sink(name, { patchable: this.#target.format === "avro" });
    let writer: TableWriter;
    try {
      writer = await this.#target.create(sink, { ...schema, metadata: facts }, this.#options);
    } catch (error) {
      await sink.abort();
      throw error;
    }
    const counts = { rows: 0, sizeBytes: 0, endOffset: startOffset };
    const shard: OpenShard = {
      topic,
      partition,
      name,
      startOffset,
      epoch,
      writer,
      openedAt: Date.now(),
      facts,
      ...counts,
    };
    this.#open.set(keyOf(of), shard);
    return shard;
  }

  /** The types of the columns, for a format that holds none. */
  async #putBeside(name: string, schema: Schema): Promise<void> {
    const { beside } = this.#target;
    if (beside === undefined) return;
    await this.#store.put(`${name}${beside.suffix}`, await beside.text(schema));
  }

  #dueAt({ openedAt }: OpenShard): number {
    return openedAt + this.#roll.ageMs;
  }

  get dueAt(): number | undefined {
    let due: number | undefined;
    for (const shard of this.#open.values()) due = Math.min(due ?? Number.POSITIVE_INFINITY, this.#dueAt(shard));
    return due;
  }

  async endDue(): Promise<readonly SafePlace[]> {
    const now = Date.now();
    return this.#endAll([...this.#open.values()].filter((shard) => this.#dueAt(shard) <= now));
  }

  flush(partitions?: readonly TopicPartition[]): Promise<readonly SafePlace[]> {
    return this.#endAll(this.#of(partitions));
  }

  #of(partitions: readonly TopicPartition[] | undefined): OpenShard[] {
    if (partitions === undefined) return [...this.#open.values()];
    return partitions.flatMap((one) => this.#open.get(keyOf(one)) ?? []);
  }

  async #endAll(shards: readonly OpenShard[]): Promise<readonly SafePlace[]> {
    const places: SafePlace[] = [];
    for (const shard of shards) {
      const place = await this.#end(shard);
      if (place !== undefined) places.push(place);
    }
    return places;
  }

  async #giveUp(shard: OpenShard): Promise<void> {
    this.#open.delete(keyOf(shard));
    const { topic, partition, endOffset, epoch, rows } = shard;
    await shard.writer.abort();
    this.#events.givenUp({ topic, partition, endOffset, epoch }, rows);
  }

  /** @returns undefined when another member writes it now: under this name, and perhaps further than this one came */
  async #end(shard: OpenShard): Promise<SafePlace | undefined> {
    const { topic, partition, startOffset, endOffset, epoch, name } = shard;
    if (!(await this.#events.holds({ topic, partition, endOffset, epoch }))) {
      await this.#giveUp(shard);
      return undefined;
    }
    shard.facts[END] = this.#target.format === "avro" ? digits(endOffset) : String(endOffset);
    const { rows, sizeBytes } = await shard.writer.finish();
    this.#open.delete(keyOf(shard));
    const topicId = this.#events.topicId(topic);
    const entry: ShardEntry = { version: 1, topic, partition, topicId, startOffset, endOffset, rows, sizeBytes, name };
    await this.#store.note(entry);
    this.#events.written(entry, Date.now() - shard.openedAt);
    return { topic, partition, endOffset, epoch };
  }

  async abort(partitions?: readonly TopicPartition[]): Promise<void> {
    for (const shard of this.#of(partitions)) {
      this.#open.delete(keyOf(shard));
      await shard.writer.abort();
    }
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }
}

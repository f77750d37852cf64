import { channels } from "@ingest-ts/core";
import { corrupt } from "../records/errors.ts";
import { type DecodedRecords, emptyRecords, RecordsDecoder } from "../records/decode.ts";
import type { Gap } from "../records/gap.ts";
import type { FetchedPartition, TopicPartition } from "../transport/types.ts";
import type { Settings } from "./settings.ts";
import type { KafkaSlab, PartitionPosition } from "./types.ts";

/** An answer's buffer, held until all its partitions are decoded; then its memory is used again. */
export interface HeldBytes {
  readonly answers: readonly FetchedPartition[];
  readonly sizeBytes: number;
  /** Chunks that still look into it. */
  chunks: number;
}

interface Chunk {
  readonly held: HeldBytes | undefined;
  readonly answer: FetchedPartition;
  readonly start: number;
  /** Where the next chunk was asked from. */
  readonly next: number;
  readonly aligned: boolean;
  /** Without bytes: offsets that hold nothing. */
  readonly gap: Gap | undefined;
  decoder: RecordsDecoder | undefined;
}

/** Where a cursor begins and ends. */
export interface CursorSpan {
  readonly position: number;
  readonly end: number | undefined;
  /** Of the group's assignment; 0 in assign mode. */
  readonly epoch: number;
  readonly leaderEpoch?: number | undefined;
}

/** One partition: what was handed over, what was fetched and waits, what is asked for next. */
export class Cursor implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly end: number | undefined;
  readonly epoch: number;
  readonly #settings: Settings;
  readonly #chunks: Chunk[] = [];
  /** The next offset to be handed over. */
  handed: number;
  /** The next offset to ask a broker for. */
  fetchFrom: number;
  /** `fetchFrom` is where a batch ended. */
  aligned = false;
  highWatermark = -1;
  lastStableOffset = -1;
  logStartOffset = -1;
  /** Of the newest batch handed over. */
  leaderEpoch: number;
  lastTimestampMs: number | undefined;
  /** A follower to ask, or -1. */
  replica = -1;
  /** A fetch that asks for it is under way. */
  inFlight = false;
  /** It is asked for alone: its next batch is larger than what others left, or there seemed to be nothing. */
  soloBytes = 0;
  /** Answers without a batch where there should be one. */
  empties = 0;
  /** Not asked for before this time (performance.now()). */
  notBefore = 0;
  failures = 0;
  failingSince: number | undefined;

  constructor({ topic, partition }: TopicPartition, span: CursorSpan, settings: Settings) {
    this.topic = topic;
    this.partition = partition;
    this.end = span.end;
    this.epoch = span.epoch;
    this.leaderEpoch = span.leaderEpoch ?? -1;
    this.handed = span.position;
    this.fetchFrom = span.position;
    this.#settings = settings;
  }

  /** Nothing is left to ask for. */
  get fetched(): boolean {
    return this.end !== undefined && this.fetchFrom >= this.end;
  }

  /** Nothing is left to hand over. */
  get done(): boolean {
    return this.fetched && this.#chunks.length === 0;
  }

  get waiting(): number {
    return this.#chunks.length;
  }

  /** What lag is measured against: -1 before the first answer. */
  get visibleEnd(): number {
    return this.#settings.isolation === "read_committed" ? this.lastStableOffset : this.highWatermark;
  }

  /** Takes bytes that begin at `fetchFrom` and whose batches end before `next`. */
  push(answer: FetchedPartition, next: number, held: HeldBytes): void {
    held.chunks++;
    this.#chunks.push({
      held,
      answer,
      start: this.fetchFrom,
      next,
      aligned: this.aligned,
      gap: undefined,
      decoder: undefined,
    });
    this.#moveTo(next);
  }

  /** Passes over offsets up to `next` for a reason. */
  skip(answer: FetchedPartition, cause: Gap["cause"], next: number): void {
    const start = this.fetchFrom;
    const end = Math.min(next, this.end ?? next);
    const gap = { cause, start, end };
    const chunk = { held: undefined, answer, start, next, aligned: false, gap, decoder: undefined };
    if (end > start) this.#chunks.push(chunk);
    this.#moveTo(next);
  }

  #moveTo(next: number): void {
    this.fetchFrom = next;
    this.aligned = true;
    this.soloBytes = 0;
    this.empties = 0;
  }

  /** The next slab; undefined when nothing waits. `release` is told when a chunk's bytes are no longer needed. */
  take(release: (held: HeldBytes) => void): KafkaSlab | undefined {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      const records = chunk.gap === undefined ? this.#decode(chunk) : undefined;
      if (records !== undefined) return this.#slab(chunk, records);
      this.#chunks.shift();
      if (chunk.held !== undefined) release(chunk.held);
      if (chunk.gap !== undefined) return this.#slab(chunk, emptyRecords(this.topic, this.partition, chunk.gap));
      this.#checkEnd(chunk);
    }
    return undefined;
  }

  /** Gives up what waits. */
  drop(release: (held: HeldBytes) => void): void {
    for (const { held } of this.#chunks.splice(0)) if (held !== undefined) release(held);
  }

  #decode(chunk: Chunk): DecodedRecords | undefined {
    const settings = this.#settings;
    const { answer } = chunk;
    chunk.decoder ??= new RecordsDecoder(answer.records, {
      topic: this.topic,
      partition: this.partition,
      position: chunk.start,
      aligned: chunk.aligned,
      end: this.end,
      aborted: settings.isolation === "read_committed" ? answer.aborted : undefined,
      highWatermark: answer.highWatermark,
      contiguous: settings.onRemoved === "fail",
      batchBytes: settings.batchBytes,
      slabRows: settings.slabRows,
      slabBytes: settings.slabBytes,
    });
    const started = performance.now();
    const records = chunk.decoder.next();
    if (records !== undefined && channels.kafkaDecoded.hasSubscribers) {
      const { topic, partition } = this;
      const { rows, storedBytes, sizeBytes } = records;
      const durationMs = performance.now() - started;
      channels.kafkaDecoded.publish({ topic, partition, rows, storedBytes, sizeBytes, durationMs });
    }
    return records;
  }

  /** The batches must end where their headers said, since the next fetch began there. */
  #checkEnd(chunk: Chunk): void {
    const end = Math.min(chunk.next, this.end ?? chunk.next);
    if (chunk.decoder === undefined || chunk.decoder.position === end) return;
    const { topic, partition } = this;
    throw corrupt(`record batches end at ${chunk.decoder.position}, by their headers at ${end}`, {
      topic,
      partition,
      kafkaOffset: chunk.start,
    });
  }

  #slab(chunk: Chunk, records: DecodedRecords): KafkaSlab {
    const { topic, partition, epoch } = this;
    const { startOffset, endOffset, rows, columns, gaps, leaderEpoch, lastTimestampMs } = records;
    this.handed = endOffset;
    if (leaderEpoch >= 0) this.leaderEpoch = leaderEpoch;
    this.lastTimestampMs = lastTimestampMs ?? this.lastTimestampMs;
    if (channels.kafkaGap.hasSubscribers)
      for (const gap of gaps) channels.kafkaGap.publish({ topic, partition, ...gap });
    this.publishLag();
    const { highWatermark, lastStableOffset } = chunk.answer;
    return {
      topic,
      partition,
      startOffset,
      endOffset,
      columns: { rows, columns },
      gaps,
      highWatermark,
      lastStableOffset,
      leaderEpoch,
      epoch,
    };
  }

  publishLag(): void {
    if (!channels.kafkaLag.hasSubscribers || this.visibleEnd < 0) return;
    const { topic, partition, handed, visibleEnd } = this;
    const lagRecords = Math.max(0, visibleEnd - handed);
    const age = this.lastTimestampMs === undefined ? undefined : Math.max(0, Date.now() - this.lastTimestampMs);
    const lagMs = lagRecords === 0 ? 0 : age;
    channels.kafkaLag.publish({ topic, partition, position: handed, end: visibleEnd, lagRecords, lagMs });
  }

  get place(): PartitionPosition {
    const { topic, partition, handed, end, highWatermark, lastStableOffset, visibleEnd, lastTimestampMs } = this;
    return {
      topic,
      partition,
      position: handed,
      end,
      highWatermark,
      lastStableOffset,
      lag: visibleEnd < 0 ? undefined : Math.max(0, visibleEnd - handed),
      timestampMs: lastTimestampMs,
    };
  }
}

import { type Columns, defaultLimits } from "@ingest-ts/core";
import type { AbortedTransaction } from "../transport/types.ts";
import { AbortedFilter } from "./aborted.ts";
import { BatchDecoder } from "./batch.ts";
import { RecordBuilder, type SizeGuess } from "./columns.ts";
import { decodeCommonForm } from "./common-form.ts";
import { corrupt, type RecordPlace } from "./errors.ts";
import type { Gap } from "./gap.ts";
import { Gaps } from "./gaps.ts";
import { type BatchHeader, claimedBatchBytes, readBatchHeader } from "./header.ts";
import { inflateRecords } from "./inflate.ts";
import { at, MIN_RECORD_BYTES } from "./spec.ts";

/** What is wanted of the bytes of one partition in a fetch response. */
export interface RecordsRequest {
  readonly topic: string;
  readonly partition: number;
  /** The first offset wanted: rows before it, which share its batch, are left out. */
  readonly position: number;
  /** `position` is known to be where a batch ended: then no batch may begin before it. */
  readonly aligned?: boolean | undefined;
  /** Exclusive; without it all rows. */
  readonly end?: number | undefined;
  /** From the response, at isolation level read_committed. */
  readonly aborted?: readonly AbortedTransaction[] | undefined;
  /** As the broker said: a batch far behind it cannot be. */
  readonly highWatermark?: number | undefined;
  /** The newest epoch known; -1: none. No batch is from a later one. */
  readonly leaderEpoch?: number | undefined;
  /** Whether offsets that were never given to a record are an error: they are none only in topics that are not compacted. */
  readonly contiguous?: boolean | undefined;
  /** One batch, uncompressed. Default limits.pageBytes. */
  readonly batchBytes?: number | undefined;
  /** A slab ends behind the batch that brings it to so many rows or bytes. Default: none does. */
  readonly slabRows?: number | undefined;
  readonly slabBytes?: number | undefined;
}

/** Rows of some of the batches of one partition in a fetch response. */
export interface DecodedRecords extends Columns {
  readonly startOffset: number;
  /** Exclusive; behind the last whole batch, whatever it held, and at most `end`. */
  readonly endOffset: number;
  /** By rising offset; together with the rows they cover [startOffset, endOffset). */
  readonly gaps: readonly Gap[];
  /** Of the batch that ends last. */
  readonly leaderEpoch: number;
  readonly lastTimestampMs: number | undefined;
  /** Of the batches, as stored. */
  readonly storedBytes: number;
  /** Of the columns, about. */
  readonly sizeBytes: number;
}

/**
 * Between a broker's noting its high watermark and its reading the log, the log may have grown, but never by so many
 * records: an offset beyond is a damaged base offset, which no checksum covers.
 */
const HIGH_WATERMARK_SLACK = 2 ** 24;
const MOST_RESERVED_BYTES = 32 * 1024 * 1024;
const MOST_GUESSED_ROWS = 2 ** 17;

/**
 * The bytes of one partition in a fetch response, slab by slab. Pure and synchronous: `prepareRecords` first. After an
 * error it is done.
 *
 * The CRC covers a batch from its attributes on. What lies before (base offset, length, epoch, version) is checked against
 * the neighbours: offsets rise, nothing overlaps, nothing begins before an `aligned` position.
 */
export class RecordsDecoder {
  readonly #bytes: Uint8Array;
  readonly #request: RecordsRequest;
  readonly #span: { readonly start: number; readonly end: number };
  readonly #filter: AbortedFilter;
  readonly #gaps: Gaps;
  #at = 0;
  #position: number;
  #logEnd = -1;
  #epoch = -1;
  #done = false;

  constructor(bytes: Uint8Array, request: RecordsRequest) {
    this.#bytes = bytes;
    this.#request = request;
    this.#span = { start: request.position, end: request.end ?? Number.POSITIVE_INFINITY };
    this.#filter = new AbortedFilter(request.aborted ?? []);
    this.#gaps = new Gaps(this.#span.start, this.#span.end);
    this.#position = request.position;
  }

  /** Where the next fetch begins. */
  get position(): number {
    return this.#position;
  }

  /** Of a last batch that the size of the fetch cut off; 0 while there is more to decode. */
  get partialBytes(): number {
    return this.#done && this.#position < this.#span.end ? this.#bytes.length - this.#at : 0;
  }

  /** What the batch that was cut off claims to take; undefined when that is cut off too. */
  get claimedBytes(): number | undefined {
    return this.partialBytes === 0 ? undefined : claimedBatchBytes(this.#bytes, this.#at);
  }

  /**
   * The next slab; undefined when there is none.
   *
   * @throws FormatError with topic, partition and offset: a wrong CRC, a length, count or offset that cannot be
   * @throws UnsupportedError for an unknown codec, or messages older than Kafka 0.11
   */
  next(): DecodedRecords | undefined {
    if (this.#done) return undefined;
    const { slabRows = Number.POSITIVE_INFINITY, slabBytes = Number.POSITIVE_INFINITY } = this.#request;
    const startOffset = this.#position;
    const from = this.#at;
    const builder = new RecordBuilder(this.#request.topic, this.#request.partition, this.#guess(slabRows, slabBytes));
    while (builder.rows < slabRows && builder.sizeBytes < slabBytes) {
      if (!this.#nextBatch(builder)) {
        this.#done = true;
        break;
      }
    }
    if (this.#position === startOffset) return undefined;
    return {
      ...builder.finish(),
      startOffset,
      endOffset: this.#position,
      gaps: this.#gaps.take(),
      leaderEpoch: this.#epoch,
      lastTimestampMs: builder.lastTimestampMs,
      storedBytes: this.#at - from,
      sizeBytes: builder.sizeBytes,
    };
  }

  /** From what the next batch claims; within the bytes that are there, since nothing of it is checked yet. */
  #guess(slabRows: number, slabBytes: number): SizeGuess {
    const left = this.#bytes.length - this.#at;
    if (left < at.records) return { rows: 0, valueBytes: 0 };
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, left);
    const count = view.getInt32(at.recordCount);
    const size = view.getInt32(at.batchLength);
    if (count <= 0 || size <= 0) return { rows: 0, valueBytes: 0 };
    const rows = Math.floor(
      Math.min(slabRows + count, (left / size) * count, left / MIN_RECORD_BYTES, MOST_GUESSED_ROWS),
    );
    return { rows, valueBytes: Math.floor(Math.min(left, slabBytes + size, (rows * size) / count)) };
  }

  /** @returns false when no whole batch is left, or none is wanted */
  #nextBatch(builder: RecordBuilder): boolean {
    if (this.#at >= this.#bytes.length || this.#position >= this.#span.end) return false;
    const header = readBatchHeader(this.#bytes, this.#at, this.#place());
    if (header === undefined) return false;
    this.#check(header);
    this.#logEnd = header.lastOffset;
    this.#epoch = header.leaderEpoch;
    this.#removed(this.#position, header.baseOffset);
    const start = this.#at;
    this.#at += header.sizeBytes;
    this.#decode(builder, header, this.#bytes.subarray(start + at.records, this.#at));
    this.#position = Math.max(this.#position, Math.min(header.lastOffset + 1, this.#span.end));
    return true;
  }

  #check(header: BatchHeader): void {
    const { aligned, position, highWatermark, leaderEpoch = -1 } = this.#request;
    const { baseOffset, lastOffset } = header;
    if (baseOffset <= this.#logEnd) {
      throw corrupt(`a record batch begins at ${baseOffset}, after one that ends at ${this.#logEnd}`, this.#place());
    }
    if (aligned === true && baseOffset < position) {
      throw corrupt(`a record batch begins at ${baseOffset}, inside of the one before`, this.#place());
    }
    if (highWatermark !== undefined && lastOffset >= highWatermark + HIGH_WATERMARK_SLACK) {
      throw corrupt(`a record batch ends at ${lastOffset}, the log at ${highWatermark}`, this.#place());
    }
    if (header.leaderEpoch < this.#epoch || (leaderEpoch >= 0 && header.leaderEpoch > leaderEpoch)) {
      const known = leaderEpoch >= 0 ? `, the leader's is ${leaderEpoch}` : "";
      throw corrupt(`a record batch has epoch ${header.leaderEpoch} after ${this.#epoch}${known}`, this.#place());
    }
  }

  #place(): RecordPlace {
    const { topic, partition } = this.#request;
    return { topic, partition, kafkaOffset: this.#position };
  }

  #removed(from: number, to: number): void {
    this.#gaps.add("removed", from, to);
    const start = Math.max(from, this.#span.start);
    if (this.#request.contiguous !== true || start >= Math.min(to, this.#span.end)) return;
    throw corrupt(`there are no records from ${start} to ${to - 1} in a log that should have no gaps`, this.#place(), {
      remedy: `Let removed records pass when the topic is compacted, or begin at ${to}.`,
    });
  }

  #decode(builder: RecordBuilder, header: BatchHeader, stored: Uint8Array): void {
    const after = header.lastOffset + 1;
    if (header.control) {
      // A marker compacted away leaves an empty batch; its transaction has no records left either.
      const type = header.recordCount === 0 ? -1 : this.#open(header, stored).controlType();
      this.#filter.isAborted(header, type === 0);
      this.#gaps.add("control", header.baseOffset, after);
    } else if (this.#filter.isAborted(header, false)) {
      this.#gaps.add("aborted", header.baseOffset, after);
    } else if (after > this.#span.start) {
      if (header.recordCount === 0) this.#removed(header.baseOffset, after);
      else this.#records(builder, header, stored);
    }
  }

  #records(builder: RecordBuilder, header: BatchHeader, stored: Uint8Array): void {
    const { start, end } = this.#span;
    const place = this.#placeOf(header);
    const bytes = this.#inflate(header, stored, place);
    this.#reserve(builder, stored.length, bytes.length);
    if (header.baseOffset >= start && header.lastOffset < end && decodeCommonForm(bytes, header, builder)) return;
    new BatchDecoder(bytes, header, place).decode(builder, this.#span, (from, to) => this.#removed(from, to));
  }

  /** What is compressed grows by a factor, which is known from a slab's first batch; what is left may not grow by it. */
  #reserve(builder: RecordBuilder, storedBytes: number, sizeBytes: number): void {
    if (builder.rows > 0 || sizeBytes <= storedBytes) return;
    const all = ((this.#bytes.length - this.#at + storedBytes) / storedBytes) * sizeBytes;
    const most = Math.min((this.#request.slabBytes ?? MOST_RESERVED_BYTES) + sizeBytes, MOST_RESERVED_BYTES);
    builder.values.reserve(Math.floor(Math.min(all, most)));
  }

  #open(header: BatchHeader, stored: Uint8Array): BatchDecoder {
    const place = this.#placeOf(header);
    return new BatchDecoder(this.#inflate(header, stored, place), header, place);
  }

  #inflate(header: BatchHeader, stored: Uint8Array, place: RecordPlace): Uint8Array {
    return inflateRecords(header.codec, stored, this.#request.batchBytes ?? defaultLimits.pageBytes, place);
  }

  #placeOf({ baseOffset: kafkaOffset }: BatchHeader): RecordPlace {
    return { ...this.#place(), kafkaOffset };
  }
}

/** A slab without rows, for offsets that a broker has no batch for. */
export function emptyRecords(topic: string, partition: number, gap: Gap): DecodedRecords {
  return {
    ...new RecordBuilder(topic, partition).finish(),
    startOffset: gap.start,
    endOffset: gap.end,
    gaps: [gap],
    leaderEpoch: -1,
    lastTimestampMs: undefined,
    storedBytes: 0,
    sizeBytes: 0,
  };
}

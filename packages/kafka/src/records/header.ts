import { crc32c } from "@ingest-ts/kernels";
import { corrupt, type RecordPlace, unsupported } from "./errors.ts";
import { at, attribute, LOG_OVERHEAD_BYTES, MIN_RECORD_BYTES } from "./spec.ts";

/** The header of one record batch, checked. Offsets and times are exact integers. */
export interface BatchHeader {
  readonly baseOffset: number;
  /** Of the last record that the batch was written with, whether compaction left it or not. */
  readonly lastOffset: number;
  /** In bytes, from the batch's first. */
  readonly sizeBytes: number;
  readonly leaderEpoch: number;
  readonly codec: number;
  readonly logAppendTime: boolean;
  readonly transactional: boolean;
  readonly control: boolean;
  /** What records' timestamps are relative to; with log-append time the one of all of them. */
  readonly timestampMs: number;
  /** -1 when the producer has none. */
  readonly producerId: bigint;
  readonly recordCount: number;
}

function exact(view: DataView, position: number, name: string, place: RecordPlace): number {
  const value = view.getInt32(position) * 2 ** 32 + view.getUint32(position + 4);
  if (!Number.isSafeInteger(value)) throw unsupported(`${name} is beyond 2^53`, place, "Such values are not read.");
  return value;
}

/** The size that the batch at `start` claims; undefined when too little of it is there to tell. */
export function claimedBatchBytes(bytes: Uint8Array, start: number): number | undefined {
  if (bytes.length - start < LOG_OVERHEAD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, LOG_OVERHEAD_BYTES);
  return LOG_OVERHEAD_BYTES + view.getInt32(at.batchLength);
}

/**
 * The batch at `start`; undefined when its end was cut off by the size of the fetch.
 *
 * @param place what was expected there, for errors
 * @throws FormatError for a wrong CRC-32C, a length or a count that cannot be
 * @throws UnsupportedError for messages older than Kafka 0.11
 */
export function readBatchHeader(bytes: Uint8Array, start: number, place: RecordPlace): BatchHeader | undefined {
  const left = bytes.length - start;
  if (left <= at.magic) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, left);
  const magic = view.getInt8(at.magic);
  if (magic === 0 || magic === 1) {
    throw unsupported(
      `messages have format version ${magic}`,
      place,
      "Write the topic again with Kafka 0.11 or newer.",
    );
  }
  if (magic !== 2) throw corrupt(`a record batch has format version ${magic}`, place);
  const sizeBytes = LOG_OVERHEAD_BYTES + view.getInt32(at.batchLength);
  if (sizeBytes < at.records) throw corrupt(`a record batch claims ${sizeBytes} bytes`, place);
  if (sizeBytes > left) return undefined;
  const stored = view.getUint32(at.crc);
  const computed = crc32c(bytes.subarray(start + at.attributes, start + sizeBytes));
  if (stored !== computed)
    throw corrupt(`a record batch's CRC-32C is ${hex(stored)}, its bytes have ${hex(computed)}`, place);
  return fields(view, sizeBytes, place);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function fields(view: DataView, sizeBytes: number, place: RecordPlace): BatchHeader {
  const flags = view.getInt16(at.attributes);
  const baseOffset = exact(view, at.baseOffset, "a base offset", place);
  const delta = view.getInt32(at.lastOffsetDelta);
  const recordCount = view.getInt32(at.recordCount);
  if (baseOffset < 0 || delta < 0) throw corrupt(`a record batch spans ${baseOffset} + ${delta}`, place);
  const codec = flags & attribute.codec;
  const logAppendTime = (flags & attribute.logAppendTime) !== 0;
  // After compaction fewer records than offsets; more never. A compressed size bounds nothing yet.
  const most = codec === 0 ? Math.floor((sizeBytes - at.records) / MIN_RECORD_BYTES) : delta + 1;
  if (recordCount < 0 || recordCount > delta + 1 || recordCount > most) {
    throw corrupt(`a record batch claims ${recordCount} records`, place);
  }
  return {
    baseOffset,
    lastOffset: baseOffset + delta,
    sizeBytes,
    leaderEpoch: view.getInt32(at.leaderEpoch),
    codec,
    logAppendTime,
    transactional: (flags & attribute.transactional) !== 0,
    control: (flags & attribute.control) !== 0,
    timestampMs: exact(view, logAppendTime ? at.maxTimestamp : at.baseTimestamp, "a timestamp", place),
    producerId: view.getBigInt64(at.producerId),
    recordCount,
  };
}

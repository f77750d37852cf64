import { crc32c } from "@ingest-ts/kernels";
import type { RecordToProduce } from "../transport/types.ts";
import { WireWriter } from "../transport/wire.ts";
import { at, LOG_OVERHEAD_BYTES } from "./spec.ts";

/** Who wrote a batch, so that a broker recognises it when it comes again. */
export interface BatchProducer {
  readonly producerId: bigint;
  readonly epoch: number;
  /** Of the first record. */
  readonly sequence: number;
}

const text = new TextEncoder();

function sized(writer: WireWriter, bytes: Uint8Array | null): void {
  if (bytes === null) writer.varint(-1);
  else writer.varint(bytes.length).raw(bytes);
}

function recordBody(record: RecordToProduce, delta: number, firstTimestampMs: number): Uint8Array {
  const writer = new WireWriter()
    .int8(0)
    .varint(record.timestampMs - firstTimestampMs)
    .varint(delta);
  sized(writer, record.key);
  sized(writer, record.value);
  writer.varint(record.headers.length);
  for (const [name, value] of record.headers) {
    sized(writer, text.encode(name));
    sized(writer, value);
  }
  return writer.finish();
}

/** One uncompressed batch of one record at least. `prepareRecords` first. */
export function encodeBatch(records: readonly RecordToProduce[], producer: BatchProducer): Uint8Array {
  const first = records[0]?.timestampMs ?? -1;
  const newest = records.reduce((most, { timestampMs }) => Math.max(most, timestampMs), first);
  const writer = new WireWriter()
    .int64(0)
    .int32(0) // length, below
    .int32(-1)
    .int8(2)
    .int32(0) // CRC, below
    .int16(0)
    .int32(records.length - 1)
    .int64(first)
    .int64(newest)
    .int64(producer.producerId)
    .int16(producer.epoch)
    .int32(producer.sequence)
    .int32(records.length);
  for (const [delta, record] of records.entries()) {
    const body = recordBody(record, delta, first);
    writer.varint(body.length).raw(body);
  }
  const bytes = writer.finish();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setInt32(at.batchLength, bytes.length - LOG_OVERHEAD_BYTES);
  view.setUint32(at.crc, crc32c(bytes.subarray(at.attributes)));
  return bytes;
}

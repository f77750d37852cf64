import { acquireKernels, kafkaContext as word, SLACK_BYTES } from "@ingest-ts/kernels";
import type { RecordBuilder } from "./columns.ts";
import type { BatchHeader } from "./header.ts";
import { MIN_RECORD_BYTES } from "./spec.ts";

/** Of longer records the bytes are most of the work, and they would be copied three times. */
const MOST_RECORD_BYTES = 512;
/** The kernels' memory never shrinks. */
const MOST_BATCH_BYTES = 4 * 1024 * 1024;
const ALIGN_BYTES = 16;

/**
 * Appends the records of a batch when they are in their common form: no headers, no null value, keys all null or none, one
 * record for each offset. Short ones only; `bytes` is the batch uncompressed.
 *
 * @returns false when nothing was appended: then `BatchDecoder` reads the batch, and says what is wrong with it
 */
export function decodeCommonForm(bytes: Uint8Array, header: BatchHeader, builder: RecordBuilder): boolean {
  const { baseOffset, lastOffset, recordCount, timestampMs, logAppendTime } = header;
  const size = bytes.length;
  if (recordCount !== lastOffset - baseOffset + 1 || size > MOST_BATCH_BYTES) return false;
  // A number that is not true asks for no memory.
  if (recordCount * MIN_RECORD_BYTES > size) return false;
  if (size > recordCount * MOST_RECORD_BYTES || !builder.hasRoom(size)) return false;
  const kernels = acquireKernels();
  let end = 0;
  const place = (sizeBytes: number): number => {
    const start = end;
    end = Math.ceil((start + sizeBytes + SLACK_BYTES) / ALIGN_BYTES) * ALIGN_BYTES;
    return start;
  };
  const context = place(word.words * 8);
  const source = place(size);
  const offsets = place(recordCount * 8);
  const timestamps = place(recordCount * 8);
  const keyEnds = place(recordCount * 4);
  const valueEnds = place(recordCount * 4);
  const keys = place(size);
  const values = place(size);
  const block = kernels.arena.allocate(end);
  try {
    const memory = kernels.bytes;
    memory.set(bytes, block + source);
    const view = new DataView(memory.buffer, block + context, word.words * 8);
    const put = (at: number, value: number): void => view.setBigInt64(at * 8, BigInt(value), true);
    put(word.count, recordCount);
    put(word.baseOffset, baseOffset);
    put(word.baseTimestamp, timestampMs);
    put(word.appendTime, logAppendTime ? 1 : 0);
    put(word.keyBase, builder.keys.sizeBytes);
    put(word.valueBase, builder.values.sizeBytes);
    put(word.offsets, block + offsets);
    put(word.timestamps, block + timestamps);
    put(word.keyEnds, block + keyEnds);
    put(word.valueEnds, block + valueEnds);
    put(word.keys, block + keys);
    put(word.values, block + values);
    const rows = kernels.exports.kafkaRecords(block + context, block + source, block + source + size);
    if (rows < 0) return false;
    const ints = (start: number, count: number): Int32Array => new Int32Array(memory.buffer, block + start, count);
    builder.append({
      rows,
      offsets: ints(offsets, rows * 2),
      timestamps: ints(timestamps, rows * 2),
      nullKeys: view.getInt32(word.nullKeys * 8, true) > 0,
      keyEnds: ints(keyEnds, rows),
      valueEnds: ints(valueEnds, rows),
      keys: memory.subarray(block + keys),
      values: memory.subarray(block + values),
    });
    return true;
  } finally {
    kernels.arena.release(block);
  }
}

import type { ByteSource, IndexedFragment, ObjectIndex, ReadOptions, Select } from "@ingest-ts/core";
import type { RecordPlace } from "./framing.ts";
import type { Pull } from "./input.ts";
import { runPull, type TFRecordMetadata } from "./metadata.ts";
import { nextLength, openInput, skipRecord } from "./records.ts";
import { readBytes, runBytes, runRows } from "./spec.ts";

/** Runs of records of a plain object, or the whole of a compressed one. */
function* findRuns(m: TFRecordMetadata, recordBytes: number): Pull<IndexedFragment[]> {
  const input = openInput(m, 0, m.sizeBytes, readBytes);
  const compressed = m.compression !== "none";
  const runs: IndexedFragment[] = [];
  let record = 0;
  let start = 0;
  let rows = 0;
  const place = (): RecordPlace => ({ url: m.url, fragment: undefined, record, offset: input.offset, compressed });
  for (;;) {
    const length = yield* nextLength(input, recordBytes, place);
    if (length === undefined) break;
    yield* skipRecord(input, length, place);
    record++;
    rows++;
    if (!compressed && (rows === runRows || input.offset - start >= runBytes)) {
      runs.push({ start, end: input.offset, rows });
      start = input.offset;
      rows = 0;
    }
  }
  if (compressed) return [{ start: 0, end: m.sizeBytes, rows }];
  if (rows > 0) runs.push({ start, end: input.offset, rows });
  return runs;
}

/**
 * Reads the object once, checking the lengths of all records, and cuts it into runs (index version 1: a run ends at the
 * record that brings it to 16,384 rows or 16 MiB of file).
 *
 * @throws FormatError for a wrong length or a cut file
 */
export async function buildIndex(
  source: ByteSource,
  m: TFRecordMetadata,
  select: Select,
  options?: ReadOptions,
): Promise<ObjectIndex> {
  const fragments = m.sizeBytes === 0 ? [] : await runPull(findRuns(m, select.limits.recordBytes), source, options);
  return { version: 1, format: "tfrecord", sizeBytes: m.sizeBytes, etag: m.etag, fragments };
}

import type { ByteSource, IndexedFragment, ObjectIndex, ReadOptions, Select } from "@ingest-ts/core";
import { readBlocks } from "./blocks.ts";
import type { AvroMetadata } from "./metadata.ts";

/** A run ends at the block that brings it to one of these. */
const RUN_ROWS = 16_384;
const RUN_BYTES = 16 * 1024 * 1024;

/** Reads the whole object once, without decompressing, and says where its runs of blocks lie. */
export async function buildIndex(
  source: ByteSource,
  metadata: AvroMetadata,
  select: Select,
  options: ReadOptions = {},
): Promise<ObjectIndex> {
  const { sizeBytes, etag, dataStart, sync } = metadata;
  const fragments: IndexedFragment[] = [];
  let start = dataStart;
  let rows = 0;
  const blocks = readBlocks({ start: dataStart, end: sizeBytes }, sync, select.limits);
  for (let step = blocks.next(); step.done !== true; ) {
    if ("need" in step.value) {
      step = blocks.next(await source.getRanges(step.value.need, options));
      continue;
    }
    const { end } = step.value;
    rows += step.value.rows;
    if (rows >= RUN_ROWS || end - start >= RUN_BYTES || end === sizeBytes) {
      fragments.push({ start, end, rows });
      start = end;
      rows = 0;
    }
    step = blocks.next([]);
  }
  return { version: 1, format: "avro", sizeBytes, etag, fragments };
}

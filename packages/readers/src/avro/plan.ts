import {
  type ByteSource,
  type ByteSpan,
  type Fragment,
  type IndexedFragment,
  type ObjectIndex,
  type ReadOptions,
  type Select,
  StateError,
} from "@ingest-ts/core";
import { readBlocks } from "./blocks.ts";
import type { AvroMetadata } from "./metadata.ts";
import { toSchema } from "./schema.ts";

/** A run of blocks. Plain data. */
export interface BlockRun extends ByteSpan {
  /** Undefined without an index. */
  readonly rows: number | undefined;
}

/** A run ends at the block that brings it to one of these. */
const RUN_ROWS = 16_384;
const RUN_BYTES = 16 * 1024 * 1024;

/** One fragment per run of the index; without one, all blocks are one fragment of unknown rows. */
export function plan(metadata: AvroMetadata, select: Select): Fragment<BlockRun>[] {
  toSchema(metadata, select);
  const { index } = select;
  const whole: BlockRun = { start: metadata.dataStart, end: metadata.sizeBytes, rows: undefined };
  if (index !== undefined && (index.sizeBytes !== metadata.sizeBytes || index.etag !== metadata.etag)) {
    throw new StateError("the index is of another version of the object", {
      where: { url: metadata.url },
      remedy: "Build it again.",
    });
  }
  return (index?.fragments ?? [whole]).map((run, ordinal) => ({
    url: metadata.url,
    ordinal,
    rows: run.rows,
    sizeBytes: run.end - run.start,
    plan: { start: run.start, end: run.end, rows: run.rows },
  }));
}

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

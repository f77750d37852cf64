import { type ByteSpan, type Fragment, type Select, StateError } from "@ingest-ts/core";
import type { AvroMetadata } from "./metadata.ts";
import { toSchema } from "./schema.ts";

/** A run of blocks. Plain data. */
export interface BlockRun extends ByteSpan {
  /** Undefined without an index. */
  readonly rows: number | undefined;
}

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

import { type Fragment, type ObjectIndex, OptionsError, type Select } from "@ingest-ts/core";
import type { TFRecordMetadata } from "./metadata.ts";

/** Bytes [start, end) of the object. Plain data. */
export interface RecordPlan {
  readonly start: number;
  readonly end: number;
  /** Of the first record, within the object. */
  readonly firstRecord: number;
}

function checkIndex(index: ObjectIndex, m: TFRecordMetadata): void {
  const stale = index.format !== "tfrecord" || index.sizeBytes !== m.sizeBytes || index.etag !== m.etag;
  const last = index.fragments.at(-1);
  if (!stale && (last?.end ?? 0) === m.sizeBytes) return;
  throw new OptionsError("the index does not fit the object", {
    where: { url: m.url },
    remedy: "It was made of another version; build it again.",
  });
}

/**
 * With an index its runs of records; without one the whole object, whose rows are then unknown. A compressed object is
 * one fragment: nothing inside it can be found without inflating what comes before.
 *
 * @throws OptionsError when the index is of another object
 */
export function planFragments(m: TFRecordMetadata, select: Select): Fragment<RecordPlan>[] {
  if (m.sizeBytes === 0) return [];
  if (select.index === undefined) {
    const plan = { start: 0, end: m.sizeBytes, firstRecord: 0 };
    return [{ url: m.url, ordinal: 0, rows: undefined, sizeBytes: m.sizeBytes, plan }];
  }
  checkIndex(select.index, m);
  let firstRecord = 0;
  return select.index.fragments.map(({ start, end, rows }, ordinal) => {
    const plan = { start, end, firstRecord };
    firstRecord += rows;
    return { url: m.url, ordinal, rows, sizeBytes: end - start, plan };
  });
}

import { FormatError, type IndexedFragment, type ObjectIndex, type ObjectStat } from "@ingest-ts/core";
import { runBytes, runRows } from "./spec.ts";

/** A record of no bytes: its length, and two checksums. */
const LEAST_BYTES = 16;
const LINE = /^\s*(\d{1,16})\s+(\d{1,16})\s*$/;

/**
 * The index that NVIDIA DALI's `tfrecord2idx` made of a TFRecord file: a line of text for each record, its offset and its
 * size with length and checksums. The same runs as `buildIndex` finds, without reading a record.
 *
 * That it tells the truth shows when records are read: each run must begin and end at a record and hold as many as the
 * index has.
 *
 * @param stat of the object that it is of
 * @throws FormatError when its records do not lie end to end from the first byte of the object to its last, with the line
 */
export function daliIndex(text: string, stat: ObjectStat, url: string): ObjectIndex {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const fragments: IndexedFragment[] = [];
  let [start, end, rows] = [0, 0, 0];
  lines.forEach((line, i) => {
    const match = LINE.exec(line);
    const [offset, size] = [Number(match?.[1]), Number(match?.[2])];
    if (match === null || !Number.isSafeInteger(offset + size)) throw fault(i, "is not an offset and a size", url);
    if (offset !== end) throw fault(i, `begins at ${offset}, and the record before ends at ${end}`, url);
    if (size < LEAST_BYTES) throw fault(i, `has a record of ${size} bytes`, url);
    end += size;
    if (end > stat.sizeBytes) throw fault(i, `ends at ${end}, and the file at ${stat.sizeBytes}`, url);
    rows++;
    if (rows === runRows || end - start >= runBytes) {
      fragments.push({ start, end, rows });
      start = end;
      rows = 0;
    }
  });
  if (rows > 0) fragments.push({ start, end, rows });
  if (end !== stat.sizeBytes) throw fault(lines.length, `is missing: records up to byte ${stat.sizeBytes}`, url);
  return { version: 1, format: "tfrecord", sizeBytes: stat.sizeBytes, etag: stat.etag, fragments };
}

function fault(line: number, what: string, url: string): FormatError {
  return new FormatError(`line ${line + 1} of the DALI index ${what}`, {
    where: { url },
    remedy: "Make it again with tfrecord2idx: it is of another file, or of an earlier version of this one.",
  });
}

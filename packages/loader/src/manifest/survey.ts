import { addWhere, type ObjectIndex, publicUrl, SourceError } from "@ingest-ts/core";
import { type ListedFile, open, type OpenOptions, type Reader } from "@ingest-ts/readers";
import { digestOf } from "@ingest-ts/sharder";
import type { ObjectEntry } from "./entry.ts";

/** The end of an object is where formats describe it. */
const TAIL_BYTES = 64 * 1024;

/** Finds the index of a row format's object; `reader` is open on it. */
export type FindIndex = (reader: Reader) => Promise<ObjectIndex>;

/** Bytes that change when the content does and stay when the object is copied. */
export async function digestTail(
  reader: Reader,
  signal: AbortSignal | undefined,
): Promise<{ sizeBytes: number; etag: string; digest: string }> {
  const { sizeBytes, etag } = await reader.source.stat({ signal });
  if (sizeBytes === 0) return { sizeBytes, etag, digest: digestOf("") };
  const [tail] = await reader.source.getRanges([{ suffixBytes: Math.min(TAIL_BYTES, sizeBytes) }], { signal });
  return { sizeBytes, etag, digest: digestOf(tail as Uint8Array) };
}

/** The remedy for a file that is not what the listing, or the manifest, says. */
const changedRemedy = "Load the data set again; writers should write to a temporary name and rename.";

/**
 * Opens a listed file once and describes it.
 *
 * @throws SourceError when it is no longer what was listed; otherwise as `open`
 */
export async function surveyFile(file: ListedFile, options: OpenOptions, findIndex: FindIndex): Promise<ObjectEntry> {
  const reader = await open(file.url, options);
  try {
    const stat = await digestTail(reader, options.signal);
    if (stat.etag !== file.etag || stat.sizeBytes !== file.sizeBytes) {
      throw new SourceError("the file changed since the data set was listed", {
        where: { url: publicUrl(file.url) },
        remedy: changedRemedy,
      });
    }
    const { format, schema, fragments } = reader;
    const entry = { name: file.name, ...stat, format, schema };
    const counted = fragments.every(({ rows }) => rows !== undefined);
    if (counted) {
      return {
        ...entry,
        fragmentRows: fragments.map(({ rows }) => rows as number),
        fragmentBytes: fragments.map(({ sizeBytes }) => sizeBytes),
      };
    }
    const index = await findIndex(reader);
    return {
      ...entry,
      fragmentRows: index.fragments.map(({ rows }) => rows),
      fragmentBytes: index.fragments.map(({ start, end }) => end - start),
      index,
    };
  } catch (error) {
    throw addWhere(error, { url: publicUrl(file.url) });
  } finally {
    await reader.close();
  }
}

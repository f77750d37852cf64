import { type ByteSource, OptionsError, publicUrl, SourceError } from "@ingest-ts/core";
import { type DatasetFile, type DatasetInfo, open, type OpenOptions, type Reader } from "@ingest-ts/readers";
import { openSource, probe } from "@ingest-ts/storage";
import type { ObjectInput } from "./options.ts";

/** What reading rows of one object takes; of a folder's files they share one reader. */
export type RowReader = Pick<Reader, "url" | "schema" | "fragments" | "fragmentSlabs">;

/** A folder, or what a pattern names, as one data set. */
export interface Folder {
  readonly reader: Reader;
  readonly files: readonly DatasetFile[];
}

/** Whether one of the paths is a folder or a pattern. */
async function foldersAmong(inputs: readonly ObjectInput[], signal: AbortSignal | undefined): Promise<boolean> {
  for (const input of inputs) {
    if (typeof input === "string" && (await probe(input, { signal })) === "many") return true;
  }
  return false;
}

/**
 * Opens the files of folders and patterns, their schemas united and the names of partition folders as columns; undefined
 * when every input is one object.
 *
 * @throws OptionsError when a file's rows are not known without reading it, or a reader or source stands beside a folder
 */
export async function openFolder(inputs: readonly ObjectInput[], options: OpenOptions): Promise<Folder | undefined> {
  if (!(await foldersAmong(inputs, options.signal))) return undefined;
  const paths = inputs.filter((input) => typeof input === "string");
  if (paths.length < inputs.length) {
    throw new OptionsError("source mixes folders or patterns with readers or sources", {
      remedy: "Name paths only, or open each file yourself.",
    });
  }
  const reader = await open(paths, options);
  try {
    const { files } = reader.dataset as DatasetInfo;
    for (const { file, format, fragments } of files) {
      if (fragments.every(({ rows }) => rows !== undefined)) continue;
      throw new OptionsError(`the rows of a file of the row format ${format} are not known before it is read`, {
        where: { url: publicUrl(file.url) },
        remedy: "Name such files one by one: load() then indexes each.",
      });
    }
    return { reader, files };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** One file of a folder: rows with the columns of all. */
export function rowsOfFile({ reader }: Folder, { file, fragments }: DatasetFile): RowReader {
  return {
    url: publicUrl(file.url),
    schema: reader.schema,
    fragments,
    fragmentSlabs: (fragment, options) => reader.fragmentSlabs(fragment, options),
  };
}

/** Opens a file for its bytes. @throws SourceError when it changed since the folder was listed */
export async function sourceOfFile({ file }: DatasetFile, signal: AbortSignal | undefined): Promise<ByteSource> {
  const source = await openSource(file.url, { signal });
  const { etag } = await source.stat({ signal });
  if (etag === file.etag) return source;
  await source.close();
  throw new SourceError("the file changed while the data set was opened", {
    where: { url: publicUrl(file.url) },
    remedy: "Load again once writers are done.",
  });
}

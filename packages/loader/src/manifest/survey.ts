import {
  addWhere,
  type Fragment,
  isIngestError,
  type ObjectIndex,
  publicUrl,
  type Schema,
  UnsupportedError,
} from "@ingest-ts/core";
import { type ListedFile, type OpenedObject, openListed, type OpenOptions, schemaOfFile } from "@ingest-ts/readers";
import { digestTail } from "./digest-tail.ts";
import type { ObjectEntry } from "./entry.ts";

/** Planning column by column takes the square of their number. */
const MOST_SIZED_COLUMNS = 512;

/** Finds the index of a row format's object, which is open. */
export type FindIndex = (opened: OpenedObject) => Promise<ObjectIndex>;

/** A described file, still open: whoever gets it closes it. */
export interface SurveyedFile {
  readonly entry: ObjectEntry;
  readonly opened: OpenedObject;
}

/**
 * Opens a listed file once and describes it.
 *
 * @throws SourceError when it is no longer what was listed; otherwise as `open`
 */
export async function surveyFile(file: ListedFile, options: OpenOptions, findIndex: FindIndex): Promise<SurveyedFile> {
  const opened = await openListed(file, options);
  try {
    const { format, select, source } = opened;
    const schema = schemaOfFile(opened, options);
    const { digest } = await digestTail(source, options.signal);
    const { name, sizeBytes, etag } = file;
    const entry = { name, sizeBytes, etag, format: format.name, digest, schema };
    const fragments = planOf(opened, schema, options);
    if (fragments.every(({ rows }) => rows !== undefined)) {
      const fragmentRows = fragments.map(({ rows }) => rows as number);
      const fragmentBytes = fragments.map(({ sizeBytes: bytes }) => bytes);
      return { entry: { ...entry, fragmentRows, fragmentBytes, columnBytes: columnBytesOf(opened, schema) }, opened };
    }
    const index = await findIndex(opened);
    const indexed = {
      ...entry,
      fragmentRows: index.fragments.map(({ rows }) => rows),
      fragmentBytes: index.fragments.map(({ start, end }) => end - start),
      index,
    };
    return { entry: indexed, opened: { ...opened, select: { ...select, index } } };
  } catch (error) {
    await opened.close();
    throw addWhere(error, { url: publicUrl(file.url) });
  }
}

/** All columns; those that the schema tells of where columns are asked for and others cannot be read. */
function planOf({ format, metadata, select }: OpenedObject, { fields }: Schema, { columns }: OpenOptions): Fragment[] {
  try {
    return format.plan(metadata, select);
  } catch (error) {
    if (columns === undefined || !(error instanceof UnsupportedError)) throw error;
    return format.plan(metadata, { ...select, columns: fields.map(({ name }) => [name]) });
  }
}

/** Bytes that reading one column alone fetches, [fragment][column]. */
function columnBytesOf({ format, metadata, select }: OpenedObject, { fields }: Schema): number[][] | undefined {
  if (format.name !== "parquet" && format.name !== "orc") return undefined;
  if (fields.length === 0 || fields.length > MOST_SIZED_COLUMNS) return undefined;
  try {
    const planned = fields.map(({ name }) => format.plan(metadata, { ...select, columns: [[name]] }));
    const [first = []] = planned;
    return first.map((_, fragment) => planned.map((fragments) => fragments[fragment]?.sizeBytes ?? 0));
  } catch (error) {
    // What is wrong with a column is told when it is read.
    if (isIngestError(error)) return undefined;
    throw error;
  }
}

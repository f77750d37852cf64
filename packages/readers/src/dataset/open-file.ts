import {
  bindPredicate,
  type ColumnPath,
  type Field,
  type ObjectStat,
  predicateColumns,
  projection,
  publicUrl,
  resolveColumn,
  type Schema,
  SourceError,
  UnsupportedError,
  OptionsError,
  addWhere,
} from "@ingest-ts/core";
import { openObject, type OpenedObject, type OpenOptions, readerOf } from "../open.ts";
import type { Reader } from "../reader.ts";
import { adapterOf } from "./adapt.ts";
import { columnsOfFile } from "./file-columns.ts";
import { whereOfFile } from "./file-where.ts";
import type { ListedFile } from "./listing.ts";
import { datasetSchema } from "./unite.ts";
import { UnitedReader } from "./united-reader.ts";

export interface FileOptions extends OpenOptions {
  /** The columns of all files, from `uniteSchemas`. */
  readonly unitedSchema: Schema;
  /** The columns of their folders, from `partitionFields`. */
  readonly partitionFields: readonly Field[];
}

/**
 * A reader of one file of a data set, whose rows have the data set's columns: widened, null where the file has none, and
 * with the values of its folders.
 *
 * @throws SourceError when the file is no longer what was listed; otherwise as `open`
 */
export async function openFile(file: ListedFile, options: FileOptions): Promise<Reader> {
  return fileReader(file, await openListed(file, options), options);
}

/** Opens a file and reads its metadata. @throws SourceError when it is no longer what was listed */
export function openListed(file: ListedFile, options: OpenOptions): Promise<OpenedObject> {
  return openObject(file.url, options, (stat: ObjectStat) => {
    if (stat.etag === file.etag && stat.sizeBytes === file.sizeBytes) return;
    throw new SourceError("the file changed since the data set was listed", {
      where: { url: publicUrl(file.url) },
      remedy: "Open the data set again; writers should write to a temporary name and rename.",
    });
  });
}

/**
 * The schema that a file has by itself. A file may have columns that Arrow cannot hold: as long as others are asked for by
 * name, only those are looked at.
 */
export function schemaOfFile({ format, metadata, select, source }: OpenedObject, options: OpenOptions): Schema {
  const { columns, where } = options;
  try {
    return format.toSchema(metadata, select);
  } catch (error) {
    if (columns === undefined || !(error instanceof UnsupportedError)) throw addWhere(error, { url: source.url });
  }
  const has = (path: readonly string[]): boolean => {
    try {
      format.toSchema(metadata, { ...select, columns: [path] });
      return true;
    } catch (error) {
      if (error instanceof OptionsError) return false;
      throw addWhere(error, { url: source.url });
    }
  };
  const asked: readonly ColumnPath[] = [...columns, ...(where === undefined ? [] : predicateColumns(where))];
  const paths = asked.map((path) => (typeof path !== "string" ? path : has([path]) ? [path] : path.split(".")));
  return format.toSchema(metadata, { ...select, columns: paths.filter(has) });
}

/** What `openFile` does once the metadata is read. Closes the file when it fails. */
export async function fileReader(file: ListedFile, opened: OpenedObject, options: FileOptions): Promise<Reader> {
  const { unitedSchema, partitionFields, columns, where, ...rest } = options;
  try {
    const schema = datasetSchema(unitedSchema, partitionFields, file.url);
    const asked = columns?.map((path) => resolveColumn(path, schema, true).path);
    const tested = where === undefined ? [] : predicateColumns(where).map((path) => resolveColumn(path, schema).path);
    if (where !== undefined) bindPredicate(where, schema);
    const own = schemaOfFile(opened, options);
    const left =
      where === undefined
        ? { rows: "some" as const, where: undefined, exact: true }
        : whereOfFile(where, schema, own, partitionFields, file.partitions);
    const read = asked === undefined ? schema : projection(schema, left.exact ? asked : [...asked, ...tested]).schema;
    const inner = await readerOf(opened, { ...rest, columns: columnsOfFile(read, own), where: left.where });
    const partitionOf = (name: string) =>
      partitionFields.some((field) => field.name === name)
        ? file.partitions.find((partition) => partition.name === name)
        : undefined;
    return new UnitedReader({
      inner,
      adapt: adapterOf(inner.schema, read, partitionOf),
      output: asked === undefined || left.exact ? undefined : projection(read, asked),
      schema: read,
      where: where === undefined || left.exact ? undefined : bindPredicate(where, read),
      rows: left.rows,
    });
  } catch (error) {
    await opened.close();
    throw addWhere(error, { url: publicUrl(file.url) });
  }
}

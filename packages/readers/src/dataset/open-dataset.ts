import {
  addWhere,
  bindPredicate,
  type ColumnPath,
  type Field,
  type Fragment,
  mapSome,
  OptionsError,
  predicateColumns,
  projection,
  publicUrl,
  resolveColumn,
  type Schema,
} from "@ingest-ts/core";
import type { OpenedObject, OpenOptions } from "../open.ts";
import type { Reader } from "../reader.ts";
import { DatasetReader, type SurveyedFile } from "./dataset-reader.ts";
import { columnsOfFile } from "./file-columns.ts";
import { partitionsPass } from "./file-where.ts";
import { FilePool } from "./file-pool.ts";
import { type ListedFile, listDataset } from "./listing.ts";
import { openListed, schemaOfFile } from "./open-file.ts";
import { partitionFields } from "./partitions.ts";
import { datasetSchema, uniteSchemas } from "./unite.ts";

const OPEN_AT_ONCE = 16;
/** Files that stay open; those of larger data sets are opened again when their rows are read. */
const KEPT_OPEN = 64;

/** A data set as `open` gives it: lists the files, reads the metadata of each once, unites their schemas. */
export async function openDataset(input: string | readonly string[], options: OpenOptions): Promise<Reader> {
  const listing = await listDataset(input, { signal: options.signal, partitions: options.partitions });
  if (options.index !== undefined) {
    throw new OptionsError("an index is of one file, and this is a data set", { remedy: "Open the file by itself." });
  }
  const fields = partitionFields(listing);
  const { where } = options;
  if (where !== undefined && !Array.isArray(where)) bindPredicate(where, { fields, metadata: {} });
  const passing =
    where === undefined
      ? listing.files
      : listing.files.filter((file) => partitionsPass(where, fields, file.partitions));
  // Without any file to read, one tells the schema.
  const files = passing.length > 0 ? passing : listing.files.slice(0, 1);
  const kept = new Map<ListedFile, OpenedObject>();
  try {
    const look = (some: readonly ListedFile[], most: number): Promise<SurveyedFile[]> =>
      mapSome(some, OPEN_AT_ONCE, (file, i) => survey(file, i < most, kept, options));
    const read = await look(files, KEPT_OPEN);
    // A column that only files have whose rows cannot pass is a column all the same.
    const rest = lacksColumns(read, fields, options) ? listing.files.filter((file) => !files.includes(file)) : [];
    const surveyed = [...read, ...(await look(rest, 0))];
    const named = surveyed.map(({ schema, file }) => ({ name: file.name, schema: mentioned(schema, options) }));
    const united = uniteSchemas(named, { strict: options.strictSchema, root: listing.root });
    for (const { file, schema } of surveyed) datasetSchema(schema, fields, file.url);
    const schema = datasetSchema(united.schema, fields, listing.root);
    const fileOptions = { ...options, unitedSchema: united.schema, partitionFields: fields };
    return new DatasetReader({
      root: publicUrl(listing.root),
      files: passing.length > 0 ? read : [],
      first: surveyed[0] as SurveyedFile,
      schema: outputSchema(schema, surveyed, options),
      dataset: {
        listing,
        files: passing.length > 0 ? read : [],
        opened: surveyed.length,
        partitionFields: fields,
        differences: united.differences,
        formats: [...new Set(surveyed.map(({ format }) => format))],
      },
      pool: new FilePool(kept, fileOptions, KEPT_OPEN),
      where,
      signal: options.signal,
    });
  } catch (error) {
    await Promise.all([...kept.values()].map((opened) => opened.close()));
    throw files.length === 1 ? addWhere(error, { url: publicUrl((files[0] as ListedFile).url) }) : error;
  }
}

function lacksColumns(files: readonly SurveyedFile[], partitions: readonly Field[], options: OpenOptions): boolean {
  const { columns = [], where } = options;
  const names = new Set(partitions.map(({ name }) => name));
  for (const { schema } of files) for (const { name } of schema.fields) names.add(name);
  return [...columns, ...(where === undefined ? [] : predicateColumns(where))].some((path) =>
    typeof path === "string" ? !names.has(path) : !names.has(path[0] as string),
  );
}

/** The columns that are asked for or tested: files may differ in others. */
function mentioned(schema: Schema, { columns, where }: OpenOptions): Schema {
  if (columns === undefined) return schema;
  const names = new Set<string | undefined>();
  for (const path of [...columns, ...(where === undefined ? [] : predicateColumns(where))]) {
    // Which of the two it is takes the schema of all files.
    names.add(typeof path === "string" ? path : path[0]);
    if (typeof path === "string") names.add(path.split(".")[0]);
  }
  return { ...schema, fields: schema.fields.filter(({ name }) => names.has(name)) };
}

function outputSchema(schema: Schema, files: readonly SurveyedFile[], options: OpenOptions): Schema {
  const { columns, where } = options;
  const resolve = (path: ColumnPath, throughLists: boolean): readonly string[] => {
    try {
      return resolveColumn(path, schema, throughLists).path;
    } catch (error) {
      // The message names all columns that there are, not those mentioned.
      const fields = new Map(
        [...files.flatMap((file) => file.schema.fields), ...schema.fields].map((f) => [f.name, f]),
      );
      resolveColumn(path, { ...schema, fields: [...fields.values()] }, throughLists);
      throw error;
    }
  };
  for (const path of where === undefined ? [] : predicateColumns(where)) resolve(path, false);
  if (where !== undefined) bindPredicate(where, schema);
  return columns === undefined
    ? schema
    : projection(
        schema,
        columns.map((path) => resolve(path, true)),
      ).schema;
}

async function survey(
  file: ListedFile,
  keep: boolean,
  kept: Map<ListedFile, OpenedObject>,
  options: OpenOptions,
): Promise<SurveyedFile> {
  const opened = await openListed(file, options);
  try {
    const schema = schemaOfFile(opened, options);
    const { format, metadata, select } = opened;
    const columns = askedOf(schema, options);
    const fragments = format.plan(metadata, { ...select, columns });
    const sizes = fragments.map(
      ({ rows, sizeBytes, ordinal, url }): Fragment<undefined> => ({
        url,
        ordinal,
        rows,
        sizeBytes,
        plan: undefined,
      }),
    );
    if (keep) kept.set(file, opened);
    return { file, format: format.name, schema, fragments: sizes };
  } catch (error) {
    throw addWhere(error, { url: publicUrl(file.url) });
  } finally {
    if (!kept.has(file)) await opened.close();
  }
}

/** The columns that will be read of a file, for the sizes of its fragments: the data set's schema is not known yet. */
function askedOf(schema: Schema, { columns, where }: OpenOptions): string[][] | undefined {
  if (columns === undefined) return undefined;
  const asked = [...columns, ...(where === undefined ? [] : predicateColumns(where))];
  const found = asked.flatMap((path): string[][] => {
    const names = typeof path !== "string" ? path : has(schema.fields, path) ? [path] : path.split(".");
    return has(schema.fields, names[0] as string) ? [[...names]] : [];
  });
  return columnsOfFile(projection(schema, found).schema, schema);
}

function has(fields: readonly Field[], name: string): boolean {
  return fields.some((field) => field.name === name);
}

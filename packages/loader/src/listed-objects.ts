import {
  byteWidthOf,
  type ColumnPath,
  type Field,
  type Predicate,
  projection,
  publicUrl,
  resolveColumn,
  type Schema,
} from "@ingest-ts/core";
import {
  datasetSchema,
  type FileOptions,
  listDataset,
  type ListedFile,
  type Listing,
  partitionFields,
  type OpenedObject,
  partitionsPass,
  uniteSchemas,
} from "@ingest-ts/readers";
import { buildManifest, type SegmentBy } from "@ingest-ts/sharder";
import type { DatasetParts } from "./dataset.ts";
import { type DatasetObject, listedObject } from "./dataset-object.ts";
import type { ObjectEntry } from "./manifest/entry.ts";
import { entriesOf } from "./manifest/entries.ts";
import { SLAB_BYTES, SLAB_ROWS } from "./memory.ts";
import type { LoadOptions } from "./options.ts";
import { ReaderPool } from "./reader-pool.ts";

/**
 * Files that stay open once they were described, and as many once they were read; the others are opened again when their
 * rows are. More are open only while more lanes read at once.
 */
const KEPT_OPEN = 64;
/** A value whose width the type does not tell, for estimates. */
const VARIABLE_BYTES = 16;

/**
 * A data set of files: listed, described by its kept manifest or by opening each once, and read file by file.
 *
 * @param columns to read, those of the predicate among them; undefined: all
 */
export async function openListing(
  urls: readonly string[],
  columns: readonly ColumnPath[] | undefined,
  where: Predicate | undefined,
  options: LoadOptions,
  segmentBy: SegmentBy | undefined,
): Promise<DatasetParts> {
  const { signal, partitions } = options;
  const listing = await listDataset(urls, { signal, partitions });
  const fields = partitionFields(listing);
  const { entries, opened } = await entriesOf(listing, options, columnsOfFiles(columns, fields), KEPT_OPEN);
  const pool = new ReaderPool(KEPT_OPEN);
  const close = async (): Promise<void> => {
    const unused = [...opened.values()].map((each) => each.close());
    opened.clear();
    await Promise.all([pool.close(), ...unused]);
  };
  try {
    return describeListing({ listing, fields, entries, opened, pool, close }, columns, where, options, segmentBy);
  } catch (error) {
    await close();
    throw error;
  }
}

interface ListedParts {
  readonly listing: Listing;
  readonly fields: readonly Field[];
  readonly entries: readonly ObjectEntry[];
  readonly opened: Map<string, OpenedObject>;
  readonly pool: ReaderPool;
  readonly close: () => Promise<void>;
}

function describeListing(
  { listing, fields, entries, opened, pool, close }: ListedParts,
  columns: readonly ColumnPath[] | undefined,
  where: Predicate | undefined,
  options: LoadOptions,
  segmentBy: SegmentBy | undefined,
): DatasetParts {
  const { signal, format, schema: declared, timestampUnit, int96, limits } = options;
  const named = entries.map(({ name, schema }) => ({ name, schema: mentioned(schema, columns) }));
  const united = uniteSchemas(named, { strict: options.strictSchema, root: listing.root }).schema;
  checkClashes(listing, entries, fields);
  const full = datasetSchema(united, fields, publicUrl(listing.root));
  const readSchema = columns === undefined ? full : readSchemaOf(full, entries, fields, columns);
  const fileOptions: FileOptions = {
    unitedSchema: united,
    partitionFields: fields,
    columns,
    where,
    batchRows: SLAB_ROWS,
    batchBytes: SLAB_BYTES,
    format,
    schema: declared,
    timestampUnit,
    int96,
    limits,
    signal,
  };
  const byName = new Map(listing.files.map((file) => [file.name, file]));
  const byEntry = new Map(entries.map((entry) => [entry.name, entry]));
  const manifest = buildManifest(entries, segmentBy);
  const objects = manifest.objects.map(({ name }): DatasetObject => {
    const file = byName.get(name) as ListedFile;
    const entry = byEntry.get(name) as ObjectEntry;
    const known = {
      fragmentBytes: columns === undefined ? entry.fragmentBytes : selectedBytes(readSchema, entry),
      mayPass: where === undefined || partitionsPass(where, fields, file.partitions),
    };
    return listedObject(file, entry, fileOptions, known, pool, opened);
  });
  return { manifest, objects, readSchema, skipped: listing.skipped, close };
}

/** What a file may have of the columns asked for: not those of its folders. */
function columnsOfFiles(
  columns: readonly ColumnPath[] | undefined,
  fields: readonly Field[],
): ColumnPath[] | undefined {
  const ofFolders = new Set(fields.map(({ name }) => name));
  return columns?.filter((path) => !ofFolders.has(typeof path === "string" ? path : (path[0] as string)));
}

/** The columns that are asked for or tested: files may differ in others. */
function mentioned(schema: Schema, columns: readonly ColumnPath[] | undefined): Schema {
  if (columns === undefined) return schema;
  const names = new Set<string | undefined>();
  for (const path of columns) {
    names.add(typeof path === "string" ? path : path[0]);
    // Which of the two it is takes the schema of all files.
    if (typeof path === "string") names.add(path.split(".")[0]);
  }
  return { ...schema, fields: schema.fields.filter(({ name }) => names.has(name)) };
}

/** A column that files and folders both have is refused, also where it is not asked for. */
function checkClashes(listing: Listing, entries: readonly ObjectEntry[], fields: readonly Field[]): void {
  if (fields.length === 0) return;
  const urls = new Map(listing.files.map(({ name, url }) => [name, url]));
  for (const { name, schema } of entries) datasetSchema(schema, fields, urls.get(name) as string);
}

function readSchemaOf(
  full: Schema,
  entries: readonly ObjectEntry[],
  fields: readonly Field[],
  columns: readonly ColumnPath[],
): Schema {
  try {
    return projection(
      full,
      columns.map((path) => resolveColumn(path, full, true).path),
    ).schema;
  } catch (error) {
    // The message names all columns that there are, not those mentioned.
    const all = new Map([...entries.flatMap(({ schema }) => schema.fields), ...fields].map((f) => [f.name, f]));
    for (const path of columns) resolveColumn(path, { ...full, fields: [...all.values()] }, true);
    throw error;
  }
}

function widthOf({ type }: Field): number {
  return byteWidthOf(type) || VARIABLE_BYTES;
}

/** Bytes that reading the selected columns of each fragment fetches. */
function selectedBytes(
  selected: Schema,
  { schema: own, fragmentBytes, columnBytes, index }: ObjectEntry,
): readonly number[] {
  // Rows are stored whole.
  if (index !== undefined) return fragmentBytes;
  const names = new Set(selected.fields.map(({ name }) => name));
  const chosen = own.fields.map(({ name }) => names.has(name));
  if (columnBytes !== undefined) {
    return columnBytes.map((sizes) => sizes.reduce((sum, bytes, i) => (chosen[i] === true ? sum + bytes : sum), 0));
  }
  const all = own.fields.reduce((sum, field) => sum + widthOf(field), 0);
  const some = own.fields.reduce((sum, field, i) => (chosen[i] === true ? sum + widthOf(field) : sum), 0);
  return fragmentBytes.map((bytes) => (all === 0 ? bytes : Math.ceil((bytes * some) / all)));
}

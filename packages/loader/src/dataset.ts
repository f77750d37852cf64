import {
  addWhere,
  bindPredicate,
  type BoundPredicate,
  type ByteSource,
  type ColumnPath,
  type Field,
  OptionsError,
  type Predicate,
  predicateColumns,
  type Projection,
  projection,
  resolveColumn,
  type Schema,
} from "@ingest-ts/core";
import { open, type OpenOptions, type Reader } from "@ingest-ts/readers";
import {
  buildManifest,
  digestOf,
  type Manifest,
  type ManifestObject,
  relativeNames,
  type SegmentBy,
} from "@ingest-ts/sharder";
import { type Folder, openFolder, type RowReader, rowsOfFile, sourceOfFile } from "./folder.ts";
import { storedIndex } from "./index-store.ts";
import { SLAB_BYTES, SLAB_ROWS } from "./memory.ts";
import type { LoadOptions, ObjectInput } from "./options.ts";
import { mergeSchemas } from "./schemas.ts";

/** Every object open, their rows counted, nothing decoded yet. */
export interface Dataset {
  readonly manifest: Manifest;
  /** By `FragmentRef.object`. */
  readonly readers: readonly RowReader[];
  /** What batches have, before `ingest_valid`. */
  readonly schema: Schema;
  /** From the columns that are read to those of a batch; undefined: all. */
  readonly output: Projection | undefined;
  readonly where: BoundPredicate | undefined;
  close(): Promise<void>;
}

/** The end of an object is where formats describe it. */
const TAIL_BYTES = 64 * 1024;
const OPEN_AT_ONCE = 8;

function isReader(input: ObjectInput): input is Reader {
  return typeof input === "object" && "fragmentSlabs" in input;
}

function urlOf(input: ObjectInput): string {
  return typeof input === "string" ? input : input.url;
}

function checkGivenReader(reader: Reader, options: LoadOptions): Reader {
  const where = { url: reader.url };
  if (reader.dataset !== undefined) {
    throw new OptionsError("a reader of many files cannot be loaded", {
      where,
      remedy: "Give load() the folder, pattern or list itself.",
    });
  }
  if (options.columns !== undefined || options.schema !== undefined || options.format !== undefined) {
    throw new OptionsError("columns, schema and format are decided when a reader is opened", {
      where,
      remedy: "Give them to open(), or give load() the path.",
    });
  }
  if (reader.rows === undefined) {
    throw new OptionsError("a reader with where, or of a row format without its index, has no known rows", {
      where,
      remedy: "Open it without where (give that to load()) and with an index, or give load() the path.",
    });
  }
  return reader;
}

function openOptionsOf(columns: readonly ColumnPath[] | undefined, options: LoadOptions): OpenOptions {
  const { format, schema, limits, signal } = options;
  return { columns, batchRows: SLAB_ROWS, batchBytes: SLAB_BYTES, format, schema, limits, signal };
}

async function openObject(input: ObjectInput, openOptions: OpenOptions, options: LoadOptions): Promise<Reader> {
  if (isReader(input)) return checkGivenReader(input, options);
  const reader = await open(input, openOptions);
  if (reader.fragments.every(({ rows }) => rows !== undefined)) return reader;
  try {
    const index = await storedIndex(reader, typeof input === "string" ? input : undefined, options.signal);
    return await open(input, { ...openOptions, format: reader.format, index });
  } finally {
    await reader.close();
  }
}

/** Bytes that change when the content does and stay when the object is copied. */
async function digestTail(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<{ sizeBytes: number; digest: string }> {
  const { sizeBytes } = await source.stat({ signal });
  if (sizeBytes === 0) return { sizeBytes, digest: digestOf("") };
  const [tail] = await source.getRanges([{ suffixBytes: Math.min(TAIL_BYTES, sizeBytes) }], { signal });
  return { sizeBytes, digest: digestOf(tail as Uint8Array) };
}

interface OpenObject {
  readonly reader: RowReader;
  readonly object: ManifestObject;
}

async function describe(reader: Reader, name: string, signal: AbortSignal | undefined): Promise<OpenObject> {
  const fragmentRows = reader.fragments.map(({ rows }) => rows as number);
  return { reader, object: { name, fragmentRows, ...(await digestTail(reader.source, signal)) } };
}

/** The files of a folder as objects. */
function describeFiles(folder: Folder, signal: AbortSignal | undefined): Promise<OpenObject[]> {
  return mapSome(folder.files, async (file) => {
    const source = await sourceOfFile(file, signal);
    try {
      const fragmentRows = file.fragments.map(({ rows }) => rows as number);
      const object = { name: file.file.name, fragmentRows, ...(await digestTail(source, signal)) };
      return { reader: rowsOfFile(folder, file), object };
    } finally {
      await source.close();
    }
  });
}

/** Runs `body` over all items, a few at a time, in order; the first failure is thrown once all have settled. */
async function mapSome<T, R>(items: readonly T[], body: (item: T, i: number) => Promise<R>): Promise<R[]> {
  const out: R[] = new Array<R>(items.length);
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const i = next++;
      try {
        out[i] = await body(items[i] as T, i);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(OPEN_AT_ONCE, items.length) }, work));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return out;
}

/** To read: the columns of a batch and those that only the predicate looks at; undefined: all. */
function readColumns(
  columns: readonly ColumnPath[] | undefined,
  where: Predicate | undefined,
): readonly ColumnPath[] | undefined {
  if (columns === undefined) return undefined;
  const known = new Set(columns.map((path) => JSON.stringify(path)));
  const tested = where === undefined ? [] : predicateColumns(where);
  return [...columns, ...tested.filter((path) => !known.has(JSON.stringify(path)))];
}

function outputOf(schema: Schema, columns: readonly ColumnPath[] | undefined): Projection | undefined {
  if (columns === undefined) return undefined;
  const output = projection(
    schema,
    columns.map((path) => resolveColumn(path, schema, true).path),
  );
  const same = (a: readonly Field[], b: readonly Field[]): boolean => JSON.stringify(a) === JSON.stringify(b);
  return same(output.schema.fields, schema.fields) ? undefined : output;
}

/** Opens inputs that each are one object, and puts those that are ours to close into `opened`. */
function openObjects(
  inputs: readonly ObjectInput[],
  openOptions: OpenOptions,
  options: LoadOptions,
  opened: Reader[],
): Promise<OpenObject[]> {
  const names = relativeNames(inputs.map(urlOf));
  return mapSome(inputs, async (input, i) => {
    const reader = await openObject(input, openOptions, options);
    // A reader that was given stays the caller's.
    if (!isReader(input)) opened.push(reader);
    return describe(reader, names[i] as string, options.signal);
  });
}

/**
 * Opens every object, counts rows exactly (building the index of a row format where it has none), and lists them.
 *
 * @throws OptionsError, SourceError, FormatError, UnsupportedError
 */
export async function openDataset(
  options: LoadOptions,
  where: Predicate | undefined,
  segmentBy: SegmentBy | undefined,
): Promise<Dataset> {
  const inputs = Array.isArray(options.source)
    ? (options.source as readonly ObjectInput[])
    : [options.source as ObjectInput];
  if (inputs.length === 0) throw new OptionsError("source names no object", { remedy: "Name one file or more." });
  const columns = readColumns(options.columns, where);
  const openOptions = openOptionsOf(columns, options);
  const opened: Reader[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((reader) => reader.close()));
  };
  try {
    const folder = await openFolder(inputs, openOptions);
    if (folder !== undefined) opened.push(folder.reader);
    const objects =
      folder === undefined
        ? await openObjects(inputs, openOptions, options, opened)
        : await describeFiles(folder, options.signal);
    const manifest = buildManifest(
      objects.map(({ object }) => object),
      segmentBy,
    );
    const byName = new Map(objects.map(({ object, reader }) => [object.name, reader]));
    const readers = manifest.objects.map(({ name }) => byName.get(name) as RowReader);
    const readSchema = mergeSchemas(readers);
    const output = outputOf(readSchema, options.columns);
    return {
      manifest,
      readers,
      schema: output?.schema ?? readSchema,
      output,
      where: where === undefined ? undefined : bindPredicate(where, readSchema),
      close,
    };
  } catch (error) {
    await close();
    throw inputs.length === 1 ? addWhere(error, { url: urlOf(inputs[0] as ObjectInput) }) : error;
  }
}

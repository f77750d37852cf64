import {
  addWhere,
  bindPredicate,
  type BoundPredicate,
  type ByteSource,
  channels,
  type ColumnPath,
  defaultLimits,
  type Format,
  FormatError,
  type FormatName,
  type Limits,
  type ObjectIndex,
  type ObjectStat,
  OptionsError,
  type Predicate,
  predicateColumns,
  projection,
  publicUrl,
  resolveColumn,
  type Schema,
  type Select,
  UnsupportedError,
} from "@ingest-ts/core";
import { checkedSource } from "./checked-source.ts";
import { detectFormat } from "./detect.ts";
import { formatOf } from "./formats.ts";
import { loadStorage } from "./load-storage.ts";
import { createReader, type Reader } from "./reader.ts";

export interface OpenOptions {
  /** Columns of the output, in this order; paths below a struct give a struct of what was asked. All when undefined. */
  readonly columns?: readonly ColumnPath[] | undefined;
  /** Only rows for which this is true. Its columns need not be among `columns`. */
  readonly where?: Predicate | undefined;
  /** A slab ends at so many rows (default 65,536) … */
  readonly batchRows?: number | undefined;
  /** … or bytes (default 64 MiB), whichever comes first. */
  readonly batchBytes?: number | undefined;
  /**
   * "preserve" keeps dictionaries where the object has them (Parquet's text and bytes, Avro's enums, Arrow's), and every
   * fragment then has its own. Default "decode".
   */
  readonly dictionary?: "decode" | "preserve" | undefined;
  /**
   * "us": every timestamp column of Parquet in microseconds, finer values rounded down. Default: in the unit it is stored
   * in, INT96 in nanoseconds; a value that does not fit is an error.
   */
  readonly timestampUnit?: "us" | undefined;
  /** Whether Parquet's INT96 timestamps are instants ("utc") or wall clocks of no zone ("naive", the default). */
  readonly int96?: "utc" | "naive" | undefined;
  /** Default: recognised from the content. */
  readonly format?: FormatName | undefined;
  /**
   * JSON, as text or parsed. Of TFRecord: the declared features (default: `<url>.schema.json` beside the object, if there
   * is one). Of Avro: the reader's schema that the data are resolved against (default: the writer's). Others refuse it.
   */
  readonly schema?: unknown;
  /** Of ORC files of old Hive, whose columns are called `_col0`, `_col1` …: their names, in order. */
  readonly positionalNames?: readonly string[] | undefined;
  /** Exact fragments of a row format, from `buildIndex`. */
  readonly index?: ObjectIndex | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Of a data set: whether folders called `name=value` make columns. Default "hive". */
  readonly partitions?: "hive" | "none" | undefined;
  /** Of a data set: refuse files whose schemas differ in any way. Default: types are widened, missing columns null. */
  readonly strictSchema?: boolean | undefined;
  /** Stops this call and everything that the reader does later. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_BATCH_ROWS = 65_536;
const DEFAULT_BATCH_BYTES = 64 * 1024 * 1024;

/**
 * Opens one object of any format that is read, or a data set: a path, a URL, a folder, a pattern (`*`, `?`, `[a-z]`,
 * `{a,b}`, `**`), a list of these, or a source (which stays the caller's to close).
 *
 * Reads metadata only. Everything that options alone or options and schema show to be wrong is reported here.
 *
 * @throws OptionsError, SourceError, FormatError, UnsupportedError
 */
export async function open(input: string | readonly string[] | ByteSource, options: OpenOptions = {}): Promise<Reader> {
  if (typeof input === "object" && "getRanges" in input) return readerOf(await openObject(input, options), options);
  if (typeof input === "string" && !(await isDataset(input, options))) {
    return readerOf(await openObject(input, options), options);
  }
  const { openDataset } = await import("./dataset/open-dataset.ts");
  return openDataset(input, options);
}

/** Whether `input` names a folder or a pattern; what is missing is left to `openObject` to tell of. */
async function isDataset(input: string, { signal }: OpenOptions): Promise<boolean> {
  const { probe } = await loadStorage();
  return (await probe(input, { signal })) === "many";
}

/** An object whose metadata is read and whose columns are not chosen yet. */
export interface OpenedObject {
  readonly source: ByteSource;
  readonly format: Format<unknown, unknown>;
  readonly metadata: unknown;
  /** Of all columns, and without `where`. */
  readonly select: Select;
  readonly close: () => Promise<void>;
  readonly startedAt: number;
}

/** The first half of `open`. `checkPinned` sees the object before anything is read. */
export async function openObject(
  input: string | ByteSource,
  options: OpenOptions,
  checkPinned?: (stat: ObjectStat) => void,
): Promise<OpenedObject> {
  checkSlabs(options);
  const startedAt = performance.now();
  const opened = typeof input === "string" ? await openUrl(input, options.signal) : input;
  const close = (): Promise<void> => (typeof input === "string" ? opened.close() : Promise.resolve());
  try {
    const stat = await opened.stat({ signal: options.signal });
    checkPinned?.(stat);
    const source = checkedSource(opened, stat);
    const name = options.format ?? (await detectFormat(source, { signal: options.signal }));
    checkIndex(options.index, stat, name);
    const format = await namedFormat(name, options.positionalNames);
    checkDeclared(options.schema, name);
    const declared = options.schema ?? (typeof input === "string" ? await declaredBeside(input, name) : undefined);
    const select: Select = {
      declared,
      index: options.index,
      dictionary: options.dictionary ?? "decode",
      timestampUnit: options.timestampUnit,
      int96: options.int96,
      limits: { ...defaultLimits, ...options.limits },
    };
    const metadata = await format.readMetadata(source, select, { signal: options.signal });
    return { source, format, metadata, select, close, startedAt };
  } catch (error) {
    await close();
    throw addWhere(error, { url: opened.url });
  }
}

/** The second half of `open`: chooses columns and rows. Closes the object when it fails. */
export async function readerOf(opened: OpenedObject, options: OpenOptions): Promise<Reader> {
  const { source, format, metadata, select: base, close, startedAt } = opened;
  try {
    const planned = planColumns(format, metadata, base, options);
    const fragments = format.plan(metadata, planned.select);
    const reader = createReader({
      ...planned,
      ...checkSlabs(options),
      source,
      format,
      metadata,
      fragments,
      signal: options.signal,
      close,
    });
    if (channels.readerOpened.hasSubscribers) {
      const durationMs = performance.now() - startedAt;
      const { url, rows } = reader;
      channels.readerOpened.publish({ url, format: format.name, fragments: fragments.length, rows, durationMs });
    }
    return reader;
  } catch (error) {
    await close();
    throw addWhere(error, { url: source.url });
  }
}

async function namedFormat(
  name: FormatName,
  positional: readonly string[] | undefined,
): Promise<Format<unknown, unknown>> {
  if (positional === undefined || name !== "orc") return formatOf(name);
  return (await import("./orc/positional.ts")).positionalORC(positional);
}

function checkSlabs(options: OpenOptions): { batchRows: number; batchBytes: number } {
  return {
    batchRows: positive(options.batchRows ?? DEFAULT_BATCH_ROWS, "batchRows"),
    batchBytes: positive(options.batchBytes ?? DEFAULT_BATCH_BYTES, "batchBytes"),
  };
}

function positive(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new OptionsError(`${name} is ${value}`, { remedy: "It must be a whole number above 0." });
}

function checkIndex(index: ObjectIndex | undefined, stat: ObjectStat, format: FormatName): void {
  if (index === undefined) return;
  if (index.version === 1 && index.format === format && index.sizeBytes === stat.sizeBytes && index.etag === stat.etag)
    return;
  throw new OptionsError("the index belongs to another object, or to an earlier version of this one", {
    remedy: "Build it again.",
  });
}

function checkDeclared(schema: unknown, format: FormatName): void {
  if (schema === undefined || format === "avro" || format === "tfrecord") return;
  throw new OptionsError(`a schema to read with is for Avro and TFRecord, and this is ${format}`, {
    remedy: "Leave it out; choose columns with columns.",
  });
}

interface PlannedColumns {
  readonly select: Select;
  readonly readSchema: Schema;
  readonly output: ReturnType<typeof projection> | undefined;
  readonly where: BoundPredicate | undefined;
}

/** The names of a path: an exact top-level name, else dots part names. */
function pathOf(path: ColumnPath, exists: (path: readonly string[]) => boolean): readonly string[] {
  if (typeof path !== "string") return path;
  return exists([path]) ? [path] : path.split(".");
}

/**
 * The schema that names are looked up in. An object may have columns that Arrow cannot hold: as long as others are asked
 * for by name, only those are looked at.
 */
function schemaOfNames(
  format: Format<unknown, unknown>,
  metadata: unknown,
  base: Select,
  { columns, where }: OpenOptions,
): Schema {
  try {
    return format.toSchema(metadata, base);
  } catch (error) {
    if (columns === undefined || !(error instanceof UnsupportedError)) throw error;
  }
  const exists = (path: readonly string[]): boolean => {
    try {
      format.toSchema(metadata, { ...base, columns: [path] });
      return true;
    } catch (error) {
      if (error instanceof OptionsError) return false;
      throw error;
    }
  };
  const paths = [...columns, ...(where === undefined ? [] : predicateColumns(where))].map((path) =>
    pathOf(path, exists),
  );
  return format.toSchema(metadata, { ...base, columns: paths });
}

/** Decides what is decoded (the columns asked for and those `where` looks at) and what of it is handed on. */
function planColumns(
  format: Format<unknown, unknown>,
  metadata: unknown,
  base: Select,
  options: OpenOptions,
): PlannedColumns {
  const { columns, where } = options;
  const full = schemaOfNames(format, metadata, base, options);
  const asked = columns?.map((path) => resolveColumn(path, full, true).path);
  const tested = where === undefined ? [] : predicateColumns(where).map((path) => resolveColumn(path, full).path);
  if (where !== undefined) bindPredicate(where, full);
  const known = new Set(asked?.map((path) => JSON.stringify(path)));
  const extra = asked === undefined ? [] : tested.filter((path) => !known.has(JSON.stringify(path)));
  const select: Select = { ...base, where, columns: asked === undefined ? undefined : [...asked, ...extra] };
  const readSchema = asked === undefined ? full : format.toSchema(metadata, select);
  return {
    select,
    readSchema,
    output: asked === undefined || extra.length === 0 ? undefined : projection(readSchema, asked),
    where: where === undefined ? undefined : bindPredicate(where, readSchema),
  };
}

async function openUrl(url: string, signal: AbortSignal | undefined): Promise<ByteSource> {
  const { openSource } = await loadStorage();
  return openSource(url, { signal });
}

/** The declared schema that our TFRecord writer leaves beside its file. */
async function declaredBeside(url: string, format: FormatName): Promise<unknown> {
  if (format !== "tfrecord") return undefined;
  const { besideUrl, openSource, isMissing } = await loadStorage();
  const beside = besideUrl(url, ".schema.json");
  if (beside === undefined) return undefined;
  let source: ByteSource;
  try {
    source = await openSource(beside);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const { sizeBytes } = await source.stat();
    const [bytes] = await source.getRanges([{ start: 0, end: sizeBytes }]);
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
    throw new FormatError("the schema beside the object is not JSON", {
      where: { url: publicUrl(beside) },
      remedy: "Correct it, remove it, or declare another schema.",
      cause,
    });
  } finally {
    await source.close();
  }
}

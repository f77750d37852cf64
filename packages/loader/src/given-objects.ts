import { type ColumnPath, type FormatName, mapSome, OptionsError, type Predicate, publicUrl } from "@ingest-ts/core";
import { open, type OpenOptions, type Reader } from "@ingest-ts/readers";
import { type ManifestObject, relativeNames } from "@ingest-ts/sharder";
import { storedIndex } from "./index-store.ts";
import { digestTail } from "./manifest/digest-tail.ts";
import { SLAB_BYTES, SLAB_ROWS } from "./memory.ts";
import type { LoadOptions, ObjectInput } from "./options.ts";

const OPEN_AT_ONCE = 8;

/** Whether the caller opened it. */
function isReader(input: ObjectInput): input is Reader {
  return typeof input === "object" && "fragmentSlabs" in input;
}

/** What errors, names, ledgers and states call an input: a signature in a URL is neither theirs, nor the same tomorrow. */
export function urlOf(input: ObjectInput): string {
  return typeof input === "string" ? publicUrl(input) : input.url;
}

function checkGivenReader(reader: Reader, options: LoadOptions): Reader {
  const where = { url: reader.url };
  if (reader.dataset !== undefined) {
    throw new OptionsError("a reader of many files cannot be loaded", {
      where,
      remedy: "Give load() the folder, pattern or list itself.",
    });
  }
  const { columns, schema, format, timestampUnit, int96 } = options;
  if ([columns, schema, format, timestampUnit, int96].some((option) => option !== undefined)) {
    throw new OptionsError("columns, schema, format and timestamps are decided when a reader is opened", {
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
  const { format, schema, timestampUnit, int96, limits, signal } = options;
  const asked = { format, schema, timestampUnit, int96, limits, signal };
  return { columns, batchRows: SLAB_ROWS, batchBytes: SLAB_BYTES, ...asked };
}

async function openInput(input: ObjectInput, openOptions: OpenOptions, options: LoadOptions): Promise<Reader> {
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

/** Formats whose metadata rules out fragments and pages. */
const prunes: ReadonlySet<FormatName> = new Set(["parquet", "orc"]);

/** The same object without the fragments in which no row can pass; it is closed with `reader`. */
function prunedReader(
  reader: Reader,
  input: ObjectInput,
  where: Predicate | undefined,
  openOptions: OpenOptions,
): Promise<Reader> | Reader {
  if (where === undefined || isReader(input) || !prunes.has(reader.format)) return reader;
  return open(reader.source, { ...openOptions, format: reader.format, where });
}

interface OpenObject {
  /** Reads any row. */
  readonly reader: Reader;
  /** Reads those that may pass. */
  readonly pruned: Reader;
  readonly object: ManifestObject;
}

async function describe(
  { reader, pruned }: Pick<OpenObject, "reader" | "pruned">,
  name: string,
  signal: AbortSignal | undefined,
): Promise<OpenObject> {
  const fragmentRows = reader.fragments.map(({ rows }) => rows as number);
  const { sizeBytes, digest } = await digestTail(reader.source, signal);
  return { reader, pruned, object: { name, sizeBytes, digest, fragmentRows } };
}

/** Objects that were given as sources or readers: open as long as the loader. */
export interface GivenObjects {
  readonly objects: readonly OpenObject[];
  close(): Promise<void>;
}

/** Opens what was given, in the order given. @throws as `open` */
export async function openGiven(
  inputs: readonly ObjectInput[],
  columns: readonly ColumnPath[] | undefined,
  where: Predicate | undefined,
  options: LoadOptions,
): Promise<GivenObjects> {
  const openOptions = openOptionsOf(columns, options);
  const names = relativeNames(inputs.map(urlOf));
  const opened: Reader[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((reader) => reader.close()));
  };
  try {
    const objects = await mapSome(inputs, OPEN_AT_ONCE, async (input, i) => {
      const reader = await openInput(input, openOptions, options);
      // A reader that was given stays the caller's.
      if (!isReader(input)) opened.push(reader);
      const pruned = await prunedReader(reader, input, where, openOptions);
      return describe({ reader, pruned }, names[i] as string, options.signal);
    });
    return { objects, close };
  } catch (error) {
    await close();
    throw error;
  }
}

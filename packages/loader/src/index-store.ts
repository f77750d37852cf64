import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  type ByteSource,
  type FormatName,
  isIngestError,
  type ObjectIndex,
  type ObjectStat,
  OptionsError,
  type ReadOptions,
  schemeOf,
} from "@ingest-ts/core";
import { open, type OpenedObject } from "@ingest-ts/readers";
import { digestOf } from "@ingest-ts/sharder";
import { besideUrl, createSink, openSource } from "@ingest-ts/storage";
import { indexText, parseIndex } from "./manifest/format.ts";

const SUFFIX = ".ingest-index";
/** Objects above this are not read as a side effect of loading. */
const MAX_BUILD_BYTES = 1_000_000_000;
const MAX_INDEX_BYTES = 256 * 1024 * 1024;

/** The index in `text`, if it is one of the object as it is now. */
function fitting(text: string | undefined, stat: ObjectStat, format: string): ObjectIndex | undefined {
  const index = text === undefined ? undefined : parseIndex(text);
  const fits = index?.format === format && index.sizeBytes === stat.sizeBytes && index.etag === stat.etag;
  return fits ? index : undefined;
}

/** The text of a whole object; undefined when it is too large for an index. @throws SourceError */
export async function textOf(url: string, signal?: AbortSignal): Promise<string | undefined> {
  const source = await openSource(url, { signal });
  try {
    const { sizeBytes } = await source.stat();
    if (sizeBytes > MAX_INDEX_BYTES) return undefined;
    const [bytes] = await source.getRanges([{ start: 0, end: sizeBytes }], { signal });
    return new TextDecoder().decode(bytes);
  } finally {
    await source.close();
  }
}

/** What lies beside the object; undefined when there is nothing that can be read. */
async function besideObject(url: string): Promise<string | undefined> {
  const beside = besideUrl(url, SUFFIX);
  if (beside === undefined) return undefined;
  try {
    return await textOf(beside);
  } catch (error) {
    if (isIngestError(error)) return undefined;
    throw error;
  }
}

function cachePath(url: string, { sizeBytes, etag }: ObjectStat): string {
  const folder = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return join(folder, "ingest", "index", digestOf(JSON.stringify([url, sizeBytes, etag])));
}

async function inCache(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Writes the text of an index beside the object. @returns where
 *
 * @throws SourceError when it cannot be written, OptionsError for a store that nothing is written to
 */
export async function writeBeside(url: string, text: string): Promise<string> {
  const sink = await createSink(`${url}${SUFFIX}`);
  try {
    await sink.write(new TextEncoder().encode(text));
    await sink.close();
    return `${url}${SUFFIX}`;
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** Whether it could be written. */
async function saveBeside(url: string, text: string): Promise<boolean> {
  try {
    await writeBeside(url, text);
    return true;
  } catch (error) {
    if (isIngestError(error)) return false;
    throw error;
  }
}

/** Where nothing can be written the index lives only as long as the loader. */
async function saveInCache(path: string, text: string): Promise<void> {
  try {
    await mkdir(join(path, ".."), { recursive: true });
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch {
    // A cache that cannot be written costs time, not correctness.
  }
}

/** An open object of which an index may be made; a `Reader` is one. */
export interface Indexable {
  readonly url: string;
  readonly source: ByteSource;
  readonly format: FormatName;
  buildIndex(options?: ReadOptions): Promise<ObjectIndex | undefined>;
}

/** The same of an object that is not a reader yet. */
export function indexableOf({ source, format, metadata, select }: OpenedObject): Indexable {
  const { url } = source;
  const buildIndex = async (options?: ReadOptions): Promise<ObjectIndex | undefined> =>
    format.buildIndex?.(source, metadata, select, options);
  return { url, source, format: format.name, buildIndex };
}

async function build(reader: Indexable, signal: AbortSignal | undefined): Promise<ObjectIndex> {
  const index = await reader.buildIndex({ signal });
  if (index !== undefined) return index;
  throw new OptionsError(`the format ${reader.format} does not say how many rows its fragments have`, {
    where: { url: reader.url },
  });
}

export interface IndexOptions {
  /** An object of more bytes is not read as a side effect. Default 1 GB. */
  readonly largestBytes?: number;
  /** It was asked for, so it may be written into an object store too. */
  readonly beside?: boolean;
}

/**
 * The index of a row format's object: from `<object>.ingest-index`, else from the cache folder, else built now and kept
 * in the first of these that can be written. An index of another size or etag counts as none. Without a URL of its own
 * (a source that was given) the object is read each time.
 *
 * @throws OptionsError when it would have to be built of an object that is larger than it may be
 */
export async function storedIndex(
  reader: Indexable,
  url: string | undefined,
  signal: AbortSignal | undefined,
  { largestBytes = MAX_BUILD_BYTES, beside = false }: IndexOptions = {},
): Promise<ObjectIndex> {
  const stat = await reader.source.stat({ signal });
  const cached = cachePath(reader.url, stat);
  for (const find of url === undefined ? [] : [() => besideObject(url), () => inCache(cached)]) {
    const index = fitting(await find(), stat, reader.format);
    if (index !== undefined) return index;
  }
  if (stat.sizeBytes > largestBytes) {
    throw new OptionsError(`an object of ${stat.sizeBytes} bytes has no index, and load() builds none above 1 GB`, {
      where: { url: reader.url },
      remedy: "Build it once: `ingest index`, or buildIndexFile() of @ingest-ts/loader.",
    });
  }
  const index = await build(reader, signal);
  if (url === undefined) return index;
  const text = indexText(index);
  const mayWrite = beside || schemeOf(url) === "file";
  if (!mayWrite || !(await saveBeside(url, text))) await saveInCache(cached, text);
  return index;
}

/**
 * Reads a file of a row format once and writes `<path>.ingest-index` beside it, so that `load` knows where its rows are.
 * @returns where the index was written.
 * @throws OptionsError for a format that needs no index, SourceError when it cannot be written.
 */
export async function buildIndexFile(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<string> {
  const reader = await open(path, { signal: options.signal });
  try {
    const text = indexText(await build(reader, options.signal));
    return await writeBeside(path, text);
  } finally {
    await reader.close();
  }
}

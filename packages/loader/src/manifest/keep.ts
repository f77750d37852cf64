import { randomBytes } from "node:crypto";
import { link, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { basename, join } from "node:path";
import {
  compareNames,
  FormatError,
  isIngestError,
  OptionsError,
  publicUrl,
  schemeOf,
  SourceError,
} from "@ingest-ts/core";
import { listDataset, type Listing, type Skipped } from "@ingest-ts/readers";
import { indexableOf, storedIndex } from "../index-store.ts";
import { mapSome } from "../map-some.ts";
import type { ObjectEntry } from "./entry.ts";
import { ManifestLines, manifestText, parseManifest } from "./format.ts";
import { surveyFile } from "./survey.ts";

/** In the folder that all files lie in; names that begin with _ are no data. */
const NAME = "_ingest-manifest";
const JOURNAL = /^_ingest-manifest\.[0-9a-f]{16}\.part$/;
const OPEN_AT_ONCE = 16;

/** What `indexDataset` did. */
export interface IndexReport {
  /** Of the manifest. */
  readonly path: string;
  readonly files: number;
  readonly rows: number;
  readonly fragments: number;
  /** Files that were opened now; the others were known from a manifest, or from a build that was stopped. */
  readonly opened: number;
  /** False: it was whole already, or another process was first. */
  readonly written: boolean;
  /** Names of the folder that were passed over. */
  readonly skipped: Skipped;
}

function folderOf({ root }: Listing): string | undefined {
  if (schemeOf(root) !== "file") return undefined;
  return /^file:/i.test(root) ? fileURLToPath(root) : root;
}

/** The entries that describe files as they are listed: of another size or etag they count as none. */
function fitting(entries: readonly ObjectEntry[], { files }: Listing): Map<string, ObjectEntry> {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const fits = files.flatMap((file): [string, ObjectEntry][] => {
    const entry = byName.get(file.name);
    return entry?.sizeBytes === file.sizeBytes && entry.etag === file.etag ? [[file.name, entry]] : [];
  });
  return new Map(fits);
}

async function entriesIn(path: string): Promise<readonly ObjectEntry[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new SourceError("the manifest cannot be read", { where: { url: publicUrl(path) }, cause: error });
  }
  const { entries, complete } = parseManifest(text, publicUrl(path));
  if (complete || JOURNAL.test(basename(path))) return entries;
  throw new FormatError("the manifest lacks its last line", {
    where: { url: publicUrl(path) },
    remedy: "It was cut off: remove the file, and run `ingest index` again.",
  });
}

/**
 * What the kept manifest of a listing's folder knows of its files. Entries that do not fit the listing are left out, and
 * those of TFRecord, whose columns may be declared in a file beside that can change by itself.
 *
 * @throws FormatError for a damaged manifest
 */
export async function keptEntries(listing: Listing): Promise<Map<string, ObjectEntry>> {
  const folder = folderOf(listing);
  if (folder === undefined) return new Map();
  const kept = fitting(await entriesIn(join(folder, NAME)), listing);
  for (const [name, { format }] of kept) if (format === "tfrecord") kept.delete(name);
  return kept;
}

/** What builders that were stopped left behind; damaged ones count as none. */
async function journalled(folder: string): Promise<{ entries: ObjectEntry[]; paths: string[] }> {
  const paths = (await readdir(folder)).filter((name) => JOURNAL.test(name)).map((name) => join(folder, name));
  const entries: ObjectEntry[] = [];
  for (const path of paths) {
    try {
      for (const entry of await entriesIn(path)) entries.push(entry);
    } catch (error) {
      if (!isIngestError(error)) throw error;
    }
  }
  return { entries, paths };
}

/** Opens the files that are not known yet, noting each in a journal so that nobody has to open it again. */
async function surveyRest(
  listing: Listing,
  known: Map<string, ObjectEntry>,
  journalPath: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const journal = await open(journalPath, "wx");
  const lines = new ManifestLines();
  try {
    await journal.appendFile(lines.head);
    const rest = listing.files.filter(({ name }) => !known.has(name));
    let writing: Promise<void> = Promise.resolve();
    await mapSome(rest, OPEN_AT_ONCE, async (file) => {
      signal?.throwIfAborted();
      const { entry, opened } = await surveyFile(file, { signal }, (object) =>
        storedIndex(indexableOf(object), file.url, signal, Infinity),
      );
      await opened.close();
      known.set(file.name, entry);
      const text = lines.of(entry);
      writing = writing.then(() => journal.appendFile(text));
      await writing;
    });
  } finally {
    await journal.close();
  }
}

/** Puts a whole manifest in place. Without one the first to link its own wins; one that is out of date is replaced. */
async function publish(folder: string, text: string, stale: boolean): Promise<boolean> {
  const path = join(folder, NAME);
  const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  await writeFile(temporary, text, { flag: "wx" });
  try {
    if (stale) await rename(temporary, path);
    else await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Describes every file of a data set in a manifest, `_ingest-manifest` in its folder, so that `load` opens a file only when
 * its rows are read. Files that a manifest or a stopped build describes already are not opened. Builders do not lock: the
 * first finished manifest stays, and the others read it. Of a pattern or list, only these files' lines are renewed.
 *
 * @throws OptionsError for data that is not in a local folder, SourceError when that cannot be written; else as `load`
 */
export async function indexDataset(
  source: string | readonly string[],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<IndexReport> {
  const { signal } = options;
  const listing = await listDataset(source, { signal });
  const folder = folderOf(listing);
  const isPart = typeof source !== "string" || source.replace(/\/+$/, "") !== listing.root.replace(/\/+$/, "");
  if (folder === undefined) {
    throw new OptionsError("manifests are kept in local folders only", {
      where: { url: publicUrl(listing.root) },
      remedy: "Load it without: every file is then opened once for each run.",
    });
  }
  try {
    return await buildIn(folder, listing, isPart, signal);
  } catch (error) {
    if (isIngestError(error) || signal?.aborted === true) throw error;
    throw new SourceError(`the manifest cannot be written: ${(error as Error).message}`, {
      where: { url: publicUrl(join(folder, NAME)) },
      remedy: "Make the folder writable, or load the data without a manifest.",
      cause: error,
    });
  }
}

async function buildIn(
  folder: string,
  listing: Listing,
  isPart: boolean,
  signal: AbortSignal | undefined,
): Promise<IndexReport> {
  const path = join(folder, NAME);
  const before = await entriesIn(path);
  const known = fitting(before, listing);
  const listed = new Set(listing.files.map(({ name }) => name));
  // Of a part of the folder nothing follows for the rest of it.
  const others = isPart ? before.filter(({ name }) => !listed.has(name)) : [];
  const report = (opened: number, written: boolean): IndexReport => {
    const entries = [...known.values()];
    return {
      path,
      files: entries.length,
      rows: entries.reduce((sum, { fragmentRows }) => sum + fragmentRows.reduce((a, b) => a + b, 0), 0),
      fragments: entries.reduce((sum, { fragmentRows }) => sum + fragmentRows.length, 0),
      opened,
      written,
      skipped: listing.skipped,
    };
  };
  if (known.size === listed.size && before.length === listed.size + others.length) return report(0, false);
  const left = await journalled(folder);
  for (const [name, entry] of fitting(left.entries, listing)) if (!known.has(name)) known.set(name, entry);
  const toOpen = listing.files.length - known.size;
  const journalPath = `${path}.${randomBytes(8).toString("hex")}.part`;
  await surveyRest(listing, known, journalPath, signal);
  const described = listing.files.map(({ name }) => known.get(name) as ObjectEntry);
  const text = manifestText([...described, ...others].sort((a, b) => compareNames(a.name, b.name)));
  const written = await publish(folder, text, before.length > 0);
  await Promise.all([journalPath, ...left.paths].map((each) => rm(each, { force: true })));
  return report(toOpen, written);
}

import { fileURLToPath } from "node:url";
import {
  compareNames,
  FormatError,
  isIngestError,
  mapSome,
  OptionsError,
  publicUrl,
  schemeOf,
  SourceError,
} from "@ingest-ts/core";
import { listDataset, type Listing, type Skipped } from "@ingest-ts/readers";
import { sideObjects } from "@ingest-ts/storage";
import { indexableOf, storedIndex } from "../index-store.ts";
import type { ObjectEntry } from "./entry.ts";
import { FolderHome } from "./folder-home.ts";
import { manifestText, parseManifest } from "./format.ts";
import { isJournal, type Journal, type KeptText, type ManifestHome, NAME } from "./home.ts";
import { ObjectHome } from "./object-home.ts";
import { surveyFile } from "./survey.ts";

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

/** Where the manifest of a listing's folder is kept; undefined for stores that nothing is written to. */
async function homeOf({ root }: Listing): Promise<ManifestHome | undefined> {
  if (schemeOf(root) === "file") return new FolderHome(/^file:/i.test(root) ? fileURLToPath(root) : root);
  const objects = await sideObjects(root);
  return objects === undefined ? undefined : new ObjectHome(root, objects);
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

interface Kept {
  readonly found: KeptText | undefined;
  readonly entries: readonly ObjectEntry[];
}

async function entriesIn(home: ManifestHome, name: string): Promise<Kept> {
  const found = await home.read(name);
  if (found === undefined) return { found, entries: [] };
  const url = publicUrl(home.pathOf(name));
  const { entries, complete } = parseManifest(found.text, url);
  if (complete || isJournal(name)) return { found, entries };
  throw new FormatError("the manifest lacks its last line", {
    where: { url },
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
  const home = await homeOf(listing);
  if (home === undefined) return new Map();
  const kept = fitting((await entriesIn(home, NAME)).entries, listing);
  for (const [name, { format }] of kept) if (format === "tfrecord") kept.delete(name);
  return kept;
}

/** What builders that were stopped left behind; damaged ones count as none. */
async function journalled(home: ManifestHome): Promise<{ entries: ObjectEntry[]; names: string[] }> {
  const names = await home.journals();
  const entries: ObjectEntry[] = [];
  for (const name of names) {
    try {
      for (const entry of (await entriesIn(home, name)).entries) entries.push(entry);
    } catch (error) {
      if (!isIngestError(error)) throw error;
    }
  }
  return { entries, names };
}

/** Opens the files that are not known yet, noting each in a journal so that nobody has to open it again. */
async function surveyRest(
  listing: Listing,
  known: Map<string, ObjectEntry>,
  journal: Journal,
  signal: AbortSignal | undefined,
): Promise<void> {
  let finished = false;
  try {
    const rest = listing.files.filter(({ name }) => !known.has(name));
    await mapSome(rest, OPEN_AT_ONCE, async (file) => {
      signal?.throwIfAborted();
      const { entry, opened } = await surveyFile(file, { signal }, (object) =>
        storedIndex(indexableOf(object), file.url, signal, { largestBytes: Infinity, beside: true }),
      );
      await opened.close();
      known.set(file.name, entry);
      await journal.note(entry);
    });
    finished = true;
  } finally {
    await journal.close(finished);
  }
}

/**
 * Describes every file of a data set in a manifest, `_ingest-manifest` in its folder, so that `load` opens a file only when
 * its rows are read. Files that a manifest or a stopped build describes already are not opened. Builders do not lock: the
 * first finished manifest stays, and the others read it. Of a pattern or list, only these files' lines are renewed.
 *
 * @throws OptionsError for data that is neither in a folder nor in S3, SourceError when that cannot be written; else as `load`
 */
export async function indexDataset(
  source: string | readonly string[],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<IndexReport> {
  const { signal } = options;
  const listing = await listDataset(source, { signal });
  const home = await homeOf(listing);
  const isPart = typeof source !== "string" || source.replace(/\/+$/, "") !== listing.root.replace(/\/+$/, "");
  if (home === undefined) {
    throw new OptionsError("manifests are kept in folders and in S3 only", {
      where: { url: publicUrl(listing.root) },
      remedy: "Load it without: every file is then opened once for each run.",
    });
  }
  try {
    return await buildIn(home, listing, isPart, signal);
  } catch (error) {
    if (isIngestError(error) || signal?.aborted === true) throw error;
    throw new SourceError(`the manifest cannot be written: ${(error as Error).message}`, {
      where: { url: publicUrl(home.pathOf(NAME)) },
      remedy: "Make the folder writable, or load the data without a manifest.",
      cause: error,
    });
  }
}

async function buildIn(
  home: ManifestHome,
  listing: Listing,
  isPart: boolean,
  signal: AbortSignal | undefined,
): Promise<IndexReport> {
  const path = home.pathOf(NAME);
  const { found, entries: before } = await entriesIn(home, NAME);
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
  const left = await journalled(home);
  for (const [name, entry] of fitting(left.entries, listing)) if (!known.has(name)) known.set(name, entry);
  const toOpen = listing.files.length - known.size;
  const journal = await home.openJournal();
  await surveyRest(listing, known, journal, signal);
  const described = listing.files.map(({ name }) => known.get(name) as ObjectEntry);
  const text = manifestText([...described, ...others].sort((a, b) => compareNames(a.name, b.name)));
  const written = await home.publish(text, found);
  await home.remove([...journal.names, ...left.names]);
  return report(toOpen, written);
}

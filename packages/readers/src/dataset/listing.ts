import {
  compareNames,
  type ListedObject,
  OptionsError,
  publicUrl,
  type ReadOptions,
  SourceError,
} from "@ingest-ts/core";
import { loadStorage } from "../load-storage.ts";
import { checkPartitions, type PartitionValue, partitionsOf } from "./partitions.ts";

/** One file of a data set as it was when the data set was listed. */
export interface ListedFile {
  readonly url: string;
  /** Below the data set's root, with `/`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly etag: string;
  /** From its folders, outermost first. */
  readonly partitions: readonly PartitionValue[];
}

/** The files of a data set, in byte order of their names. Nothing was opened. */
export interface Listing {
  /** The folder that all files lie in. */
  readonly root: string;
  readonly files: readonly ListedFile[];
  readonly skipped: Skipped;
}

/** What was passed over. */
export interface Skipped {
  /** Names that begin with `_` or `.`, a folder counting once. */
  readonly hidden: number;
  /** Files without a byte. */
  readonly empty: number;
}

export interface ListingOptions extends ReadOptions {
  /** "none": folders called `name=value` are folders like others. Default "hive". */
  readonly partitions?: "hive" | "none" | undefined;
}

/** Written beside data by this project and others, about the file whose name they begin with. */
const companions = [".schema.json", ".ingest-index", ".idx"];

/**
 * Lists a folder, a pattern (`*`, `?`, `[a-z]`, `{a,b}`, `**`), or several of these and of files. Names below a folder
 * that begin with `_` or `.` and files of zero bytes are passed over and counted.
 *
 * @throws OptionsError when there is nothing to read, a file is named twice, or partition folders are not of one scheme;
 *   SourceError naming what does not exist or cannot be looked at
 */
export async function listDataset(input: string | readonly string[], options: ListingOptions = {}): Promise<Listing> {
  const inputs = typeof input === "string" ? [input] : input;
  if (inputs.length === 0)
    throw new OptionsError("no file is named", { remedy: "Name a file, a folder or a pattern." });
  const counts = { hidden: 0, empty: 0 };
  const found: ListedObject[] = [];
  const roots: string[] = [];
  for (const one of inputs) {
    const { root, objects } = await listOne(one, counts, options);
    roots.push(root);
    // Not by spreading: a folder may have more files than a call may have arguments.
    for (const object of objects) found.push(object);
  }
  const root = sharedFolder(roots);
  const files = filesBelow(root, found, options.partitions ?? "hive", counts);
  if (files.length === 0) throw nothingFound(inputs, counts);
  checkTwice(files);
  checkPartitions(files);
  return { root, files, skipped: counts };
}

interface Listed {
  readonly root: string;
  readonly objects: readonly ListedObject[];
}

async function listOne(input: string, counts: { hidden: number }, { signal }: ListingOptions): Promise<Listed> {
  const { expand } = await loadStorage();
  const accept = (path: string): boolean => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (!name.startsWith("_") && !name.startsWith(".")) return true;
    // Kept manifests are about the data, like companions.
    if (!name.startsWith("_ingest-manifest")) counts.hidden++;
    return false;
  };
  const expanded = await expand(input, { signal, accept });
  if (expanded.kind === "folder") return { root: trimmed(expanded.folder), objects: expanded.objects };
  if (expanded.kind === "missing") {
    throw new SourceError("no such file or folder", { where: { url: publicUrl(input) }, remedy: "Check the path." });
  }
  if (expanded.object === undefined) {
    throw new OptionsError("objects of this store cannot be listed", {
      where: { url: publicUrl(input) },
      remedy: "Read its objects one at a time.",
    });
  }
  return { root: folderOf(input), objects: [expanded.object] };
}

function trimmed(folder: string): string {
  const short = folder.replace(/\/+$/, "");
  return short === "" ? "/" : short;
}

function folderOf(url: string): string {
  const end = url.lastIndexOf("/");
  return end < 0 ? "." : end === 0 ? "/" : url.slice(0, end);
}

/** The deepest folder that all lie in. */
function sharedFolder(folders: readonly string[]): string {
  const [first = "."] = folders;
  let shared = partsOf(first);
  for (const folder of folders) {
    const parts = partsOf(folder);
    let same = 0;
    while (same < shared.length && parts[same] === shared[same]) same++;
    shared = shared.slice(0, same);
  }
  return shared.length === 0 ? "." : shared.join("/") || "/";
}

/** "." is above every relative path; "/" is the empty name. */
function partsOf(folder: string): string[] {
  if (folder === ".") return [];
  return folder === "/" ? [""] : folder.split("/");
}

function nameBelow(root: string, url: string): string {
  if (root === ".") return url.startsWith("./") ? url.slice(2) : url;
  const name = url.slice(root === "/" ? 1 : root.length + 1);
  return name.replace(/^\/+/, "");
}

function filesBelow(
  root: string,
  objects: readonly ListedObject[],
  scheme: "hive" | "none",
  counts: { empty: number },
): ListedFile[] {
  const files: ListedFile[] = [];
  const urls = new Set(objects.map(({ url }) => url));
  for (const { url, sizeBytes, etag } of objects) {
    if (isCompanion(url, urls)) continue;
    if (sizeBytes === 0) {
      counts.empty++;
      continue;
    }
    const name = nameBelow(root, url);
    files.push({ url, name, sizeBytes, etag, partitions: scheme === "none" ? [] : partitionsOf(name, url) });
  }
  return files.sort((a, b) => compareNames(a.name, b.name));
}

function isCompanion(url: string, urls: ReadonlySet<string>): boolean {
  const suffix = companions.find((each) => url.endsWith(each));
  return suffix !== undefined && urls.has(url.slice(0, -suffix.length));
}

function nothingFound(inputs: readonly string[], { hidden, empty }: Skipped): OptionsError {
  const passed = hidden + empty === 0 ? "" : `; passed over: ${hidden} hidden, ${empty} empty`;
  return new OptionsError(`there is no file to read${passed}`, {
    where: { url: inputs.slice(0, 3).map(publicUrl).join(", ") },
    remedy: "Check the path; files that begin with _ or . are read when they are named outright.",
  });
}

function checkTwice(files: readonly ListedFile[]): void {
  for (let i = 1; i < files.length; i++) {
    const { name, url } = files[i] as ListedFile;
    if (name !== files[i - 1]?.name) continue;
    throw new OptionsError("a file is named twice, so that its rows would count twice", {
      where: { url: publicUrl(url) },
      remedy: "Name every file once.",
    });
  }
}

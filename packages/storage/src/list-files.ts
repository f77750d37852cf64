import type { BigIntStats, Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type ListedObject,
  type ListOptions,
  type Probed,
  publicUrl,
  type ReadOptions,
  SourceError,
} from "@ingest-ts/core";
import { fileError, systemCode } from "./file-errors.ts";
import { etagOf, pathOf } from "./file-path.ts";

/** Files looked at together: each is a call to the file system of its own. */
const STATS_AT_ONCE = 32;

/** What a path names: a file, a folder or nothing. @throws SourceError for anything else, and when it cannot be told. */
export async function probeFile(url: string, options: ReadOptions = {}): Promise<Probed> {
  options.signal?.throwIfAborted();
  try {
    const found = await stat(pathOf(url), { bigint: true });
    if (found.isDirectory()) return { kind: "folder" };
    return { kind: "object", object: describe(url, "", found) };
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    throw fileError(error, publicUrl(url));
  }
}

function describe(url: string, path: string, found: BigIntStats): ListedObject {
  if (found.isFile()) return { url, path, sizeBytes: Number(found.size), etag: etagOf(found) };
  throw notRegular(url);
}

function notRegular(url: string): SourceError {
  return new SourceError("is not a regular file", {
    where: { url: publicUrl(url) },
    remedy: "Columnar files need random access: save a stream to a file first.",
  });
}

/**
 * Every file below a folder, through symbolic links too, in no certain order.
 *
 * @throws SourceError naming the folder or file that cannot be looked at, or the link that leads back to a folder above.
 */
export async function listFiles(url: string, options: ListOptions = {}): Promise<ListedObject[]> {
  const found: ListedObject[] = [];
  const root = await statAt(url);
  await new Walk(url, found, options).folder("", [identityOf(root)]);
  return found;
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}-${ino}`;
}

/** The URL of what lies at `path` below the folder `root`, in the form that `root` has. */
function urlBelow(root: string, path: string): string {
  if (path === "") return root;
  if (/^file:/i.test(root)) return pathToFileURL(join(pathOf(root), path)).href;
  if (root !== ".") return root.endsWith("/") ? `${root}${path}` : `${root}/${path}`;
  // A name with a colon in it must not be taken for a scheme.
  return /^[a-z][a-z0-9+.-]*:/i.test(path) ? `./${path}` : path;
}

async function statAt(url: string): Promise<BigIntStats> {
  try {
    return await stat(pathOf(url), { bigint: true });
  } catch (error) {
    throw fileError(error, publicUrl(url));
  }
}

class Walk {
  readonly #root: string;
  readonly #found: ListedObject[];
  readonly #options: ListOptions;

  constructor(root: string, found: ListedObject[], options: ListOptions) {
    this.#root = root;
    this.#found = found;
    this.#options = options;
  }

  /** `above`: the identities of this folder and of those it lies in. */
  async folder(path: string, above: readonly string[]): Promise<void> {
    const entries = await this.#entries(path);
    const folders: string[] = [];
    for (let from = 0; from < entries.length; from += STATS_AT_ONCE) {
      this.#options.signal?.throwIfAborted();
      const some = entries.slice(from, from + STATS_AT_ONCE);
      await Promise.all(
        some.map(async (entry) => {
          const at = path === "" ? entry.name : `${path}/${entry.name}`;
          if (this.#options.accept?.(at) === false) return;
          if (entry.isDirectory()) folders.push(at);
          else await this.#file(at, folders);
        }),
      );
    }
    for (const at of folders) {
      const url = urlBelow(this.#root, at);
      const identity = identityOf(await statAt(url));
      if (above.includes(identity)) {
        throw new SourceError("a symbolic link leads back to a folder that it lies in", {
          where: { url: publicUrl(url) },
          remedy: "Remove the link, or name the folders to read.",
        });
      }
      await this.folder(at, [...above, identity]);
    }
  }

  async #entries(path: string): Promise<Dirent[]> {
    const url = urlBelow(this.#root, path);
    try {
      return await readdir(pathOf(url), { withFileTypes: true });
    } catch (error) {
      throw fileError(error, publicUrl(url));
    }
  }

  /** A file, or a link to a file or folder. */
  async #file(path: string, folders: string[]): Promise<void> {
    const url = urlBelow(this.#root, path);
    const found = await statAt(url);
    if (found.isDirectory()) folders.push(path);
    else this.#found.push(describe(url, path, found));
  }
}

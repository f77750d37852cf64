import { lstat, mkdir, readdir, rm, rmdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../file-errors.ts";
import { isBlockName } from "./block-file.ts";

/** Above the first share of the limit files are evicted, until the second is reached. */
const HIGH_SHARE = 0.9;
const LOW_SHARE = 0.8;
/** Other processes add files too: after so much of the limit was added by this one, all are counted again. */
const RECOUNT_SHARE = 0.1;
/** Whoever evicts is done or dead after so long. */
const LEASE_MS = 60_000;
/** Temporary files that nobody renamed in this time belong to a process that was killed. */
const ORPHAN_MS = 3_600_000;
const STATS_AT_ONCE = 32;

interface CachedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** Keeps a cache folder within its limit. Deletes only files named as the cache names its own, the longest unused first. */
export class Evictor {
  readonly #folder: string;
  readonly #limitBytes: number;
  readonly #onEvicted: (sizeBytes: number) => void;
  /** As far as this process knows. */
  #bytes = 0;
  /** Of files that are being written. */
  #reservedBytes = 0;
  /** Of files that appeared since the last count began. */
  #sinceCountBytes = 0;
  #counting: Promise<void> | undefined;
  #counted = false;

  constructor(folder: string, limitBytes: number, onEvicted: (sizeBytes: number) => void) {
    this.#folder = folder;
    this.#limitBytes = limitBytes;
    this.#onEvicted = onEvicted;
  }

  /**
   * Takes room for `sizeBytes` if there is some, until `settle`; makes some in the background when little is left.
   * Nothing is known, so nothing is taken, before the folder was counted once.
   */
  async reserve(sizeBytes: number): Promise<boolean> {
    if (!this.#counted) {
      this.#start();
      await this.#counting;
    }
    const taken = this.#bytes + this.#reservedBytes + sizeBytes;
    const due = this.#sinceCountBytes > this.#limitBytes * RECOUNT_SHARE;
    if (due || taken > this.#limitBytes * HIGH_SHARE) this.#start();
    if (taken > this.#limitBytes) return false;
    this.#reservedBytes += sizeBytes;
    return true;
  }

  /** Ends a reservation: `addedBytes` of it are in the folder now. */
  settle(sizeBytes: number, addedBytes: number): void {
    this.#reservedBytes -= sizeBytes;
    this.#bytes += addedBytes;
    this.#sinceCountBytes += addedBytes;
  }

  #start(): void {
    if (this.#counting !== undefined) return;
    this.#sinceCountBytes = 0;
    this.#counting = this.#run()
      .catch(() => {
        // The folder cannot be looked at: the next one may fare better.
      })
      .finally(() => {
        this.#counted = true;
        this.#counting = undefined;
      });
  }

  async #run(): Promise<void> {
    const files = await this.#count();
    // What is there, not what it is taken for: else files that came during the count would cost others their place.
    let present = sizeOf(files);
    if (present <= this.#limitBytes * HIGH_SHARE) return;
    const lease = join(this.#folder, "evicting");
    if (!(await takeLease(lease))) return;
    try {
      files.sort((a, b) => a.mtimeMs - b.mtimeMs);
      for (const { path, sizeBytes } of files) {
        if (present <= this.#limitBytes * LOW_SHARE) break;
        await unlink(path).catch(ignoreMissing);
        present -= sizeBytes;
        this.#bytes -= sizeBytes;
        this.#onEvicted(sizeBytes);
      }
      await this.#sweep();
    } finally {
      await rmdir(lease).catch(ignoreMissing);
    }
  }

  async #count(): Promise<CachedFile[]> {
    const files: CachedFile[] = [];
    for (const folder of await readdir(this.#folder)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      const names = (await readdir(join(this.#folder, folder))).filter(isBlockName);
      for (let from = 0; from < names.length; from += STATS_AT_ONCE) {
        const some = names.slice(from, from + STATS_AT_ONCE).map((name) => lookAt(join(this.#folder, folder, name)));
        for (const file of await Promise.all(some)) if (file !== undefined) files.push(file);
      }
    }
    // What appeared meanwhile may have been seen or not: too much is corrected by the next count, too little is not kept.
    this.#bytes = sizeOf(files) + this.#sinceCountBytes;
    return files;
  }

  async #sweep(): Promise<void> {
    const folder = join(this.#folder, "tmp");
    for (const name of await readdir(folder)) {
      if (!/^\d+\.[0-9a-f]{12}\.tmp$/.test(name)) continue;
      const file = await lookAt(join(folder, name));
      if (file !== undefined && Date.now() - file.mtimeMs > ORPHAN_MS) await rm(file.path, { force: true });
    }
  }
}

function sizeOf(files: readonly CachedFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

async function lookAt(path: string): Promise<CachedFile | undefined> {
  try {
    const found = await lstat(path);
    return found.isFile() ? { path, sizeBytes: found.size, mtimeMs: found.mtimeMs } : undefined;
  } catch {
    return undefined;
  }
}

/** One process evicts at a time; the lease of one that died is taken over. */
async function takeLease(path: string): Promise<boolean> {
  for (const last of [false, true]) {
    try {
      await mkdir(path);
      return true;
    } catch (error) {
      if (systemCode(error) !== "EEXIST" || last) return false;
    }
    const since = await stat(path).catch(() => undefined);
    if (since !== undefined && Date.now() - since.mtimeMs < LEASE_MS) return false;
    await rmdir(path).catch(ignoreMissing);
  }
  return false;
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== "ENOENT") throw error;
}

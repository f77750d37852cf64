import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { channels, OptionsError, type StorageCache } from "@ingest-ts/core";
import { systemCode } from "../file-errors.ts";
import { blockFileBytes, decodeBlock, encodeBlock, fileNameOf } from "./block-file.ts";
import { Evictor } from "./evictor.ts";

/** A file that was used is marked so at most once in this time. */
const TOUCH_MS = 60_000;
/** After a failed write nothing is stored for so long. */
const PAUSE_MS = 30_000;
/** Writes under way; beyond that, whoever stores waits. */
const MOST_PENDING_BYTES = 64 * 1024 * 1024;

function tell(outcome: StorageCache["outcome"], sizeBytes: number): void {
  if (channels.storageCache.hasSubscribers) channels.storageCache.publish({ outcome, sizeBytes });
}

/**
 * Labelled blocks of bytes in a folder that several processes may share. Readers take no lock: every file says what it
 * is and carries a CRC, and appears whole under its name. What cannot be read or trusted is a miss; what cannot be
 * written is not kept.
 */
export class BlockStore {
  readonly #folder: string;
  readonly #evictor: Evictor;
  readonly #ready: Promise<void>;
  readonly #pending = new Set<Promise<void>>();
  #pendingBytes = 0;
  #pausedUntil = 0;

  constructor(cacheDir: string, cacheBytes: number) {
    this.#folder = join(cacheDir, "v1");
    this.#evictor = new Evictor(this.#folder, cacheBytes, (sizeBytes) => tell("evicted", sizeBytes));
    this.#ready = makeFolder(join(this.#folder, "tmp"), cacheDir);
    this.#ready.catch(() => {});
  }

  /** @throws OptionsError when the folder cannot be made */
  check(): Promise<void> {
    return this.#ready;
  }

  /** The data stored under `label`, if there is any that is sound. Belongs to the caller. */
  async get(label: string): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(label);
    let data: Uint8Array | undefined;
    try {
      data = decodeBlock(await readFile(path), label);
    } catch {
      tell("miss", 0);
      return undefined;
    }
    if (data === undefined) {
      tell("corrupt", 0);
      await rm(path, { force: true }).catch(() => {});
      return undefined;
    }
    tell("hit", data.length);
    void touch(path);
    return data;
  }

  /** Stores `data`, which must not change any more, in the background. Resolves when there is room for more. */
  async put(label: string, data: Uint8Array): Promise<void> {
    if (Date.now() < this.#pausedUntil) return;
    const writing = this.#write(label, data).finally(() => {
      this.#pending.delete(writing);
      this.#pendingBytes -= data.length;
    });
    this.#pending.add(writing);
    this.#pendingBytes += data.length;
    while (this.#pendingBytes > MOST_PENDING_BYTES) await Promise.race(this.#pending);
  }

  /** Resolves when everything is stored. */
  async flush(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #pathOf(label: string): string {
    const name = fileNameOf(label);
    return join(this.#folder, name.slice(0, 2), name);
  }

  async #write(label: string, data: Uint8Array): Promise<void> {
    const path = this.#pathOf(label);
    const temporary = join(this.#folder, "tmp", `${process.pid}.${randomBytes(6).toString("hex")}.tmp`);
    const sizeBytes = blockFileBytes(label, data);
    if (!(await this.#evictor.reserve(sizeBytes))) return;
    let addedBytes = 0;
    try {
      await this.#ready;
      const file = encodeBlock(label, data);
      const handle = await open(temporary, "wx");
      try {
        await handle.writeFile(file);
      } finally {
        await handle.close();
      }
      await renameInto(temporary, path);
      addedBytes = sizeBytes;
      tell("stored", data.length);
    } catch {
      // A full disk, a folder that went away: reading goes on without the cache.
      this.#pausedUntil = Date.now() + PAUSE_MS;
      tell("failed", data.length);
      await rm(temporary, { force: true }).catch(() => {});
    } finally {
      this.#evictor.settle(sizeBytes, addedBytes);
    }
  }
}

async function makeFolder(folder: string, cacheDir: string): Promise<void> {
  try {
    await makeFolders(folder);
  } catch (cause) {
    if (systemCode(cause) === "ENOSPC") return;
    throw new OptionsError(`the cache folder cannot be made (${systemCode(cause)})`, {
      where: { url: cacheDir },
      remedy: "Choose another cacheDir, or read without a cache.",
      cause,
    });
  }
}

/** Not by Node's own way, which tries for ever where nothing can be made (below /proc). */
async function makeFolders(folder: string): Promise<void> {
  const made = await mkdir(folder).catch(systemCode);
  if (made === undefined || made === "EEXIST") return;
  if (made === "ENOENT" && dirname(folder) !== folder) await makeFolders(dirname(folder));
  await mkdir(folder).catch((error: unknown) => {
    if (systemCode(error) !== "EEXIST") throw error;
  });
}

async function renameInto(temporary: string, path: string): Promise<void> {
  try {
    await rename(temporary, path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path);
  }
}

/** Marks a file as used: the one unused for longest is evicted first. */
async function touch(path: string): Promise<void> {
  try {
    const now = Date.now();
    if (now - (await stat(path)).mtimeMs > TOUCH_MS) await utimes(path, now / 1000, now / 1000);
  } catch {
    // Evicted in between: nothing to mark.
  }
}

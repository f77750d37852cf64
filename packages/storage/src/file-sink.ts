import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { chmod, type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type ByteSink, publicUrl, SourceError } from "@ingest-ts/core";
import { fileError, systemCode } from "./file-errors.ts";
import { pathOf } from "./file-path.ts";

/** Small writes are gathered up to this size. */
const BUFFER_BYTES = 256 * 1024;

interface Target {
  /** Where symbolic links lead. */
  readonly path: string;
  /** Permissions of the file that will be replaced. */
  readonly mode: number | undefined;
  /** A device or pipe: written in place, since a rename would replace it. */
  readonly special: boolean;
}

async function targetOf(path: string, shown: string): Promise<Target> {
  try {
    const real = await realpath(path);
    const found = await stat(real);
    if (found.isDirectory()) {
      throw new SourceError("is a folder, not a file", { where: { url: shown }, remedy: "Name a file to write." });
    }
    return { path: real, mode: found.mode & 0o7777, special: !found.isFile() };
  } catch (error) {
    if (systemCode(error) === "ENOENT") return { path, mode: undefined, special: false };
    throw error;
  }
}

/**
 * Writes a file under a temporary name in the same folder and renames it at `close`: readers see the whole file or
 * nothing. `abort` removes it. Devices and pipes are written in place.
 *
 * @throws SourceError naming `path` when it cannot be written.
 */
export async function fileSink(path: string): Promise<ByteSink> {
  const shown = publicUrl(path);
  try {
    const target = await targetOf(pathOf(path), shown);
    if (target.special) return new FileSink(shown, await open(target.path, "w"), undefined, target.path);
    const unique = `${process.pid}.${randomBytes(4).toString("hex")}`;
    const temporary = join(dirname(target.path), `.${basename(target.path).slice(0, 200)}.${unique}.tmp`);
    const handle = await openNew(temporary, shown);
    const sink = new FileSink(shown, handle, temporary, target.path);
    try {
      if (target.mode !== undefined) await chmod(temporary, target.mode);
    } catch (error) {
      await sink.abort();
      throw error;
    }
    return sink;
  } catch (error) {
    throw fileError(error, shown);
  }
}

async function openNew(path: string, shown: string): Promise<FileHandle> {
  try {
    return await open(path, "wx");
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    throw new SourceError("the folder to write to does not exist", {
      where: { url: shown },
      remedy: "Create it first.",
      cause: error,
    });
  }
}

class FileSink implements ByteSink {
  readonly #shown: string;
  readonly #handle: FileHandle;
  readonly #temporary: string | undefined;
  readonly #path: string;
  #buffer: Buffer | undefined = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #filled = 0;
  #ended = false;

  constructor(shown: string, handle: FileHandle, temporary: string | undefined, path: string) {
    this.#shown = shown;
    this.#handle = handle;
    this.#temporary = temporary;
    this.#path = path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const buffer = this.#checkUnsealed();
    try {
      if (this.#filled + bytes.length > BUFFER_BYTES) await this.#flush();
      if (bytes.length >= BUFFER_BYTES) return await this.#writeAll(bytes);
      buffer.set(bytes, this.#filled);
      this.#filled += bytes.length;
    } catch (error) {
      throw fileError(error, this.#shown);
    }
  }

  async patch(position: number, bytes: Uint8Array): Promise<void> {
    this.#checkUnsealed();
    if (this.#temporary === undefined) {
      throw new SourceError("what was written to a device cannot be replaced", { where: { url: this.#shown } });
    }
    try {
      await this.#flush();
      await this.#writeAll(bytes, position);
    } catch (error) {
      throw fileError(error, this.#shown);
    }
  }

  async seal(): Promise<void> {
    this.#checkUnsealed();
    try {
      await this.#flush();
      this.#buffer = undefined;
      await this.#handle.close();
    } catch (error) {
      throw fileError(error, this.#shown);
    }
  }

  async close(): Promise<void> {
    this.#checkOpen();
    try {
      if (this.#buffer !== undefined) await this.seal();
      this.#ended = true;
      if (this.#temporary !== undefined) await rename(this.#temporary, this.#path);
    } catch (error) {
      await this.#discard();
      throw fileError(error, this.#shown);
    }
  }

  async abort(): Promise<void> {
    if (!this.#ended) await this.#discard();
  }

  #checkOpen(): void {
    if (this.#ended) throw new SourceError("the output is closed", { where: { url: this.#shown } });
  }

  #checkUnsealed(): Buffer {
    this.#checkOpen();
    if (this.#buffer !== undefined) return this.#buffer;
    throw new SourceError("the output is complete", { where: { url: this.#shown } });
  }

  async #flush(): Promise<void> {
    const filled = this.#filled;
    this.#filled = 0;
    if (filled > 0) await this.#writeAll((this.#buffer as Buffer).subarray(0, filled));
  }

  /** @param position null: behind what was written last */
  async #writeAll(bytes: Uint8Array, position: number | null = null): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const at = position === null ? null : position + done;
      done += (await this.#handle.write(bytes, done, bytes.length - done, at)).bytesWritten;
    }
  }

  async #discard(): Promise<void> {
    if (!this.#ended) {
      this.#ended = true;
      if (this.#buffer !== undefined) await this.#handle.close();
    }
    if (this.#temporary !== undefined) await rm(this.#temporary, { force: true });
  }
}

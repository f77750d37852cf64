import { mkdir, rmdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type ByteSink, OptionsError, publicUrl, schemeOf, SourceError } from "@ingest-ts/core";
import { createSink, expand, isMissing, openSource } from "@ingest-ts/storage";

/** So many wait until all are complete. */
const MOST_FILES = 1000;

/**
 * The files of one conversion: all of them become visible one right after the other, once the last is complete, and
 * none of them otherwise.
 */
export class Output {
  readonly #open: ByteSink[] = [];
  readonly #signal: AbortSignal;
  #ended = false;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** A sink whose `close` means "complete". @throws OptionsError for too many, SourceError when it cannot be written */
  async add(url: string): Promise<ByteSink> {
    if (this.#open.length >= MOST_FILES) {
      throw new OptionsError(`the output would have more than ${MOST_FILES} files`, {
        remedy: "Raise --shard-rows, or convert a part at a time.",
      });
    }
    // The one before is complete: a thousand that wait must not hold a thousand buffers.
    await this.#open.at(-1)?.seal?.();
    const sink = await createSink(url, { signal: this.#signal });
    this.#open.push(sink);
    // Whoever writes the file closes it; it shows when all are complete.
    return { write: (bytes) => sink.write(bytes), close: async () => {}, abort: async () => {} };
  }

  /** Makes every file visible, in the order they were added. @throws SourceError saying how many are, if not all */
  async close(): Promise<void> {
    let visible = 0;
    try {
      for (; visible < this.#open.length; visible++) await (this.#open[visible] as ByteSink).close();
      this.#ended = true;
    } catch (error) {
      if (visible === 0 || !(error instanceof SourceError)) throw error;
      const { where, cause } = error;
      throw new SourceError(`${error.what}; ${visible} of ${this.#open.length} files are in place already`, {
        where,
        remedy: "Remove them: they are a part of the rows only.",
        cause,
      });
    }
  }

  /** Leaves nothing behind; harmless after `close`. */
  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    for (const sink of this.#open) await sink.abort();
  }
}

/** @throws OptionsError when something is at `url` already, SourceError when that cannot be found out */
export async function refuseExisting(url: string): Promise<void> {
  // Other schemes are read only, which whoever creates the file says by name.
  if (schemeOf(url) !== "file" && schemeOf(url) !== "s3") return;
  try {
    await (await openSource(url)).close();
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  throw new OptionsError("there is a file of this name already", {
    where: { url: publicUrl(url) },
    remedy: "Choose another name, or say --overwrite.",
  });
}

/**
 * Prepares the folder that shards go to. Answers what takes it away again, as long as nothing is in it.
 *
 * @throws OptionsError when it holds anything, SourceError when it cannot be made
 */
export async function prepareFolder(url: string): Promise<() => Promise<void>> {
  const found = await expand(url);
  if (found.kind === "object" || (found.kind === "folder" && found.objects.length > 0)) {
    throw new OptionsError(found.kind === "object" ? "a file, not a folder for shards" : "the folder is not empty", {
      where: { url: publicUrl(url) },
      remedy: "Choose another: files of two runs in one folder would be taken for one data set.",
    });
  }
  if (found.kind === "folder" || schemeOf(url) !== "file") return async () => {};
  const path = url.startsWith("file:") ? fileURLToPath(url) : url;
  try {
    await mkdir(path);
  } catch (cause) {
    throw new SourceError(`the folder cannot be made: ${(cause as Error).message}`, { where: { url }, cause });
  }
  return () => rmdir(path).catch(() => {});
}

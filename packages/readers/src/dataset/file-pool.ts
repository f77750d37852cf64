import { OptionsError } from "@ingest-ts/core";
import type { OpenedObject } from "../open.ts";
import type { Reader } from "../reader.ts";
import type { ListedFile } from "./listing.ts";
import { fileReader, type FileOptions, openFile } from "./open-file.ts";

interface Entry {
  readonly reader: Promise<Reader>;
  users: number;
}

/** Readers of a data set's files: opened when they are used, and few of them kept open after. */
export class FilePool {
  /** Opened to learn the schema; each becomes a reader when it is first used. */
  readonly #opened: Map<ListedFile, OpenedObject>;
  readonly #options: FileOptions;
  readonly #keep: number;
  /** The one used last stands last. */
  readonly #entries = new Map<ListedFile, Entry>();
  #closed = false;

  constructor(opened: Map<ListedFile, OpenedObject>, options: FileOptions, keep: number) {
    this.#opened = opened;
    this.#options = options;
    this.#keep = keep;
  }

  /** A reader of `file`, to be given back with `release`. */
  acquire(file: ListedFile): Promise<Reader> {
    if (this.#closed) throw new OptionsError("the data set is closed", { remedy: "Open it again." });
    const entry = this.#entries.get(file) ?? { reader: this.#open(file), users: 0 };
    entry.users++;
    this.#entries.delete(file);
    this.#entries.set(file, entry);
    return entry.reader;
  }

  async release(file: ListedFile): Promise<void> {
    const entry = this.#entries.get(file);
    if (entry !== undefined) entry.users--;
    const closing: Promise<void>[] = [];
    for (const [other, { reader, users }] of this.#entries) {
      if (this.#entries.size + this.#opened.size <= this.#keep) break;
      if (users > 0) continue;
      this.#entries.delete(other);
      closing.push(closeOf(reader));
    }
    await Promise.all(closing);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const readers = [...this.#entries.values()].map(({ reader }) => closeOf(reader));
    const opened = [...this.#opened.values()].map((each) => each.close());
    this.#entries.clear();
    this.#opened.clear();
    await Promise.all([...readers, ...opened]);
  }

  #open(file: ListedFile): Promise<Reader> {
    const opened = this.#opened.get(file);
    this.#opened.delete(file);
    const reader = opened === undefined ? openFile(file, this.#options) : fileReader(file, opened, this.#options);
    // Whoever awaits it hears of a failure; one opened ahead may never be asked for.
    reader.catch(() => this.#entries.delete(file));
    return reader;
  }
}

async function closeOf(reader: Promise<Reader>): Promise<void> {
  const opened = await reader.catch(() => undefined);
  await opened?.close();
}

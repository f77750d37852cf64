import type { Reader } from "@ingest-ts/readers";

interface Entry {
  readonly reader: Promise<Reader>;
  users: number;
}

/** Readers that are opened when they are wanted; those not in use beyond `keep` are closed, the longest unused first. */
export class ReaderPool {
  readonly #keep: number;
  /** The one used last stands last. */
  readonly #entries = new Map<string, Entry>();

  constructor(keep: number) {
    this.#keep = keep;
  }

  /** The reader of `name`, opened by `open` when it is not. Give it back with `release`. */
  async acquire(name: string, open: () => Promise<Reader>): Promise<Reader> {
    const entry = this.#entries.get(name) ?? { reader: open(), users: 0 };
    entry.users++;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    try {
      return await entry.reader;
    } catch (error) {
      // Another try may fare better.
      if (this.#entries.get(name) === entry) this.#entries.delete(name);
      throw error;
    }
  }

  async release(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.users--;
    const closing: Promise<void>[] = [];
    for (const [other, { reader, users }] of this.#entries) {
      if (this.#entries.size <= this.#keep) break;
      if (users > 0) continue;
      this.#entries.delete(other);
      closing.push(closeOf(reader));
    }
    await Promise.all(closing);
  }

  async close(): Promise<void> {
    const readers = [...this.#entries.values()].map(({ reader }) => closeOf(reader));
    this.#entries.clear();
    await Promise.all(readers);
  }
}

/** One that failed to open has nothing to close. */
async function closeOf(reader: Promise<Reader>): Promise<void> {
  let opened: Reader;
  try {
    opened = await reader;
  } catch {
    return;
  }
  await opened.close();
}

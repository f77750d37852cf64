import { randomBytes } from "node:crypto";
import { publicUrl, SourceError } from "@ingest-ts/core";
import { openSource, type SideObjects } from "@ingest-ts/storage";
import type { ObjectEntry } from "./entry.ts";
import { ManifestLines } from "./format.ts";
import { isJournal, type Journal, type KeptText, type ManifestHome, NAME } from "./home.ts";

/** Objects do not grow: a journal is written in pieces of so many entries, each an object that can be read alone. */
const PIECE_ENTRIES = 256;

/** A folder of an object store: the store's conditions decide who was first. */
export class ObjectHome implements ManifestHome {
  readonly #folder: string;
  readonly #objects: SideObjects;

  constructor(folder: string, objects: SideObjects) {
    this.#folder = folder;
    this.#objects = objects;
  }

  pathOf(name: string): string {
    return publicUrl(`${this.#folder}/${name}`);
  }

  async read(name: string): Promise<KeptText | undefined> {
    try {
      const source = await openSource(`${this.#folder}/${name}`);
      try {
        const { sizeBytes, etag } = await source.stat();
        const [bytes] = await source.getRanges([{ start: 0, end: sizeBytes }]);
        return { text: new TextDecoder().decode(bytes), version: etag };
      } finally {
        await source.close();
      }
    } catch (error) {
      // Who may read the data need not be allowed to see what else there is.
      if (error instanceof SourceError && (error.reason === "NotFound" || error.reason === "AccessDenied"))
        return undefined;
      throw error;
    }
  }

  async journals(): Promise<string[]> {
    return (await this.#objects.names(`${NAME}.`)).filter(isJournal);
  }

  openJournal(): Promise<Journal> {
    return Promise.resolve(new ObjectJournal(this.#objects));
  }

  publish(text: string, over: KeptText | undefined): Promise<boolean> {
    const bytes = new TextEncoder().encode(text);
    return over === undefined ? this.#objects.create(NAME, bytes) : this.#objects.replace(NAME, bytes, over.version);
  }

  async remove(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#objects.remove(name)));
  }
}

class ObjectJournal implements Journal {
  readonly names: string[] = [];
  readonly #objects: SideObjects;
  #waiting: ObjectEntry[] = [];

  constructor(objects: SideObjects) {
    this.#objects = objects;
  }

  async note(entry: ObjectEntry): Promise<void> {
    this.#waiting.push(entry);
    if (this.#waiting.length >= PIECE_ENTRIES) await this.#write();
  }

  async close(finished: boolean): Promise<void> {
    if (!finished && this.#waiting.length > 0) await this.#write();
  }

  async #write(): Promise<void> {
    const entries = this.#waiting;
    this.#waiting = [];
    const lines = new ManifestLines();
    const text = lines.head + entries.map((entry) => lines.of(entry)).join("");
    const name = `${NAME}.${randomBytes(8).toString("hex")}.part`;
    this.names.push(name);
    await this.#objects.create(name, new TextEncoder().encode(text));
  }
}

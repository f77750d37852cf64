import { randomBytes } from "node:crypto";
import { type FileHandle, link, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { publicUrl, SourceError } from "@ingest-ts/core";
import type { ObjectEntry } from "./entry.ts";
import { ManifestLines } from "./format.ts";
import { isJournal, type Journal, type KeptText, type ManifestHome, NAME } from "./home.ts";

/** A local folder: journals grow line by line, manifests are linked or renamed to their name. */
export class FolderHome implements ManifestHome {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  pathOf(name: string): string {
    return join(this.#folder, name);
  }

  async read(name: string): Promise<KeptText | undefined> {
    const path = this.pathOf(name);
    try {
      return { text: await readFile(path, "utf8"), version: "" };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new SourceError("the manifest cannot be read", { where: { url: publicUrl(path) }, cause: error });
    }
  }

  async journals(): Promise<string[]> {
    return (await readdir(this.#folder)).filter(isJournal);
  }

  async openJournal(): Promise<Journal> {
    const name = `${NAME}.${randomBytes(8).toString("hex")}.part`;
    const journal = new FolderJournal(await open(this.pathOf(name), "wx"), name);
    await journal.begin();
    return journal;
  }

  async publish(text: string, over: KeptText | undefined): Promise<boolean> {
    const path = this.pathOf(NAME);
    const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
    await writeFile(temporary, text, { flag: "wx" });
    try {
      if (over !== undefined) await rename(temporary, path);
      else await link(temporary, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async remove(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => rm(this.pathOf(name), { force: true })));
  }
}

class FolderJournal implements Journal {
  readonly names: readonly string[];
  readonly #file: FileHandle;
  readonly #lines = new ManifestLines();
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, name: string) {
    this.#file = file;
    this.names = [name];
  }

  async begin(): Promise<void> {
    await this.#file.appendFile(this.#lines.head);
  }

  note(entry: ObjectEntry): Promise<void> {
    const text = this.#lines.of(entry);
    this.#writing = this.#writing.then(() => this.#file.appendFile(text));
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

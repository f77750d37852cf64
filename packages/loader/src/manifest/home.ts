import type { ObjectEntry } from "./entry.ts";

/** In the folder that all files lie in; names that begin with _ are no data. */
export const NAME = "_ingest-manifest";
const JOURNAL = /^_ingest-manifest\.[0-9a-f]{16}\.part$/;

/** Whether this is what a builder that was stopped leaves behind. */
export function isJournal(name: string): boolean {
  return JOURNAL.test(name);
}

/** What a file of a home holds, and which version of it that is. */
export interface KeptText {
  readonly text: string;
  readonly version: string;
}

/** What a builder has found so far, for whoever goes on when it is stopped. */
export interface Journal {
  note(entry: ObjectEntry): Promise<void>;
  /** `finished`: all of it is in the manifest that comes next. */
  close(finished: boolean): Promise<void>;
  /** Names of what it wrote. */
  readonly names: readonly string[];
}

/** Where the manifest of a folder is kept. */
export interface ManifestHome {
  /** Of a file of it, as reports and errors show it. */
  pathOf(name: string): string;
  /** @throws SourceError when there is one that cannot be read */
  read(name: string): Promise<KeptText | undefined>;
  journals(): Promise<string[]>;
  openJournal(): Promise<Journal>;
  /**
   * Puts a whole manifest in place: where there was none the first wins; `over` is the one that is out of date.
   * @returns false when another builder was first
   */
  publish(text: string, over: KeptText | undefined): Promise<boolean>;
  remove(names: readonly string[]): Promise<void>;
}

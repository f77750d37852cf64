import { publicUrl, SourceError } from "@ingest-ts/core";
import {
  fileReader,
  type FileOptions,
  type ListedFile,
  type OpenedObject,
  openFile,
  type Reader,
} from "@ingest-ts/readers";
import type { ObjectEntry } from "./manifest/entry.ts";
import type { ReaderPool } from "./reader-pool.ts";

/** What lanes need of a reader. */
export type FragmentReader = Pick<Reader, "fragments" | "fragmentSlabs" | "close">;

/** One object of a data set: what is known of it, and how to read it. */
export interface DatasetObject {
  /** Bytes that reading the selected columns of each fragment fetches; estimated where the object is not open. */
  readonly fragmentBytes: readonly number[];
  /** Whether any of its rows can pass `where`. */
  readonly mayPass: boolean;
  /** A reader whose slabs have the columns that are read. Give it back with `release`. */
  acquire(): Promise<FragmentReader>;
  release(): Promise<void>;
  /** A reader that leaves out no fragment; closed by `closeWhole`. */
  openWhole(): Promise<FragmentReader>;
  closeWhole(reader: FragmentReader): Promise<void>;
}

/**
 * A reader that was given, or one that is open as long as the loader. `pruned` is the same one, or one of the same object
 * without fragments in which no row passes.
 */
export function openObject({ reader, pruned }: { readonly reader: Reader; readonly pruned: Reader }): DatasetObject {
  const keep = (): Promise<void> => Promise.resolve();
  return {
    fragmentBytes: reader.fragments.map(({ sizeBytes }) => sizeBytes),
    mayPass: true,
    acquire: () => Promise.resolve(pruned),
    release: keep,
    openWhole: () => Promise.resolve(reader),
    closeWhole: keep,
  };
}

/** A listed file, opened when its rows are wanted and pinned to what was listed. */
export function listedObject(
  file: ListedFile,
  entry: ObjectEntry,
  options: FileOptions,
  known: { readonly fragmentBytes: readonly number[]; readonly mayPass: boolean },
  pool: ReaderPool,
  /** Files that are open already, each taken out by its first use. */
  opened: Map<string, OpenedObject>,
): DatasetObject {
  const { index } = entry;
  const base: FileOptions = { ...options, format: entry.format, index };
  const whole: FileOptions = { ...base, where: undefined };
  const openPinned = async (fileOptions: FileOptions): Promise<Reader> => {
    const kept = opened.get(file.name);
    opened.delete(file.name);
    const reader = await (kept === undefined ? openFile(file, fileOptions) : fileReader(file, kept, fileOptions));
    try {
      checkRows(reader, entry, file.url);
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  };
  return {
    ...known,
    acquire: () => pool.acquire(file.name, () => openPinned(base)),
    release: () => pool.release(file.name),
    openWhole: () => openPinned(whole),
    closeWhole: (reader) => reader.close(),
  };
}

function checkRows(reader: Reader, { fragmentRows }: ObjectEntry, url: string): void {
  for (const { ordinal, rows } of reader.fragments) {
    if (fragmentRows[ordinal] === rows) continue;
    throw new SourceError(
      `fragment ${ordinal} has ${rows} rows, the manifest says ${fragmentRows[ordinal] ?? "none"}`,
      {
        where: { url: publicUrl(url), fragment: ordinal },
        remedy: "Its index or manifest is stale: remove it (.ingest-index, _ingest-manifest), and load again.",
      },
    );
  }
}

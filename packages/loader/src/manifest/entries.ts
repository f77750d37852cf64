import { type ColumnPath, mapSome } from "@ingest-ts/core";
import type { ListedFile, Listing, OpenedObject, OpenOptions } from "@ingest-ts/readers";
import { indexableOf, storedIndex } from "../index-store.ts";
import type { LoadOptions } from "../options.ts";
import type { ObjectEntry } from "./entry.ts";
import { keptEntries } from "./keep.ts";
import { surveyFile } from "./survey.ts";

/** Files opened together: footers come in parallel, descriptors stay few. */
const OPEN_AT_ONCE = 16;

/** What is known of the files of a listing, and those of them that are still open. */
export interface Survey {
  /** In the order of the listing. */
  readonly entries: readonly ObjectEntry[];
  /** By name. Whoever gets them closes them. */
  readonly opened: Map<string, OpenedObject>;
}

/**
 * What there is in every file of a listing. Those that the kept manifest does not know as they are now are opened once, and
 * the first `keepOpen` of them stay open.
 *
 * @param columns of which a file may have some; others need not be such that Arrow can hold them
 */
export async function entriesOf(
  listing: Listing,
  options: LoadOptions,
  columns: readonly ColumnPath[] | undefined,
  keepOpen: number,
): Promise<Survey> {
  const { format, schema, timestampUnit, int96, limits, signal } = options;
  const openOptions: OpenOptions = { format, schema, timestampUnit, int96, limits, signal, columns };
  const opened = new Map<string, OpenedObject>();
  // What the caller says of columns is not what the manifest's were made of.
  const isPlain = schema === undefined && timestampUnit === undefined && int96 === undefined;
  const kept = isPlain ? await keptEntries(listing) : new Map<string, ObjectEntry>();
  const survey = async (file: ListedFile): Promise<ObjectEntry> => {
    const known = kept.get(file.name);
    if (known !== undefined && (format === undefined || known.format === format)) return known;
    const found = await surveyFile(file, openOptions, (object) => storedIndex(indexableOf(object), file.url, signal));
    if (opened.size < keepOpen) opened.set(file.name, found.opened);
    else await found.opened.close();
    return found.entry;
  };
  try {
    return { entries: await mapSome(listing.files, OPEN_AT_ONCE, survey), opened };
  } catch (error) {
    await Promise.all([...opened.values()].map((each) => each.close()));
    throw error;
  }
}

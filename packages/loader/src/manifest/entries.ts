import { type ColumnPath, UnsupportedError } from "@ingest-ts/core";
import type { ListedFile, Listing, OpenOptions } from "@ingest-ts/readers";
import { storedIndex } from "../index-store.ts";
import { mapSome } from "../map-some.ts";
import type { LoadOptions } from "../options.ts";
import type { ObjectEntry } from "./entry.ts";
import { surveyFile } from "./survey.ts";

/** Files opened together: footers come in parallel, descriptors stay few. */
const OPEN_AT_ONCE = 16;

/**
 * What there is in every file of a listing, in its order: each is opened once.
 *
 * @param columns of which a file may have some; others need not be such that Arrow can hold them
 */
export function entriesOf(
  listing: Listing,
  options: LoadOptions,
  columns: readonly ColumnPath[] | undefined,
): Promise<ObjectEntry[]> {
  const { format, schema, limits, signal } = options;
  const openOptions: OpenOptions = { format, schema, limits, signal };
  const survey = (file: ListedFile, chosen: OpenOptions): Promise<ObjectEntry> =>
    surveyFile(file, chosen, (reader) => storedIndex(reader, file.url, signal));
  return mapSome(listing.files, OPEN_AT_ONCE, async (file) => {
    try {
      return await survey(file, openOptions);
    } catch (error) {
      if (columns === undefined || !(error instanceof UnsupportedError)) throw error;
      return survey(file, { ...openOptions, columns });
    }
  });
}

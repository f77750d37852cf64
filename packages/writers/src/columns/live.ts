import { type Column, getBit, OptionsError } from "@ingest-ts/core";
import { dictionaryPlaces } from "./dictionary-places.ts";
import type { Places } from "./places.ts";

/** The values among some places that are not null. */
export interface Live {
  /** Holds them: the column itself, or the values of its dictionary. */
  readonly column: Column;
  readonly places: Places;
  /** Which of the places asked for they are, ascending; null when all of them. */
  readonly kept: Int32Array | null;
}

/**
 * Leaves nulls out and goes from indices to the values of the dictionary.
 *
 * @throws OptionsError for a null where `nullable` says there is none
 */
export function live(column: Column, places: Places, nullable: boolean): Live {
  const own = withoutNulls({ column, places, kept: null });
  const found = column.type.kind === "dictionary" ? withoutNulls(throughDictionary(own)) : own;
  if (found.kept === null || nullable) return found;
  throw new OptionsError("a null in a field that the schema declares non-null", {
    remedy: "Declare the field nullable, or fill the nulls.",
  });
}

function throughDictionary({ column, places, kept }: Live): Live {
  const { dictionary, places: indices } = dictionaryPlaces(column, places);
  return { column: dictionary, places: { start: 0, length: indices.length, indices }, kept };
}

function withoutNulls(before: Live): Live {
  const { column, places } = before;
  const { validity, nullCount, type } = column;
  const { start, length, indices } = places;
  if (type.kind === "null") {
    return length === 0 ? before : { column, places: { start: 0, length: 0, indices: null }, kept: new Int32Array(0) };
  }
  if (nullCount === 0 || validity === null || length === 0) return before;
  const at = new Int32Array(length);
  const kept = new Int32Array(length);
  let count = 0;
  for (let i = 0; i < length; i++) {
    const place = indices === null ? start + i : (indices[i] as number);
    if (!getBit(validity, place)) continue;
    at[count] = place;
    kept[count++] = i;
  }
  if (count === length) return before;
  const earlier = before.kept;
  const chosen = kept.subarray(0, count);
  if (earlier !== null) for (let i = 0; i < count; i++) chosen[i] = earlier[chosen[i] as number] as number;
  return { column, places: { start: 0, length: count, indices: at.subarray(0, count) }, kept: chosen };
}

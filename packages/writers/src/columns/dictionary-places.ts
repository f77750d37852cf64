import { type Column, OptionsError } from "@ingest-ts/core";
import type { Places } from "./places.ts";
import { viewInt32 } from "./views.ts";

/**
 * Where in its dictionary the values at `places` of a dictionary column lie.
 *
 * @throws OptionsError for an index outside of the dictionary
 */
export function dictionaryPlaces(column: Column, at: Places): { dictionary: Column; places: Int32Array } {
  const { dictionary } = column;
  if (column.type.kind !== "dictionary" || dictionary === null)
    throw new OptionsError("a dictionary column without its dictionary");
  const places = new Int32Array(at.length);
  readIndices(column, at, places);
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    if (place < 0 || place >= dictionary.length)
      throw new OptionsError(`dictionary index ${place} is outside [0, ${dictionary.length})`);
  }
  return { dictionary, places };
}

function readIndices(column: Column, places: Places, out: Int32Array): void {
  if (column.type.kind !== "dictionary" || column.data === null) return;
  const { bits, signed } = column.type.index;
  const { start, indices } = places;
  const { data } = column;
  const words = bits >= 32 ? viewInt32(data) : null;
  for (let i = 0; i < out.length; i++) {
    const at = indices === null ? start + i : (indices[i] as number);
    if (words === null) {
      const value = bits === 8 ? (data[at] as number) : (data[2 * at] as number) | ((data[2 * at + 1] as number) << 8);
      out[i] = signed ? (value << (32 - bits)) >> (32 - bits) : value;
    } else if (bits === 32) out[i] = words[at] as number;
    // Anything past 2^31 is outside every dictionary: let the caller's check say so.
    else out[i] = words[2 * at + 1] === 0 ? (words[2 * at] as number) : -1;
  }
}

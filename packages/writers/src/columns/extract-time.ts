import { type Column, OptionsError } from "@ingest-ts/core";
import { fixedData, type Places } from "./places.ts";
import type { WordValues } from "./values.ts";
import { viewInt32, viewInt64 } from "./views.ts";

const MS_PER_DAY = 86_400_000n;

function placeOf(places: Places, i: number): number {
  return places.indices === null ? places.start + i : (places.indices[i] as number);
}

/** Dates in milliseconds, as days. @throws OptionsError for a value that is no whole day, or past 32-bit days. */
export function extractDates(column: Column, places: Places): WordValues {
  const source = viewInt64(fixedData(column, 8));
  const words = new Int32Array(places.length);
  for (let i = 0; i < words.length; i++) {
    const value = source[placeOf(places, i)] as bigint;
    const days = value / MS_PER_DAY;
    if (days * MS_PER_DAY !== value || BigInt.asIntN(32, days) !== days) {
      throw new OptionsError(`date ${value} ms is not a whole day of 32 bits`, {
        remedy: "Cast the column to a timestamp to keep the time of day.",
      });
    }
    words[i] = Number(days);
  }
  return { form: "words", count: words.length, perValue: 1, words };
}

/** Times in seconds, as milliseconds. @throws OptionsError for a value past 32-bit milliseconds. */
export function extractTimes(column: Column, places: Places): WordValues {
  const source = viewInt32(fixedData(column, 4));
  const words = new Int32Array(places.length);
  for (let i = 0; i < words.length; i++) {
    const value = source[placeOf(places, i)] as number;
    words[i] = value * 1000;
    if (words[i] !== value * 1000) throw new OptionsError(`time ${value} s is too large for 32-bit milliseconds`);
  }
  return { form: "words", count: words.length, perValue: 1, words };
}

/** Timestamps in seconds, as milliseconds. @throws OptionsError for a value past 64-bit milliseconds. */
export function extractTimestamps(column: Column, places: Places): WordValues {
  const source = viewInt64(fixedData(column, 8));
  const out = new BigInt64Array(places.length);
  for (let i = 0; i < out.length; i++) {
    const value = source[placeOf(places, i)] as bigint;
    const scaled = value * 1000n;
    if (BigInt.asIntN(64, scaled) !== scaled)
      throw new OptionsError(`timestamp ${value} s is too large for 64-bit milliseconds`);
    out[i] = scaled;
  }
  return { form: "words", count: out.length, perValue: 2, words: new Int32Array(out.buffer) };
}

import { UnsupportedError } from "@ingest-ts/core";
import { GREGORIAN_START_DAYS } from "./spec.ts";

const UNIX_EPOCH_JULIAN_DAY = 2_440_588;

/**
 * Year, month and day of the Julian calendar that lie `days` after 1970-01-01 (Richards, in the Explanatory
 * Supplement to the Astronomical Almanac, 3rd ed. §15.11).
 */
function daysToJulian(days: number): [year: number, month: number, day: number] {
  const shifted = days + UNIX_EPOCH_JULIAN_DAY + 32_082;
  const years = Math.floor((4 * shifted + 3) / 1461);
  const rest = shifted - Math.floor((1461 * years) / 4);
  const months = Math.floor((5 * rest + 2) / 153);
  const day = rest - Math.floor((153 * months + 2) / 5) + 1;
  return [years - 4800 + Math.floor(months / 10), months + 3 - 12 * Math.floor(months / 10), day];
}

/**
 * Days of the hybrid calendar (Julian before 1582-10-15) → days that show the same year, month and day in the proleptic
 * Gregorian calendar, in place. What Java's readers do; Arrow dates are proleptic.
 */
export function hybridToProleptic(days: Int32Array): void {
  for (let i = 0; i < days.length; i++) {
    const day = days[i] as number;
    if (day >= GREGORIAN_START_DAYS) continue;
    const [year, month, date] = daysToJulian(day);
    const shown = new Date(0);
    shown.setUTCFullYear(year, month - 1, date);
    const shownDays = shown.getTime() / 86_400_000;
    if (Number.isNaN(shownDays)) throw new UnsupportedError(`Julian day ${day} since 1970 is out of range`);
    days[i] = shownDays;
  }
}

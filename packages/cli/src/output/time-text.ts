import type { TimeUnit } from "@ingest-ts/core";

const digitsOf: Readonly<Record<TimeUnit, number>> = { s: 0, ms: 3, us: 6, ns: 9 };
const SECONDS_PER_DAY = 86_400;

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, "0");
  return `${year < 0 ? "-" : "+"}${String(Math.abs(year)).padStart(6, "0")}`;
}

/** The proleptic Gregorian date `days` after 1970-01-01; years outside 0–9999 as ±YYYYYY (ISO 8601). */
export function dateText(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${yearText(year)}-${two(month)}-${two(day)}`;
}

/** A count of `unit` as whole seconds (rounded down) and the rest as a fraction with all its digits. */
function split(count: number | bigint, unit: TimeUnit): { seconds: number; fraction: string } {
  const digits = digitsOf[unit];
  if (digits === 0) return { seconds: Number(count), fraction: "" };
  let seconds: number;
  let rest: number;
  if (typeof count === "number") {
    const perSecond = 10 ** digits;
    seconds = Math.floor(count / perSecond);
    rest = count - seconds * perSecond;
  } else {
    const perSecond = 10n ** BigInt(digits);
    const below = ((count % perSecond) + perSecond) % perSecond;
    seconds = Number((count - below) / perSecond);
    rest = Number(below);
  }
  return { seconds, fraction: `.${String(rest).padStart(digits, "0")}` };
}

function clockText(secondOfDay: number, fraction: string): string {
  const hours = Math.floor(secondOfDay / 3600);
  const minutes = Math.floor(secondOfDay / 60) % 60;
  return `${two(hours)}:${two(minutes)}:${two(secondOfDay % 60)}${fraction}`;
}

/** ISO 8601 with all digits of the unit; `Z` only when asked. */
export function timestampText(count: number | bigint, unit: TimeUnit, zoned: boolean): string {
  const { seconds, fraction } = split(count, unit);
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  return `${dateText(days)}T${clockText(seconds - days * SECONDS_PER_DAY, fraction)}${zoned ? "Z" : ""}`;
}

/** "HH:MM:SS" with all digits of the unit; values outside one day keep counting hours, negative ones have a sign. */
export function timeText(count: number | bigint, unit: TimeUnit): string {
  if (count < 0) return `-${timeText(-count, unit)}`;
  const { seconds, fraction } = split(count, unit);
  return clockText(seconds, fraction);
}

/** ISO 8601 seconds with all digits of the unit: "PT12.500S". */
export function durationText(count: number | bigint, unit: TimeUnit): string {
  if (count < 0) return `-${durationText(-count, unit)}`;
  if (unit === "s") return `PT${count}S`;
  const { seconds, fraction } = split(count, unit);
  return `PT${seconds}${fraction}S`;
}

import type { TimeUnit } from "../schema.ts";

const NS_PER_DAY = 86_400_000_000_000n;

/** Nanoseconds per unit. */
export const unitNs: Readonly<Record<TimeUnit | "day", bigint>> = {
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  ns: 1n,
  day: NS_PER_DAY,
};

/** Days from 1970-01-01 of a proleptic Gregorian date; any year. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= (lengths[month - 1] as number);
}

const clock = String.raw`(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?`;
const timePattern = new RegExp(`^${clock}$`);
const instantPattern = new RegExp(
  `^(\\d{4}|[+-]\\d{6})-(\\d\\d)-(\\d\\d)(?:[T ]${clock}(Z|[+-]\\d\\d:?\\d\\d)?)?$`,
  "i",
);
const durationPattern = /^(-?)PT(\d+)(?:\.(\d{1,9}))?S$/i;

function fractionNs(digits: string | undefined): bigint {
  return digits === undefined ? 0n : BigInt(digits.padEnd(9, "0"));
}

function clockNs(parts: readonly (string | undefined)[]): bigint | undefined {
  const [hours = "0", minutes = "0", seconds = "0", fraction] = parts;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return BigInt(total) * unitNs.s + fractionNs(fraction);
}

/** Nanoseconds since midnight of "HH:MM[:SS[.fraction]]". */
export function parseTime(text: string): bigint | undefined {
  const match = timePattern.exec(text);
  return match === null ? undefined : clockNs(match.slice(1));
}

export interface ParsedInstant {
  /** Nanoseconds since 1970-01-01, after taking an offset away. */
  readonly ns: bigint;
  /** Whether the text says Z or an offset. */
  readonly zoned: boolean;
}

/** "YYYY-MM-DD", optionally with a time and then Z or an offset (ISO 8601; years past 9999 as ±YYYYYY). */
export function parseInstant(text: string): ParsedInstant | undefined {
  const match = instantPattern.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const time = clockNs(match.slice(4, 8));
  if (!isDate(year, month, day) || time === undefined) return undefined;
  const ns = BigInt(daysFromCivil(year, month, day)) * NS_PER_DAY + time;
  const zone = match[8];
  if (zone === undefined) return { ns, zoned: false };
  if (/^z$/i.test(zone)) return { ns, zoned: true };
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 23 || minutes > 59) return undefined;
  const offset = BigInt(hours * 60 + minutes) * 60n * unitNs.s;
  return { ns: zone.startsWith("-") ? ns + offset : ns - offset, zoned: true };
}

/** Nanoseconds of "PT12.5S", as `cat` writes durations. */
export function parseDuration(text: string): bigint | undefined {
  const match = durationPattern.exec(text);
  if (match === null) return undefined;
  const ns = BigInt(match[2] as string) * unitNs.s + fractionNs(match[3]);
  return match[1] === "-" ? -ns : ns;
}

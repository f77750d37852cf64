import { UnsupportedError } from "@ingest-ts/core";

/** From transitions[k] (seconds since 1970) on, a zone's wall clock is offsets[k] seconds ahead of UTC. */
export interface ZoneOffsets {
  readonly transitions: BigInt64Array;
  readonly offsets: Int32Array;
}

const DAY_SECONDS = 86_400;
/** No zone changed its clock twice within so short a time: the shortest are Ramadan breaks of about a month. */
const STEP_SECONDS = 7 * DAY_SECONDS;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        hourCycle: "h23",
        era: "short",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch (cause) {
      throw new UnsupportedError(`time zone "${zone}" is not known to this runtime`, { cause });
    }
    formats.set(zone, format);
  }
  return format;
}

/** How far the wall clock of `zone` is ahead of UTC, in seconds, at `instant` (seconds since 1970). */
function zoneOffset(zone: string, instant: number): number {
  const parts: Record<string, string> = {};
  for (const { type, value } of formatOf(zone).formatToParts(instant * 1000)) parts[type] = value;
  const field = (name: string): number => Number(parts[name]);
  const year = parts["era"] === "BC" ? 1 - field("year") : field("year");
  const wall = new Date(0);
  wall.setUTCFullYear(year, field("month") - 1, field("day"));
  wall.setUTCHours(field("hour"), field("minute"), field("second"));
  return wall.getTime() / 1000 - instant;
}

/** The first second in (from, to] whose offset is that of `to`. */
function bisect(zone: string, from: number, to: number): number {
  const target = zoneOffset(zone, to);
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zoneOffset(zone, middle) === target) high = middle;
    else low = middle;
  }
  return high;
}

const tables = new Map<string, { from: number; to: number; zone: ZoneOffsets }>();

/** The offsets of a zone for instants [from, to], in seconds. @throws UnsupportedError for an unknown zone. */
export function zoneOffsets(zone: string, from: number, to: number): ZoneOffsets {
  const known = tables.get(zone);
  if (known !== undefined && known.from <= from && known.to >= to) return known.zone;
  const first = Math.floor(Math.min(from, known?.from ?? from) / STEP_SECONDS) * STEP_SECONDS;
  const last = Math.max(to, known?.to ?? to) + STEP_SECONDS;
  const transitions = [first];
  const offsets = [zoneOffset(zone, first)];
  for (let at = first; at < last; at += STEP_SECONDS) {
    const next = zoneOffset(zone, at + STEP_SECONDS);
    if (next === offsets.at(-1)) continue;
    transitions.push(bisect(zone, at, at + STEP_SECONDS));
    offsets.push(next);
  }
  const table = { transitions: BigInt64Array.from(transitions, BigInt), offsets: Int32Array.from(offsets) };
  tables.set(zone, { from: first, to: last, zone: table });
  return table;
}

/** The instant at which clocks of `zone` showed 2015-01-01 00:00:00, from which its timestamps count. */
export function zoneEpoch(zone: string, baseSeconds: number): number {
  return baseSeconds - zoneOffset(zone, baseSeconds - zoneOffset(zone, baseSeconds));
}

/** Whether a zone never differs from UTC. */
export function isUtc(zone: string | undefined): boolean {
  return zone === undefined || zone === "UTC" || zone === "GMT" || zone === "Etc/UTC" || zone === "Z";
}

import { expect, test } from "vitest";
import { isUtc, zoneEpoch, zoneOffsets } from "../../src/orc/time-zone.ts";

function offsetAt(zone: string, instant: number): number {
  const { transitions, offsets } = zoneOffsets(zone, instant, instant);
  let k = 0;
  while (k + 1 < transitions.length && (transitions[k + 1] as bigint) <= BigInt(instant)) k++;
  return offsets[k] as number;
}

const seconds = (text: string): number => Date.parse(text) / 1000;

test.each([
  ["2015-03-08T09:59:59Z", -8 * 3600],
  ["2015-03-08T10:00:00Z", -7 * 3600],
  ["2015-11-01T08:59:59Z", -7 * 3600],
  ["2015-11-01T09:00:00Z", -8 * 3600],
  ["1850-01-01T00:00:00Z", -(7 * 3600 + 52 * 60 + 58)],
])("America/Los_Angeles at %s", (text, offset) => {
  expect(offsetAt("America/Los_Angeles", seconds(text))).toBe(offset);
});

test("epochs are midnight of 2015-01-01 on the zone's clocks", () => {
  const base = seconds("2015-01-01T00:00:00Z");
  expect(zoneEpoch("America/Los_Angeles", base)).toBe(base + 8 * 3600);
  expect(zoneEpoch("Asia/Tokyo", base)).toBe(base - 9 * 3600);
  expect(zoneEpoch("Australia/Sydney", base)).toBe(base - 11 * 3600);
});

test("names", () => {
  expect(["UTC", "GMT", undefined].every(isUtc)).toBe(true);
  expect(isUtc("Europe/London")).toBe(false);
  expect(() => zoneOffsets("Mars/Olympus", 0, 0)).toThrow('time zone "Mars/Olympus" is not known');
});

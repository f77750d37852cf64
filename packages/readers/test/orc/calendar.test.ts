import { expect, test } from "vitest";
import { hybridToProleptic } from "../../src/orc/calendar.ts";

const DAY = 86_400_000;

test.each([
  // [days in the hybrid calendar, what it shows]
  [-141_427, "1582-10-15"],
  [-141_428, "1582-10-04"],
  [-141_429, "1582-10-03"],
  [-719_164, "0001-01-01"],
  [-719_163, "0001-01-02"],
  [0, "1970-01-01"],
])("day %i shows %s", (day, shown) => {
  const days = Int32Array.of(day);
  hybridToProleptic(days);
  expect(new Date((days[0] as number) * DAY).toISOString().slice(0, 10)).toBe(shown);
});

test("a leap day that only the Julian calendar has is the day after", () => {
  const day = Date.UTC(1500, 2, 10) / DAY;
  const days = Int32Array.of(day);
  hybridToProleptic(days);
  expect(days[0]).toBe(Date.UTC(1500, 2, 1) / DAY);
});

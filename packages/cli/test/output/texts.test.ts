import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { displayWidth, fit } from "../../src/output/display-width.ts";
import { doubleText, singleText } from "../../src/output/float-text.ts";
import { uniqueNames } from "../../src/output/names.ts";
import { fitWidths } from "../../src/output/table.ts";
import { dateText, durationText, timestampText, timeText } from "../../src/output/time-text.ts";
import { visible } from "../../src/output/visible.ts";
import { decimalText, wholesOf64, wholesOfWide } from "../../src/output/wide-integers.ts";

describe("dates and times", () => {
  it("agrees with Date wherever Date reaches", () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        const ms = date.getTime();
        expect(timestampText(ms, "ms", true)).toBe(date.toISOString());
        expect(timestampText(BigInt(ms) * 1_000_000n, "ns", false)).toBe(date.toISOString().replace("Z", "000000"));
        expect(dateText(Math.floor(ms / 86_400_000))).toBe(date.toISOString().replace(/T.*/, ""));
      }),
    );
  });
  it("keeps every digit, before 1970 too", () => {
    expect(timestampText(-1n, "ns", false)).toBe("1969-12-31T23:59:59.999999999");
    expect(timestampText(-1, "us", true)).toBe("1969-12-31T23:59:59.999999Z");
    expect(timestampText(1_600_000_000_123_456_789n, "ns", true)).toBe("2020-09-13T12:26:40.123456789Z");
    expect(timestampText(0, "s", false)).toBe("1970-01-01T00:00:00");
    expect(timestampText(-(2n ** 63n), "us", false)).toBe("-290308-12-21T19:59:05.224192");
    expect(dateText(2_932_897)).toBe("+010000-01-01");
    expect(dateText(-719_529)).toBe("-000001-12-31");
    expect(dateText(-719_528)).toBe("0000-01-01");
  });
  it("writes times of day and durations", () => {
    expect(timeText(3_723_004, "ms")).toBe("01:02:03.004");
    expect(timeText(86_399_999_999_999n, "ns")).toBe("23:59:59.999999999");
    expect(timeText(90_000, "s")).toBe("25:00:00");
    expect(timeText(-1, "s")).toBe("-00:00:01");
    expect(durationText(-1500, "ms")).toBe("-PT1.500S");
    expect(durationText(2n ** 63n - 1n, "s")).toBe("PT9223372036854775807S");
  });
});

describe("numbers", () => {
  it("writes the shortest digits that give the value back", () => {
    expect([0.1, -0, 1e21, 5e-324, Number.NaN, -Infinity].map(doubleText)).toEqual([
      "0.1",
      "-0",
      "1e+21",
      "5e-324",
      "NaN",
      "-Infinity",
    ]);
    expect([0.1, 16_777_216, 3.4028234663852886e38, 1e-45, -0].map((value) => singleText(Math.fround(value)))).toEqual([
      "0.1",
      "16777216",
      "3.4028235e+38",
      "1e-45",
      "-0",
    ]);
    fc.assert(
      fc.property(fc.float(), (value) => {
        expect(Math.fround(Number(singleText(value)))).toBe(value);
        expect(singleText(value).length).toBeLessThanOrEqual(doubleText(value).length);
      }),
      { numRuns: 2000 },
    );
  });
  it("writes integers of 64 bits exactly", () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        const data = new Uint8Array(BigInt64Array.of(value).buffer);
        expect(String(wholesOf64(data, 1, true)(0))).toBe(String(value));
        expect(String(wholesOf64(data, 1, false)(0))).toBe(String(BigInt.asUintN(64, value)));
      }),
    );
  });
  it("writes decimals exactly", () => {
    const bits = fc.constantFrom(128 as const, 256 as const);
    fc.assert(
      fc.property(bits, fc.bigInt(-(2n ** 127n), 2n ** 127n - 1n), fc.nat(127), (width, whole, shift) => {
        const value = whole >> BigInt(shift);
        const words = BigUint64Array.from({ length: width / 64 }, (_, i) =>
          BigInt.asUintN(64, value >> BigInt(64 * i)),
        );
        expect(String(wholesOfWide(new Uint8Array(words.buffer), 1, width)(0))).toBe(String(value));
      }),
    );
    expect([
      decimalText(-5, 2),
      decimalText(1234, 2),
      decimalText(0, 3),
      decimalText(12n, -2),
      decimalText(7, 0),
    ]).toEqual(["-0.05", "12.34", "0.000", "1200", "7"]);
  });
});

it("shows what a terminal would act upon", () => {
  expect(visible("a\nb\t\u001b[31m\u0000\u0085é漢")).toBe("a\\nb\\t\\x1b[31m\\x00\\x85é漢");
  expect(visible("\u202eevil\u2028\ufeff")).toBe("\\u{202e}evil\\u{2028}\\u{feff}");
});

it("makes names unique without taking one that is given", () => {
  expect(uniqueNames(["a", "a", "b", "a_2", "a", "a_2"])).toEqual(["a", "a_3", "b", "a_2", "a_4", "a_2_2"]);
});

it("fits text into a width", () => {
  expect([fit("abc", 5, false), fit("abc", 5, true), fit("abcdef", 4, false), fit("漢字仮名", 6, false)]).toEqual([
    "abc  ",
    "  abc",
    "abc…",
    "漢字… ",
  ]);
  expect(displayWidth("e\u0301漢")).toBe(3);
});

it("fits columns into a terminal", () => {
  const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.boolean()), { minLength: 1 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 30, max: 200 }), (columns, width) => {
      const natural = columns.map(([size]) => size);
      const least = columns.map(([size, number]) => Math.min(size, number ? 24 : 6));
      const sum = (each: readonly number[]): number => each.reduce((total, size) => total + size + 2, -2);
      const widths = fitWidths(natural, least, width);
      expect(sum(widths)).toBeLessThanOrEqual(width);
      widths.forEach((size, i) => {
        expect(size).toBeLessThanOrEqual(natural[i] as number);
        expect(size).toBeGreaterThanOrEqual(least[i] as number);
      });
      if (sum(natural) <= width) expect(widths).toEqual(natural);
      else if (widths.length === natural.length) expect(sum(widths)).toBe(width);
    }),
  );
  expect(fitWidths([300], [24], 10)).toEqual([10]);
});

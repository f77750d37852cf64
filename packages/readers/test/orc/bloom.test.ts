import { hasGoodBloomFilters, hashesOf, readBloomFilters } from "../../src/orc/bloom.ts";
import type { Footer, OrcType } from "../../src/orc/spec.ts";
import { describe, expect, test } from "vitest";

const footer = (writer: number, softwareVersion: string): Footer => ({
  types: [],
  stripes: [],
  metadata: {},
  rows: 0,
  writer,
  softwareVersion,
  rowIndexStride: 0,
  calendar: "unknown",
  encrypted: false,
});

describe("which bloom filters are believed", () => {
  test.each([
    [0, "", true],
    [0, "1.9.0", true],
    [1, "", false],
    [1, "1.6.0", false],
    [1, "1.6.11", false],
    [1, "1.6.12", true],
    [1, "1.7.0", false],
    [1, "1.7.1", true],
    [1, "1.7.0-SNAPSHOT", false],
    [1, "1.8.0", true],
    [1, "2.3.1", true],
    [1, "1.5.9", false],
    [1, "unknown", false],
    // Presto, Go, Trino, CUDF and what comes after them.
    [2, "0.280", false],
    [3, "1.0.0", false],
    [4, "430", true],
    [5, "23.4", false],
    [17, "9.9.9", false],
  ])("writer %i, version %j: %s", (writer, version, isGood) => {
    expect(hasGoodBloomFilters(footer(writer, version))).toBe(isGood);
  });
});

describe("filters that are malformed are none", () => {
  const bits = new Uint8Array(16).fill(255);
  const filter = (hashes: number, content: Uint8Array): number[] => [8, hashes, 26, content.length, ...content];
  const index = (...filters: number[][]): Uint8Array =>
    Uint8Array.from(filters.flatMap((each) => [10, each.length, ...each]));

  test("a good one answers for every row group", () => {
    const filters = readBloomFilters(index(filter(3, bits), filter(3, new Uint8Array(8))), 2);
    expect(filters?.map((test) => test(77n))).toEqual([true, false]);
  });

  test.each([
    ["another number of row groups", index(filter(3, bits)), 2],
    ["no hash functions", index(filter(0, bits)), 1],
    ["too many of them", index(filter(65, bits)), 1],
    ["no bits", index(filter(3, new Uint8Array(0))), 1],
    ["half a word", index(filter(3, bits.subarray(4))), 1],
    ["cut off", index(filter(3, bits)).subarray(0, 10), 1],
  ])("%s", (_, bytes, groups) => {
    expect(readBloomFilters(bytes, groups)).toBeUndefined();
  });
});

describe("values that cannot be looked up", () => {
  const type = (kind: OrcType["kind"]): OrcType => ({
    kind,
    subtypes: [],
    fieldNames: [],
    precision: 0,
    scale: 0,
    attributes: {},
  });
  const trust = { text: true, proleptic: false };

  test.each(["decimal", "timestamp", "timestampInstant", "char", "binary", "boolean"] as const)("%s", (kind) => {
    expect(hashesOf(5n, type(kind), true, trust)).toBeUndefined();
  });

  test("NaN, text that is not hashed as UTF-8, days of the Julian calendar", () => {
    expect(hashesOf(Number.NaN, type("double"), true, trust)).toBeUndefined();
    expect(hashesOf(Uint8Array.of(65), type("string"), false, trust)).toBeUndefined();
    expect(hashesOf(-200_000, type("date"), true, trust)).toBeUndefined();
    expect(hashesOf(-200_000, type("date"), true, { ...trust, proleptic: true })).toHaveLength(1);
  });

  test("both zeros are looked for", () => {
    expect(hashesOf(0, type("double"), true, trust)).toHaveLength(2);
  });
});

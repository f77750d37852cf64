import { describe, expect, test } from "vitest";
import { readBloomFilter } from "../../src/parquet/bloom.ts";
import { xxhash64 } from "../../src/parquet/xxhash64.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("xxhash64", () => {
  // Published test vectors, of every length class.
  test.each([
    ["", 0xef46db3751d8e999n],
    ["a", 0xd24ec4f1a98c6e5bn],
    ["abc", 0x44bc2cf5ad770999n],
    ["Call me Ishmael. Some years ago--never mind how long precisely-", 0x02a2e85470d6fd96n],
  ])("of %j", (text, expected) => {
    expect(xxhash64(encode(text))).toBe(expected);
  });
});

describe("bloom filters", () => {
  // pyarrow 26.0.1, of "hello", "parquet", "bloom" and "filter".
  const stored = Buffer.from("FUAcHAAAHBwAABwcAAAABACwAAAKQBABBUAAgAAIMCACgAQAICCIEAEAUAIQCAg=", "base64");

  test("know what pyarrow put in, and little else", () => {
    const mayContain = readBloomFilter(stored);
    for (const word of ["hello", "parquet", "bloom", "filter"]) {
      expect(mayContain?.(xxhash64(encode(word)))).toBe(true);
    }
    const others = Array.from({ length: 1000 }, (_, i) => mayContain?.(xxhash64(encode(`other ${i}`))));
    expect(others.filter((answer) => answer !== false).length).toBeLessThan(20);
  });

  test("that are cut, or of another kind, are none", () => {
    for (let length = 0; length < stored.length; length++) {
      expect(readBloomFilter(stored.subarray(0, length))).toBeUndefined();
    }
    const otherHash = Buffer.from(stored);
    otherHash[7] = 0x2c;
    expect(readBloomFilter(otherHash)).toBeUndefined();
  });
});

// The values are those of mmh3 5.2 for Python (mmh3_x86_128_digest, seed 0).
import { expect, test } from "vitest";
import { murmur128 } from "../../src/ledger/murmur.ts";

test.each([
  ["", "0000000000000000"],
  ["a", "a794933c5556b01b"],
  ["0123456789abcdef", "fb7d440936aed30a"],
  ["The quick brown fox jumps over the lazy dog", "2f1583c3ecee2c67"],
])("MurmurHash3_x86_128 of %j", (text, digest) => {
  const bytes = new Uint8Array(80).fill(7);
  new TextEncoder().encodeInto(text, bytes);
  expect(murmur128(bytes, text.length)).toBe(digest);
});

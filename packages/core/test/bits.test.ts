import { copyBits, countBits, getBit } from "@ingest-ts/core";
import { expect, test } from "vitest";

test("copyBits agrees with getBit at every offset and length", () => {
  const bits = Uint8Array.from({ length: 8 }, (_, i) => (i * 151 + 37) & 255);
  for (let offset = 0; offset < 24; offset++) {
    for (let length = 0; length < 40; length++) {
      const out = copyBits(bits, offset, length);
      for (let i = 0; i < length; i++) expect(getBit(out, i)).toBe(getBit(bits, offset + i));
      expect(countBits(out, out.length * 8)).toBe(countBits(out, length));
    }
  }
});

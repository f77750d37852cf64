import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeBlock, encodeBlock, fileNameOf, isBlockName } from "../../src/cache/block-file.ts";
import { sampleBytes } from "../lib/s3-fixture.ts";

const data = sampleBytes(2000);
const file = encodeBlock("label é", data);

it("gives back what was stored, under its label only", () => {
  expect(decodeBlock(file, "label é")).toEqual(Buffer.from(data));
  expect(decodeBlock(file, "other")).toBeUndefined();
  expect(decodeBlock(encodeBlock("", new Uint8Array(0)), "")).toHaveLength(0);
  expect(isBlockName(fileNameOf("x"))).toBe(true);
  expect(isBlockName("important.blk")).toBe(false);
});

it("no bit can be turned over unnoticed", () => {
  for (let bit = 0; bit < file.length * 8; bit++) {
    const other = Buffer.from(file);
    other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(decodeBlock(other, "label é")).toBeUndefined();
  }
});

it("nothing can be cut off, added or zeroed unnoticed", () => {
  for (let length = 0; length < file.length; length++) {
    expect(decodeBlock(file.subarray(0, length), "label é")).toBeUndefined();
  }
  expect(decodeBlock(Buffer.concat([file, Buffer.alloc(1)]), "label é")).toBeUndefined();
  fc.assert(
    fc.property(fc.nat(file.length - 1), fc.nat(512), (from, length) => {
      const other = Buffer.from(file).fill(0, from, Math.min(file.length, from + length));
      if (!other.equals(file)) expect(decodeBlock(other, "label é")).toBeUndefined();
    }),
  );
});

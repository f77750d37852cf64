import * as zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { platform } from "../../src/codecs/platform-default.ts";
import { platform as node } from "../../src/codecs/platform-node.ts";

const text = Buffer.from(Array.from({ length: 30_000 }, (_, i) => `${(i * 7919) % 1009},`).join(""));

describe.each(["gzip", "zlib", "deflateRaw"] as const)("%s without node:zlib", (format) => {
  test("reads what node:zlib writes, and the reverse", () => {
    for (const bytes of [new Uint8Array(0), text.subarray(0, 1), text]) {
      const theirs = platform.inflate(format, node.deflate(format, bytes, undefined), bytes.length, bytes.length);
      expect(Buffer.compare(theirs, bytes)).toBe(0);
      const ours = node.inflate(format, platform.deflate(format, bytes, 6), bytes.length, bytes.length);
      expect(Buffer.compare(ours, bytes)).toBe(0);
    }
  });

  test("refuses more than the limit, truncated data and bytes after the end", () => {
    const packed = node.deflate(format, text, undefined);
    expect(() => platform.inflate(format, packed, text.length - 1, text.length)).toThrow(/more than/);
    expect(() => platform.inflate(format, packed.subarray(0, -1), text.length, text.length)).toThrow();
    expect(() => platform.inflate(format, Buffer.concat([packed, packed.subarray(0, 5)]), 1e9, 1e6)).toThrow();
  });
});

test("there is no Brotli and no native zstd", () => {
  expect(platform.brotliDecompress).toBeUndefined();
  expect(platform.zstdDecompress).toBeUndefined();
});

test("several gzip members", () => {
  const packed = Buffer.concat([zlib.gzipSync(text), zlib.gzipSync(text)]);
  expect(platform.inflate("gzip", packed, text.length * 2, text.length * 2).length).toBe(text.length * 2);
});

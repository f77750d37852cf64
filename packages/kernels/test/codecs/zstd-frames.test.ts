import { compress, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { beforeAll, expect, test } from "vitest";
import { zstdFrames } from "../../src/codecs/zstd-frames.ts";

beforeAll(() => prepareCodecs(["zstd"]));

test("finds the end of every frame, and skips skippable ones", () => {
  const sizes = [0, 1, 300, 70_000, 1_000_000];
  const frames = sizes.map((size) =>
    compress(
      "zstd",
      new Uint8Array(size).map((_, i) => (i * i) >> 7),
    ),
  );
  const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const found = zstdFrames(Buffer.concat(frames.flatMap((frame) => [skippable, frame])));
  expect(found.map((frame) => frame.length)).toEqual(frames.map((frame) => frame.length));
});

test("refuses what is truncated or no frame", () => {
  const frame = compress(
    "zstd",
    new Uint8Array(5000).map((_, i) => (i * i) >> 7),
  );
  for (let length = 1; length < frame.length; length++) expect(() => zstdFrames(frame.subarray(0, length))).toThrow();
  expect(() => zstdFrames(new Uint8Array(20))).toThrow(/no frame/);
  expect(() => zstdFrames(Buffer.concat([frame, Buffer.from("12345678")]))).toThrow(/no frame/);
});

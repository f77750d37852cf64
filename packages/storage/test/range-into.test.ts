import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../src/index.ts";

const content = Uint8Array.from({ length: 200_000 }, (_, i) => Math.imul(i, 2_654_435_761) >>> 24);
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest-into-"));
  await writeFile(join(folder, "object"), content);
});
afterAll(() => rm(folder, { recursive: true }));

describe("a file read into arrays of the caller", () => {
  it("fills those that are large enough, and makes others", async () => {
    const source = await openSource(join(folder, "object"));
    const large = new Uint8Array(100_000);
    const small = new Uint8Array(10);
    const ranges = [
      { start: 1000, end: 90_000 },
      { start: 150_000, end: 150_020 },
    ];
    const [a, b] = await source.getRanges(ranges, { into: [large, small] });
    await source.close();
    expect(a?.buffer).toBe(large.buffer);
    expect(a?.byteOffset).toBe(0);
    expect(b?.buffer).not.toBe(small.buffer);
    expect(Buffer.compare(a as Uint8Array, content.subarray(1000, 90_000))).toBe(0);
    expect(Buffer.compare(b as Uint8Array, content.subarray(150_000, 150_020))).toBe(0);
    expect(large.subarray(89_000).every((byte) => byte === 0)).toBe(true);
  });

  it("fills each of several that are read together, whatever their order and what lies between", async () => {
    const source = await openSource(join(folder, "object"));
    const ranges = [
      { start: 5000, end: 9000 },
      { start: 100, end: 200 },
      { start: 0, end: 100 },
      { start: 9000, end: 9000 },
      { start: 30_000, end: 199_999 },
    ];
    const arrays = ranges.map(({ start, end }) => new Uint8Array(end - start + 50));
    const answers = await source.getRanges(ranges, { into: arrays });
    await source.close();
    ranges.forEach(({ start, end }, i) => {
      const answer = answers[i] as Uint8Array;
      expect(Buffer.compare(answer, content.subarray(start, end))).toBe(0);
      if (end > start) expect(answer.buffer).toBe(arrays[i]?.buffer);
      expect(arrays[i]?.subarray(end - start).every((byte) => byte === 0)).toBe(true);
    });
  });

  it("makes new ones for ranges that overlap, or when one is too small", async () => {
    const source = await openSource(join(folder, "object"));
    const overlapping = [
      { start: 0, end: 100 },
      { start: 50, end: 200 },
    ];
    const apart = [
      { start: 0, end: 100 },
      { start: 100, end: 200 },
    ];
    for (const [ranges, sizeBytes] of [
      [overlapping, 200],
      [apart, 99],
    ] as const) {
      const arrays = ranges.map(() => new Uint8Array(sizeBytes));
      const answers = await source.getRanges(ranges, { into: arrays });
      ranges.forEach(({ start, end }, i) => {
        expect(Buffer.compare(answers[i] as Uint8Array, content.subarray(start, end))).toBe(0);
        expect(arrays[i]?.every((byte) => byte === 0)).toBe(true);
      });
    }
    await source.close();
  });
});

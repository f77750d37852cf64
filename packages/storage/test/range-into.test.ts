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

  it("makes new ones for ranges that are read together", async () => {
    const source = await openSource(join(folder, "object"));
    const arrays = [new Uint8Array(100), new Uint8Array(100)];
    const ranges = [
      { start: 0, end: 100 },
      { start: 100, end: 200 },
    ];
    const answers = await source.getRanges(ranges, { into: arrays });
    await source.close();
    answers.forEach((answer, i) => {
      expect(Buffer.compare(answer, content.subarray(i * 100, i * 100 + 100))).toBe(0);
    });
  });
});

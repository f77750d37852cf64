import { rowsOf } from "@ingest-ts/core/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { scratch, SCRATCH_BYTES, Scratch } from "../../src/scratch.ts";
import { expectedOf, fixtureBytes, fixtures, joined, readBytes } from "./support.ts";

const out = new Set<Uint8Array>();

/** Whatever is given back is overwritten at once, so that a view of it that is still in use shows. */
beforeEach(() => {
  out.clear();
  const take = scratch.take.bind(scratch);
  const give = scratch.give.bind(scratch);
  vi.spyOn(scratch, "take").mockImplementation(() => {
    const bytes = take().fill(0xdd);
    out.add(bytes);
    return bytes;
  });
  vi.spyOn(scratch, "give").mockImplementation((bytes) => {
    expect(out.delete(bytes)).toBe(true);
    give(bytes.fill(0xee));
  });
});
afterEach(() => vi.restoreAllMocks());

describe("files that pyarrow wrote, fetched into memory that is used again", () => {
  test.each(fixtures)("$name", async ({ name, expected: file, rows }) => {
    const bytes = fixtureBytes(name);
    const expected = rows > 0 ? rowsOf(expectedOf(file).columns) : [];
    for (const options of [{}, { batchRows: 50, limits: { bytesInFlight: 700 } }]) {
      const { slabs } = await readBytes(bytes, { ...options, nearby: true });
      if (rows > 0) expect(rowsOf(joined(slabs))).toEqual(expected);
      expect(out.size).toBe(0);
    }
  });
});

test("memory goes round, and no more of it is kept than said", () => {
  const pool = new Scratch(3 * SCRATCH_BYTES);
  const first = pool.take();
  expect(first.length).toBe(SCRATCH_BYTES);
  pool.give(first);
  expect(pool.take()).toBe(first);
  const others = Array.from({ length: 4 }, () => pool.take());
  expect(new Set([first, ...others]).size).toBe(5);
  for (const each of others) pool.give(each);
  const again = Array.from({ length: 4 }, () => pool.take());
  expect(again.filter((each) => others.includes(each)).length).toBe(3);
});

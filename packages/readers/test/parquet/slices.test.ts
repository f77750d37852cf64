import { sliceRows } from "@ingest-ts/core";
import { Dice, rowsOf } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { expectedOf, fixtureBytes, fixtures, joined, readBytes } from "./support.ts";

const names = [
  "many-pages-v1",
  "many-pages-v2",
  "many-plain-v2",
  "many-row-groups",
  "dictionary-fall-back",
  "delta_byte_array-nullable-v2",
  "flat-nullable-v1",
  "flat-required-v2",
  "nested-v1",
  "nested-v2",
  "nested-plain",
  "large-values-v1",
  "large-values-v2",
] as const;

function expectedRows(name: string): unknown[][] {
  const fixture = fixtures.find((each) => each.name === name);
  if (fixture === undefined) throw new Error(`no fixture ${name}`);
  return rowsOf(expectedOf(fixture.expected).columns);
}

describe.each(names)("%s", (name) => {
  const bytes = fixtureBytes(name);
  const expected = expectedRows(name);

  test("the rows are the same whatever the slabs' length", async () => {
    for (const batchRows of [1, 3, 50, 1000]) {
      const { slabs } = await readBytes(bytes, { batchRows });
      expect(slabs.every((slab) => slab.rows <= batchRows)).toBe(true);
      expect(rowsOf(joined(slabs))).toEqual(expected);
    }
  });

  test("the rows are the same whatever the slabs' size", async () => {
    for (const batchBytes of [1, 300, 6000]) {
      const { slabs } = await readBytes(bytes, { batchBytes });
      expect(slabs.length).toBeGreaterThan(1);
      expect(rowsOf(joined(slabs))).toEqual(expected);
    }
  });

  test("the rows are the same when little may be in flight", async () => {
    const all = await readBytes(bytes);
    const { slabs, requests } = await readBytes(bytes, { limits: { bytesInFlight: 700 }, batchRows: 100 });
    expect(rowsOf(joined(slabs))).toEqual(expected);
    expect(requests.length).toBeGreaterThan(all.requests.length);
    // A page of its own may need more than the limit; nothing else does.
    expect(Math.max(...requests)).toBeLessThan(Math.max(...all.requests));
  });

  test("any range of rows", async () => {
    if (name === "many-row-groups" || name === "nested-plain") return;
    const dice = new Dice(7);
    const whole = joined((await readBytes(bytes)).slabs);
    for (let i = 0; i < 12; i++) {
      const from = dice.below(whole.rows);
      const to = i === 0 ? whole.rows : from + dice.below(whole.rows - from) + 1;
      const { slabs } = await readBytes(bytes, { rows: [from, to], batchRows: 1 + dice.below(200) });
      expect(rowsOf(joined(slabs)), `rows ${from} to ${to}`).toEqual(rowsOf(sliceRows(whole, from, to)));
    }
  });
});

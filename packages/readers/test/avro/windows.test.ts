import { defaultLimits } from "@ingest-ts/core";
import { Dice } from "@ingest-ts/core/testing";
import { expect, test } from "vitest";
import { readBlocks } from "../../src/avro/blocks.ts";

const sync = Uint8Array.from({ length: 16 }, (_, i) => 200 + i);

function zigzag(value: number): number[] {
  const out: number[] = [];
  let left = value * 2;
  for (; left >= 128; left = Math.floor(left / 128)) out.push((left % 128) + 128);
  return [...out, left];
}

/** Blocks of the given sizes behind each other; byte k of block i is (i + k) & 255. */
function objectOf(sizes: readonly number[]): Uint8Array {
  const heads = sizes.map((size, i) => Uint8Array.from([...zigzag(i + 1), ...zigzag(size)]));
  const bytes = new Uint8Array(sizes.reduce((sum, size, i) => sum + size + 16 + (heads[i] as Uint8Array).length, 0));
  let at = 0;
  sizes.forEach((size, i) => {
    bytes.set(heads[i] as Uint8Array, at);
    at += (heads[i] as Uint8Array).length;
    for (let k = 0; k < size; k++) bytes[at + k] = (i + k) & 255;
    bytes.set(sync, at + size);
    at += size + 16;
  });
  return bytes;
}

function isBlock(data: Uint8Array, i: number): boolean {
  return data.every((byte, k) => byte === ((i + k) & 255));
}

test.each([
  { name: "small blocks", most: 60_000, count: 700 },
  { name: "blocks of which much is left at the end of a window", most: 5_000_000, count: 12 },
  { name: "blocks that are longer than a window", most: 11_000_000, count: 4 },
])("$name are read through windows whose memory is used again", ({ most, count }) => {
  const dice = new Dice(count);
  const sizes = Array.from({ length: count }, () => dice.below(most));
  const object = objectOf(sizes);
  let reused = 0;
  let fetched = 0;
  let i = 0;
  const blocks = readBlocks({ start: 0, end: object.length }, sync, defaultLimits);
  for (let step = blocks.next(); step.done !== true; ) {
    if ("need" in step.value) {
      const { need, into } = step.value;
      const answers = need.map(({ start, end }, k) => {
        const place = into?.[k];
        fetched += end - start;
        if (place === undefined) return object.slice(start, end);
        reused++;
        // What is not asked for again is gone.
        place.fill(0xee);
        place.set(object.subarray(start, end));
        return place.subarray(0, end - start);
      });
      step = blocks.next(answers);
      continue;
    }
    const { rows, data } = step.value;
    expect(rows).toBe(i + 1);
    expect(data.length).toBe(sizes[i]);
    expect(isBlock(data, i)).toBe(true);
    i++;
    step = blocks.next([]);
  }
  expect(i).toBe(count);
  expect(fetched).toBeLessThan(object.length * 1.25);
  if (most < 100_000) expect(reused).toBeGreaterThan(0);
});

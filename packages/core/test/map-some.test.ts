import { mapSome } from "@ingest-ts/core";
import { expect, test } from "vitest";

test("results come in order, with so many at once and no more", async () => {
  let [running, most] = [0, 0];
  const out = await mapSome([5, 1, 4, 2, 3, 0], 3, async (item, i) => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < item; turn++) await Promise.resolve();
    running--;
    return [item, i];
  });
  expect(out).toEqual([5, 1, 4, 2, 3, 0].map((item, i) => [item, i]));
  expect(most).toBe(3);
  expect(await mapSome([], 3, () => Promise.reject(new Error("never")))).toEqual([]);
});

test("the first failure is thrown when all that began have ended, and no other begins", async () => {
  const ended: number[] = [];
  const run = mapSome([0, 1, 2, 3, 4], 2, async (item) => {
    for (let turn = 0; turn < 5 * item; turn++) await Promise.resolve();
    ended.push(item);
    if (item === 0) throw new Error("no");
  });
  await expect(run).rejects.toThrow("no");
  expect(ended).toEqual([0, 1]);
});

import { concatRows, type Schema, sliceRows } from "@ingest-ts/core";
import { Dice, randomColumns, randomSchema } from "@ingest-ts/core/testing";
import { digestRows } from "@ingest-ts/loader/ledger";
import { expect, test } from "vitest";

test("the digest depends on rows, not on where they lie", () => {
  const dice = new Dice(5);
  for (let i = 0; i < 60; i++) {
    const schema: Schema = randomSchema(dice);
    const rows = randomColumns(dice, schema, 40);
    const part = sliceRows(rows, 11, 30);
    // Other offsets and buffers: the same rows behind others, and copied.
    const copy = sliceRows(concatRows([sliceRows(rows, 3, 11), part]), 8, 27);
    expect(digestRows(copy)).toBe(digestRows(part));
    expect(digestRows(rows, 11, 30)).toBe(digestRows(part));
    expect(digestRows(part)).not.toBe(digestRows(sliceRows(rows, 11, 29)));
  }
});

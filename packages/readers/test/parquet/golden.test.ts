import { describe, expect, test } from "vitest";
import { rowsOf } from "@ingest-ts/core/testing";
import { expectedOf, fixtureBytes, fixtures, joined, plainSchema, readBytes } from "./support.ts";

describe("files that pyarrow wrote", () => {
  test.each(fixtures)("$name", async ({ name, expected: file, rows }) => {
    const expected = expectedOf(file);
    const { schema, slabs } = await readBytes(fixtureBytes(name));
    expect(slabs.reduce((sum, slab) => sum + slab.rows, 0)).toBe(rows);
    expect(plainSchema(schema)).toEqual(plainSchema(expected.schema));
    if (rows > 0) expect(rowsOf(joined(slabs))).toEqual(rowsOf(expected.columns));
  });
});

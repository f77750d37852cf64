import { OptionsError } from "@ingest-ts/core";
import { rowsOf } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { expectedOf, fixtureBytes, joined, readBytes } from "./support.ts";

const bytes = fixtureBytes("nested-v1");
const whole = expectedOf("nested.expected.arrows");

function column(name: string): number {
  return whole.schema.fields.findIndex((field) => field.name === name);
}

describe("projection", () => {
  test("top-level columns come in the order asked for", async () => {
    const { schema, slabs } = await readBytes(bytes, { columns: [["map"], ["list_int"]] });
    expect(schema.fields.map((field) => field.name)).toEqual(["map", "list_int"]);
    const expected = rowsOf(whole.columns).map((row) => [row[column("map")], row[column("list_int")]]);
    expect(rowsOf(joined(slabs))).toEqual(expected);
  });

  test("reads the selected chunks only", async () => {
    const all = await readBytes(bytes);
    const some = await readBytes(bytes, { columns: [["list_int"]] });
    const sum = (requests: number[]): number => requests.reduce((total, each) => total + each, 0);
    expect(sum(some.requests)).toBeLessThan(sum(all.requests) / 10);
  });

  test("a leaf of a struct keeps its ancestors", async () => {
    const { schema, slabs } = await readBytes(bytes, {
      columns: [
        ["struct", "z", "deep"],
        ["struct", "x"],
      ],
    });
    expect(schema.fields).toHaveLength(1);
    expect(schema.fields[0]?.type).toMatchObject({ kind: "struct", children: [{ name: "x" }, { name: "z" }] });
    const expected = rowsOf(whole.columns).map((row) => {
      const struct = row[column("struct")] as unknown[] | null;
      return [struct === null ? null : [struct[0], struct[2]]];
    });
    expect(rowsOf(joined(slabs))).toEqual(expected);
  });

  test.each([[["list_struct", "element", "b"]], [["list_struct", "b"]]])("below a list: %j", async (path) => {
    const { slabs } = await readBytes(bytes, { columns: [path] });
    const expected = rowsOf(whole.columns).map((row) => {
      const list = row[column("list_struct")] as (unknown[] | null)[] | null;
      return [list === null ? null : list.map((item) => (item === null ? null : [item[1]]))];
    });
    expect(rowsOf(joined(slabs))).toEqual(expected);
  });

  test.each([
    [[["nothing"]], 'there is no column "nothing"'],
    [[["struct", "nothing"]], 'there is no column "nothing"'],
    [[["struct", "x", "y"]], "has no fields"],
    [[["map", "key"]], "is a map"],
  ])("%j is refused", async (columns, message) => {
    const refused = readBytes(bytes, { columns });
    await expect(refused).rejects.toThrow(OptionsError);
    await expect(refused).rejects.toThrow(message);
  });

  test("no columns at all still count rows", async () => {
    const { slabs } = await readBytes(bytes, { columns: [], batchRows: 50 });
    expect(slabs.map((slab) => slab.rows)).toEqual([50, 50, 20]);
  });
});

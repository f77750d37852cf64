import { expect, it } from "vitest";
import { projectColumns, projection } from "../src/project.ts";
import type { DataType, Schema } from "../src/schema.ts";
import { Dice, randomColumns, rowsOf } from "../src/testing/index.ts";

const int: DataType = { kind: "int", bits: 32, signed: true };
const pair: DataType = {
  kind: "struct",
  children: [
    { name: "x", type: int, nullable: true },
    { name: "y", type: { kind: "utf8" }, nullable: false },
    { name: "z", type: { kind: "bool" }, nullable: true },
  ],
};
const schema: Schema = {
  fields: [
    { name: "a", type: int, nullable: true },
    { name: "s", type: pair, nullable: true },
    { name: "l", type: { kind: "list", child: { name: "item", type: pair, nullable: true } }, nullable: true },
    { name: "b", type: { kind: "utf8" }, nullable: true },
  ],
  metadata: { k: "v" },
};

it("keeps the order of the first mention at the top, the schema's inside", () => {
  const { schema: kept } = projection(schema, [["b"], ["s", "z"], ["a"], ["s", "x"], ["l", "item", "y"], ["l", "x"]]);
  expect(kept.metadata).toEqual({ k: "v" });
  expect(kept.fields.map(({ name }) => name)).toEqual(["b", "s", "a", "l"]);
  expect(kept.fields[1]?.type).toMatchObject({ kind: "struct", children: [{ name: "x" }, { name: "z" }] });
  expect(kept.fields[3]?.type).toMatchObject({
    kind: "list",
    child: { type: { children: [{ name: "x" }, { name: "y" }] } },
  });
});

it("a whole column wins over a part of it", () => {
  expect(projection(schema, [["s", "x"], ["s"]]).schema.fields).toEqual([schema.fields[1]]);
  expect(projection(schema, [["l", "item"]]).schema.fields).toEqual([schema.fields[2]]);
  expect(projection(schema, []).schema.fields).toEqual([]);
});

it("columns follow the projected schema, values unchanged", () => {
  const columns = randomColumns(new Dice(3), schema, 50);
  const kept = projection(schema, [["l", "y"], ["s", "z"], ["a"]]);
  const projected = projectColumns(columns, kept);
  expect(projected.columns.map(({ type }) => type)).toEqual(kept.schema.fields.map(({ type }) => type));
  type List = readonly (readonly unknown[] | null)[] | null;
  const expected = rowsOf(columns).map(([a, s, l]) => [
    (l as List)?.map((item) => item && [item[1]]) ?? null,
    s && [(s as readonly unknown[])[2]],
    a,
  ]);
  expect(rowsOf(projected)).toEqual(expected);
});

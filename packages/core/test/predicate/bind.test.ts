import { expect, it } from "vitest";
import { bindPredicate, predicateColumns, resolveColumn } from "../../src/predicate/index.ts";
import type { Literal, Predicate } from "../../src/predicate/types.ts";
import type { DataType, Schema } from "../../src/schema.ts";

const int: DataType = { kind: "int", bits: 32, signed: true };
const point: DataType = { kind: "struct", children: [{ name: "x", type: int, nullable: true }] };
const schema: Schema = {
  fields: [
    { name: "i", type: int, nullable: true },
    { name: "a", type: { kind: "struct", children: [{ name: "b", type: int, nullable: true }] }, nullable: true },
    { name: "a.b", type: { kind: "utf8" }, nullable: true },
    { name: "twice", type: int, nullable: true },
    { name: "twice", type: int, nullable: true },
    { name: "points", type: { kind: "list", child: { name: "item", type: point, nullable: true } }, nullable: true },
    { name: "t", type: { kind: "timestamp", unit: "us", timezone: null }, nullable: true },
    { name: "v", type: { kind: "timestamp", unit: "us", timezone: "Europe/Vienna" }, nullable: true },
    { name: "d", type: { kind: "date", unit: "day" }, nullable: true },
    { name: "bool", type: { kind: "bool" }, nullable: true },
    { name: "bin", type: { kind: "binary" }, nullable: true },
  ],
  metadata: {},
};

it("an exact top-level name wins, then dots split; a list of names is exact", () => {
  expect(resolveColumn("a.b", schema).indices).toEqual([2]);
  expect(resolveColumn(["a", "b"], schema).indices).toEqual([1, 0]);
  expect(resolveColumn(["a.b"], schema).indices).toEqual([2]);
  expect(resolveColumn("points.x", schema, true).path).toEqual(["points", "x"]);
  expect(resolveColumn("points.item.x", schema, true).path).toEqual(["points", "item", "x"]);
});

it("refuses columns that are not there, or there twice, by name", () => {
  for (const path of ["nope", "i.x", "a.c", "points.x", "", "a.", "twice"] as const) {
    expect(() => resolveColumn(path, schema), path).toThrow(expect.objectContaining({ code: "INGEST_OPTIONS" }));
    expect(() => resolveColumn(path, schema), path).toThrow(`"${path}"`);
  }
});

const refused: readonly (readonly [string, Literal])[] = [
  ["i", "x"],
  ["i", true],
  ["i", ""],
  ["i", "1e99999"],
  ["a.b", 1],
  ["bool", 1],
  ["bool", "true"],
  ["bin", "not base64!"],
  ["d", "2001"],
  ["d", "2001-02-30"],
  ["d", "2001-1-3"],
  ["d", "2001-01-03T00:00Z"],
  ["t", "2001-01-03T00:00:00Z"],
  ["t", "25:00"],
  ["v", "2001-01-03T00:00:00"],
  ["points", 1],
  ["a", "x"],
];

it.each(refused)("refuses %s compared with %j, naming the column", (column, literal) => {
  const refusal = expect.objectContaining({ code: "INGEST_OPTIONS", where: { column } });
  expect(() => bindPredicate(["eq", column, literal], schema)).toThrow(refusal);
});

it("refuses trees of another shape", () => {
  const trees = [
    [],
    "x",
    null,
    ["eq", "i"],
    ["eq", "i", {}],
    ["in", "i", []],
    ["in", "i", 1],
    ["not"],
    ["like", "i", "x"],
  ];
  for (const tree of [...trees, ["eq", 5, 1], ["eq", [], 1], ["isNull", "i", 1]]) {
    expect(() => bindPredicate(tree as unknown as Predicate, schema), JSON.stringify(tree)).toThrow("not a condition");
  }
  let deep: Predicate = ["isNull", "i"];
  for (let i = 0; i < 1000; i++) deep = ["not", deep];
  expect(() => bindPredicate(deep, schema)).toThrow("nests deeper");
});

it("lists columns once, as they are written", () => {
  const predicate: Predicate = ["and", ["eq", "i", 1], ["not", ["or", ["isNull", ["a", "b"]], ["in", "i", [2]]]]];
  expect(predicateColumns(predicate)).toEqual(["i", ["a", "b"]]);
});

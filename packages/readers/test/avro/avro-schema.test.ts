import { defaultLimits, FormatError, UnsupportedError } from "@ingest-ts/core";
import { describe, expect, test } from "vitest";
import { parseSchema } from "../../src/avro/avro-schema.ts";
import type { AvroType } from "../../src/avro/spec.ts";
import { recordOf } from "./support.ts";

function parse(schema: unknown): AvroType {
  return parseSchema(JSON.stringify(schema), defaultLimits);
}

test("names: namespaces are inherited, full names found, references resolved", () => {
  const inner = { type: "enum", name: "E", symbols: ["A"] };
  const outside = { type: "fixed", name: "other.F", size: 3 };
  const parsed = parse({
    type: "record",
    name: "R",
    namespace: "a.b",
    fields: [
      { name: "e", type: inner },
      { name: "again", type: "E" },
      { name: "full", type: "a.b.E" },
      { name: "f", type: outside },
      { name: "f2", type: "other.F" },
      { name: "self", type: ["null", "R"] },
    ],
  });
  if (parsed.kind !== "record") throw new Error("no record");
  expect(parsed.name).toBe("a.b.R");
  const types = parsed.fields.map(({ type }) => type);
  expect(types[1]).toBe(types[0]);
  expect(types[2]).toBe(types[0]);
  expect(types[4]).toBe(types[3]);
  expect(types[5]).toMatchObject({ branches: [{ kind: "null" }, { kind: "recursive", name: "a.b.R" }] });
  expect(() => parse(recordOf({ f: outside, g: "F" }))).toThrow('no type "F"');
});

test.each([
  [{ type: "int", logicalType: "date" }, "date"],
  [{ type: "long", logicalType: "date" }, undefined],
  [{ type: "int", logicalType: "timestamp-millis" }, undefined],
  [{ type: "string", logicalType: "no such" }, undefined],
  [{ type: "bytes", logicalType: "decimal", precision: 76, scale: 76 }, "decimal"],
  [{ type: "bytes", logicalType: "decimal", precision: 77 }, undefined],
  [{ type: "bytes", logicalType: "decimal", precision: 3, scale: 4 }, undefined],
  [{ type: "bytes", logicalType: "decimal" }, undefined],
  [{ type: "fixed", name: "F", size: 4, logicalType: "decimal", precision: 9 }, "decimal"],
  [{ type: "fixed", name: "F", size: 4, logicalType: "decimal", precision: 10 }, undefined],
  [{ type: "fixed", name: "F", size: 12, logicalType: "duration" }, "duration"],
  [{ type: "fixed", name: "F", size: 11, logicalType: "duration" }, undefined],
  [{ type: "fixed", name: "F", size: 16, logicalType: "uuid" }, "uuid"],
])("%j is of logical type %s", (schema, kind) => {
  const type = parse(schema);
  expect("logical" in type ? type.logical?.kind : undefined).toBe(kind);
});

describe("refused", () => {
  test.each([
    [
      {
        type: "record",
        name: "R",
        fields: [
          { name: "a", type: "int" },
          { name: "a", type: "int" },
        ],
      },
      "twice",
    ],
    [
      [
        { type: "fixed", name: "F", size: 1 },
        { type: "enum", name: "F", symbols: [] },
      ],
      "defined twice",
    ],
    [[], "no types"],
    [["null", ["int"]], "directly inside"],
    [["null", { type: ["null", "boolean"] }], "directly inside"],
    [{ type: "fixed", name: "F", size: -1 }, "whole number"],
    [{ type: "fixed", size: 1 }, "name is not a string"],
    [{ type: "record", name: "R" }, "not a list"],
    [{ type: "array" }, "no type"],
    ["nothing", 'no type "nothing"'],
    [5, "no type"],
  ])("%j", (schema, message) => {
    expect(() => parse(schema)).toThrow(FormatError);
    expect(() => parse(schema)).toThrow(message);
  });

  test("what is not JSON, too deep or too wide", () => {
    expect(() => parseSchema("{", defaultLimits)).toThrow(FormatError);
    let deep: unknown = "int";
    for (let i = 0; i < 100; i++) deep = { type: "array", items: deep };
    expect(() => parse(deep)).toThrow(UnsupportedError);
    expect(() => parse(Array.from({ length: 129 }, () => "int"))).toThrow(UnsupportedError);
  });
});

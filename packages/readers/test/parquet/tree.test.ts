import { defaultLimits, FormatError, UnsupportedError } from "@ingest-ts/core";
import { describe, expect, test } from "vitest";
import { fieldOf, leavesOf } from "../../src/parquet/nodes.ts";
import {
  Converted,
  Logical,
  type LogicalType,
  Physical,
  Repetition,
  type SchemaElement,
} from "../../src/parquet/spec.ts";
import { buildTree } from "../../src/parquet/tree.ts";

const { REQUIRED, OPTIONAL, REPEATED } = Repetition;

const nothing: Omit<SchemaElement, "name"> = {
  type: undefined,
  typeLength: undefined,
  repetition: undefined,
  numChildren: undefined,
  converted: undefined,
  scale: undefined,
  precision: undefined,
  fieldId: undefined,
  logical: undefined,
};

function leaf(name: string, repetition: number, type: number, more: Partial<SchemaElement> = {}): SchemaElement[] {
  return [{ ...nothing, name, repetition, type, ...more }];
}

function group(
  name: string,
  repetition: number,
  annotation: Partial<SchemaElement>,
  ...children: SchemaElement[][]
): SchemaElement[] {
  return [{ ...nothing, name, repetition, numChildren: children.length, ...annotation }, ...children.flat()];
}

function tree(...children: SchemaElement[][]): ReturnType<typeof buildTree> {
  return buildTree([{ ...nothing, name: "schema", numChildren: children.length }, ...children.flat()], defaultLimits);
}

const LIST = { converted: Converted.LIST };
const MAP = { converted: Converted.MAP };
const keyValue = group(
  "key_value",
  REPEATED,
  {},
  leaf("key", REQUIRED, Physical.INT32),
  leaf("value", OPTIONAL, Physical.INT32),
);
const int = { kind: "int", bits: 32, signed: true };

/** The type as text: `list<int32!>` for a list of non-null integers. */
function typeText(...children: SchemaElement[][]): string {
  const show = (field: ReturnType<typeof fieldOf>): string => {
    const { type } = field;
    const mark = field.nullable ? "" : "!";
    if (type.kind === "list") return `list<${show(type.child)}>${mark}`;
    if (type.kind === "map") return `map<${show(type.child)}>${mark}`;
    if (type.kind === "struct")
      return `{${type.children.map((child) => `${child.name}: ${show(child)}`).join(", ")}}${mark}`;
    return `${type.kind}${mark}`;
  };
  return show(fieldOf(tree(...children)[0] as ReturnType<typeof buildTree>[number]));
}

describe("lists and maps, also as old writers wrote them (LogicalTypes)", () => {
  const item = leaf("element", OPTIONAL, Physical.INT32);
  test.each<[string, SchemaElement[], string]>([
    ["three levels", group("l", OPTIONAL, LIST, group("list", REPEATED, {}, item)), "list<int>"],
    [
      "three levels, required",
      group("l", REQUIRED, LIST, group("list", REPEATED, {}, leaf("e", REQUIRED, Physical.INT32))),
      "list<int!>!",
    ],
    [
      "logical type only",
      group("l", OPTIONAL, { logical: { id: Logical.LIST } }, group("list", REPEATED, {}, item)),
      "list<int>",
    ],
    [
      "two levels: a repeated value",
      group("l", OPTIONAL, LIST, leaf("element", REPEATED, Physical.INT32)),
      "list<int!>",
    ],
    [
      "two levels: a repeated group of two",
      group(
        "l",
        OPTIONAL,
        LIST,
        group("element", REPEATED, {}, leaf("a", REQUIRED, Physical.INT32), leaf("b", OPTIONAL, Physical.INT32)),
      ),
      "list<{a: int!, b: int}!>",
    ],
    [
      "a repeated group of one called array",
      group("l", OPTIONAL, LIST, group("array", REPEATED, {}, leaf("a", OPTIONAL, Physical.INT32))),
      "list<{a: int}!>",
    ],
    [
      "a repeated group of one called l_tuple",
      group("l", OPTIONAL, LIST, group("l_tuple", REPEATED, {}, leaf("a", OPTIONAL, Physical.INT32))),
      "list<{a: int}!>",
    ],
    [
      "a repeated group of one repeated field",
      group("l", OPTIONAL, LIST, group("list", REPEATED, {}, leaf("a", REPEATED, Physical.INT32))),
      "list<{a: list<int!>!}!>",
    ],
    [
      "a repeated group that is a list itself",
      group("l", OPTIONAL, LIST, group("array", REPEATED, LIST, leaf("array", REPEATED, Physical.INT32))),
      "list<list<int!>!>",
    ],
    [
      "a repeated group that is a map itself",
      group("l", OPTIONAL, LIST, group("array", REPEATED, MAP, keyValue)),
      "list<map<{key: int!, value: int}!>!>",
    ],
    ["a bare repeated value", leaf("l", REPEATED, Physical.INT32), "list<int!>!"],
    ["a bare repeated group", group("l", REPEATED, {}, leaf("a", OPTIONAL, Physical.INT32)), "list<{a: int}!>!"],
    ["a map", group("m", OPTIONAL, MAP, keyValue), "map<{key: int!, value: int}!>"],
    [
      "MAP_KEY_VALUE on the outer group",
      group(
        "m",
        OPTIONAL,
        { converted: Converted.MAP_KEY_VALUE },
        group("map", REPEATED, {}, leaf("key", REQUIRED, Physical.INT32), leaf("value", REQUIRED, Physical.INT32)),
      ),
      "map<{key: int!, value: int!}!>",
    ],
    [
      "MAP_KEY_VALUE on the inner group",
      group(
        "m",
        OPTIONAL,
        MAP,
        group(
          "map",
          REPEATED,
          { converted: Converted.MAP_KEY_VALUE },
          leaf("key", REQUIRED, Physical.INT32),
          leaf("value", REQUIRED, Physical.INT32),
        ),
      ),
      "map<{key: int!, value: int!}!>",
    ],
    [
      "optional keys",
      group(
        "m",
        OPTIONAL,
        MAP,
        group("map", REPEATED, {}, leaf("key", OPTIONAL, Physical.INT32), leaf("value", OPTIONAL, Physical.INT32)),
      ),
      "map<{key: int!, value: int}!>",
    ],
    [
      "a map without values",
      group("m", OPTIONAL, MAP, group("key_value", REPEATED, {}, leaf("key", REQUIRED, Physical.INT32))),
      "list<int!>",
    ],
  ])("%s", (_, element, text) => {
    expect(typeText(element)).toBe(text);
  });

  test("levels of a list of a struct of a list", () => {
    const inner = group("ys", OPTIONAL, LIST, group("list", REPEATED, {}, item));
    const [node] = tree(
      group("xs", OPTIONAL, LIST, group("list", REPEATED, {}, group("element", OPTIONAL, {}, inner))),
    );
    const [only] = leavesOf(node as Parameters<typeof leavesOf>[0]);
    expect(only?.leaf).toMatchObject({
      ordinal: 0,
      maxRepetition: 2,
      maxDefinition: 6,
      path: ["xs", "list", "element", "ys", "list", "element"],
    });
    expect(only?.slot).toEqual({ repetition: 2, definition: 5 });
  });
});

describe("types of leaves", () => {
  const typeOf = (type: number, more: Partial<SchemaElement>): unknown => {
    const [field] = tree(leaf("x", OPTIONAL, type, more)).map(fieldOf);
    return field?.type;
  };
  const logical = (id: number, more: Partial<LogicalType> = {}): Partial<SchemaElement> => ({
    logical: { id, ...more },
  });

  test.each<[string, number, Partial<SchemaElement>, unknown]>([
    ["bare INT32", Physical.INT32, {}, int],
    [
      "INT(8, unsigned)",
      Physical.INT32,
      logical(Logical.INTEGER, { bitWidth: 8, isSigned: false }),
      { kind: "int", bits: 8, signed: false },
    ],
    ["UINT_64", Physical.INT64, { converted: Converted.UINT_64 }, { kind: "int", bits: 64, signed: false }],
    ["INT96", Physical.INT96, {}, { kind: "timestamp", unit: "ns", timezone: null }],
    [
      "TIMESTAMP_MILLIS",
      Physical.INT64,
      { converted: Converted.TIMESTAMP_MILLIS },
      { kind: "timestamp", unit: "ms", timezone: "UTC" },
    ],
    [
      "TIMESTAMP(local, ns)",
      Physical.INT64,
      logical(Logical.TIMESTAMP, { unit: "ns", isAdjustedToUtc: false }),
      { kind: "timestamp", unit: "ns", timezone: null },
    ],
    [
      "DECIMAL(9, 2) on BYTE_ARRAY",
      Physical.BYTE_ARRAY,
      { converted: Converted.DECIMAL, precision: 9, scale: 2 },
      { kind: "decimal", bits: 128, precision: 9, scale: 2 },
    ],
    [
      "DECIMAL(40, 0)",
      Physical.BYTE_ARRAY,
      logical(Logical.DECIMAL, { precision: 40, scale: 0 }),
      { kind: "decimal", bits: 256, precision: 40, scale: 0 },
    ],
    ["JSON", Physical.BYTE_ARRAY, logical(Logical.JSON), { kind: "utf8" }],
    ["BSON", Physical.BYTE_ARRAY, logical(Logical.BSON), { kind: "binary" }],
    ["ENUM", Physical.BYTE_ARRAY, { converted: Converted.ENUM }, { kind: "binary" }],
    ["a type of the future", Physical.BYTE_ARRAY, logical(99), { kind: "binary" }],
    [
      "UUID",
      Physical.FIXED_LEN_BYTE_ARRAY,
      { typeLength: 16, ...logical(Logical.UUID) },
      { kind: "fixedSizeBinary", byteWidth: 16 },
    ],
    [
      "INTERVAL",
      Physical.FIXED_LEN_BYTE_ARRAY,
      { typeLength: 12, converted: Converted.INTERVAL },
      { kind: "fixedSizeBinary", byteWidth: 12 },
    ],
    [
      "FLOAT16",
      Physical.FIXED_LEN_BYTE_ARRAY,
      { typeLength: 2, ...logical(Logical.FLOAT16) },
      { kind: "float", bits: 16 },
    ],
    ["UNKNOWN", Physical.INT32, logical(Logical.UNKNOWN), { kind: "null" }],
  ])("%s", (_, type, more, expected) => {
    expect(typeOf(type, more)).toEqual(expected);
  });

  test.each<[string, number, Partial<SchemaElement>, new (...args: never[]) => Error]>([
    ["STRING on INT32", Physical.INT32, logical(Logical.STRING), FormatError],
    ["TIME(us) on INT32", Physical.INT32, logical(Logical.TIME, { unit: "us" }), FormatError],
    ["INT(12)", Physical.INT32, logical(Logical.INTEGER, { bitWidth: 12 }), FormatError],
    ["FLOAT16 of 3 bytes", Physical.FIXED_LEN_BYTE_ARRAY, { typeLength: 3, ...logical(Logical.FLOAT16) }, FormatError],
    [
      "a scale above the precision",
      Physical.INT32,
      { converted: Converted.DECIMAL, precision: 3, scale: 4 },
      FormatError,
    ],
    ["77 digits", Physical.BYTE_ARRAY, { converted: Converted.DECIMAL, precision: 77, scale: 0 }, UnsupportedError],
    ["a type of -7", -7, {}, FormatError],
    ["FIXED_LEN_BYTE_ARRAY of no bytes", Physical.FIXED_LEN_BYTE_ARRAY, { typeLength: 0 }, FormatError],
  ])("%s is refused with the column named", (_, type, more, kind) => {
    expect(() => typeOf(type, more)).toThrow(kind);
    expect(() => typeOf(type, more)).toThrow('column "x"');
  });
});

describe("trees that are none", () => {
  test("fewer or more elements than claimed", () => {
    const root = { ...nothing, name: "schema", numChildren: 2 };
    const [x] = leaf("x", OPTIONAL, Physical.INT32) as [SchemaElement];
    expect(() => buildTree([root, x], defaultLimits)).toThrow(FormatError);
    expect(() => buildTree([root, x, x, x], defaultLimits)).toThrow(FormatError);
  });

  test("deeper than the limit", () => {
    let element = leaf("x", OPTIONAL, Physical.INT32);
    for (let i = 0; i < 70; i++) element = group(`g${i}`, OPTIONAL, {}, element);
    expect(() => tree(element)).toThrow("limits.depth");
  });

  test.each([
    ["a LIST of two fields", group("l", OPTIONAL, LIST, leaf("a", REPEATED, 1), leaf("b", REPEATED, 1))],
    ["a LIST of an optional field", group("l", OPTIONAL, LIST, leaf("a", OPTIONAL, 1))],
    ["a MAP of a value", group("m", OPTIONAL, MAP, leaf("a", REPEATED, 1))],
    [
      "a MAP of three",
      group(
        "m",
        OPTIONAL,
        MAP,
        group("kv", REPEATED, {}, leaf("a", REQUIRED, 1), leaf("b", REQUIRED, 1), leaf("c", REQUIRED, 1)),
      ),
    ],
    ["a repetition of 9", leaf("x", 9, 1)],
  ])("%s", (_, element) => {
    expect(() => tree(element)).toThrow(FormatError);
  });
});

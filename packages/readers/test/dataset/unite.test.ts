import type { DataType, Field, Schema, TimeUnit } from "@ingest-ts/core";
import { describe, expect, it } from "vitest";
import { datasetSchema, uniteSchemas } from "../../src/dataset/unite.ts";
import { uniteField, uniteTypes } from "../../src/dataset/unite-types.ts";

const int = (bits: 8 | 16 | 32 | 64, signed = true): DataType => ({ kind: "int", bits, signed });
const float = (bits: 16 | 32 | 64): DataType => ({ kind: "float", bits });
const decimal = (precision: number, scale: number, bits: 128 | 256 = 128): DataType => ({
  kind: "decimal",
  bits,
  precision,
  scale,
});
const field = (name: string, type: DataType, nullable = true): Field => ({ name, type, nullable });
const schema = (...fields: Field[]): Schema => ({ fields, metadata: {} });
const text: DataType = { kind: "utf8" };
const stamp = (unit: TimeUnit, timezone: string | null = null): DataType => ({ kind: "timestamp", unit, timezone });

it("extension types: the same, or none where one file has none; never two", () => {
  const plain: Field = { name: "x", type: text, nullable: true };
  const as = (name: string): Field => ({ ...plain, metadata: { "ARROW:extension:name": name, note: "kept" } });
  expect(uniteField(as("arrow.json"), as("arrow.json"))).toEqual(as("arrow.json"));
  expect(uniteField(as("arrow.json"), as("other"))).toBeUndefined();
  expect(uniteField(as("arrow.json"), plain)).toEqual({ ...plain, metadata: { note: "kept" } });
  expect(uniteField(plain, as("arrow.json"))).toEqual(plain);
});

describe("uniteTypes", () => {
  it.each<[DataType, DataType, DataType | undefined]>([
    [int(32), int(64), int(64)],
    [int(8, false), int(8), int(16)],
    [int(32, false), int(32), int(64)],
    [int(64, false), int(8), undefined],
    [int(16, false), int(64, false), int(64, false)],
    [float(32), float(64), float(64)],
    [int(32), float(64), undefined],
    [int(32), text, undefined],
    [decimal(5, 2), decimal(7, 1), decimal(8, 2)],
    [decimal(38, 0), decimal(38, 10), decimal(48, 10, 256)],
    [decimal(76, 0, 256), decimal(76, 1, 256), undefined],
    [text, { kind: "binary" }, undefined],
    [{ kind: "date", unit: "day" }, { kind: "date", unit: "ms" }, undefined],
    [stamp("ms"), stamp("us"), stamp("us")],
    [stamp("ns", "UTC"), stamp("s", "UTC"), stamp("ns", "UTC")],
    [stamp("us", "UTC"), stamp("us", "Asia/Tokyo"), undefined],
    [stamp("ms"), stamp("ms", "UTC"), undefined],
    [{ kind: "fixedSizeBinary", byteWidth: 2 }, { kind: "fixedSizeBinary", byteWidth: 3 }, undefined],
    [
      { kind: "list", child: field("item", int(8)) },
      { kind: "list", child: field("element", int(16), false) },
      { kind: "list", child: field("item", int(16)) },
    ],
    [
      { kind: "struct", children: [field("x", int(8)), field("y", text, false)] },
      { kind: "struct", children: [field("z", text), field("x", int(64))] },
      { kind: "struct", children: [field("x", int(64)), field("y", text), field("z", text)] },
    ],
  ])("%j with %j", (a, b, united) => {
    expect(uniteTypes(a, b)).toEqual(united);
    if (a.kind !== "struct" && a.kind !== "list") expect(uniteTypes(b, a)).toEqual(united);
  });
});

describe("uniteSchemas", () => {
  const files = [
    { name: "a", schema: schema(field("x", int(32), false), field("s", text)) },
    { name: "b", schema: schema(field("n", text), field("x", int(64))) },
    { name: "c", schema: schema(field("x", int(32), false), field("s", text)) },
  ];

  it("keeps the first file's order, appends new columns, and tells of what differs", () => {
    const { schema: united, differences } = uniteSchemas(files);
    expect(united.fields).toEqual([field("x", int(64)), field("s", text), field("n", text)]);
    expect(differences).toEqual([
      { column: "x", kind: "type", type: int(32), united: int(64), files: ["a", "c"] },
      { column: "n", kind: "missing", type: undefined, united: text, files: ["a", "c"] },
      { column: "s", kind: "missing", type: undefined, united: text, files: ["b"] },
      { column: "n", kind: "order", type: undefined, united: undefined, files: ["b"] },
    ]);
  });

  it("strict refuses every difference, and lets equal schemas pass", () => {
    expect(() => uniteSchemas(files, { strict: true })).toThrow(/schemas differ.*in a \(b, column "x"\)/);
    const [first] = files;
    const others: [Schema, RegExp][] = [
      [schema(field("x", int(32)), field("s", text)), /column "x"/],
      [schema(field("s", text), field("x", int(32), false)), /another order/],
      [schema(field("x", int(32), false)), /no such column/],
      [schema(field("x", int(32), false), field("s", text), field("t", text)), /column "t"/],
    ];
    for (const [other, message] of others) {
      const both = [first as (typeof files)[0], { name: "z", schema: other }];
      expect(() => uniteSchemas(both, { strict: true })).toThrow(message);
      expect(uniteSchemas(both).schema.fields.length).toBeGreaterThan(1);
    }
    expect(uniteSchemas([files[0] as never, files[2] as never], { strict: true }).differences).toEqual([]);
  });

  it("names of list items are no difference, whether they may be null is", () => {
    const list = (name: string, nullable: boolean): Schema =>
      schema(field("l", { kind: "list", child: field(name, int(8), nullable) }));
    const of = (a: Schema, b: Schema) => [
      { name: "a", schema: a },
      { name: "b", schema: b },
    ];
    const same = of(list("item", true), list("element", true));
    expect(uniteSchemas(same, { strict: true })).toEqual({ schema: list("item", true), differences: [] });
    const other = of(list("item", true), list("item", false));
    expect(uniteSchemas(other).differences).toMatchObject([{ kind: "nullability", files: ["b"] }]);
    expect(() => uniteSchemas(other, { strict: true })).toThrow(/schemas differ/);
  });

  it("names both files, the column and both types of what cannot be united", () => {
    const other = { name: "d", schema: schema(field("x", text)) };
    expect(() => uniteSchemas([...files, other])).toThrow(/utf8.* here and .*int.*64.* in b: .*\(d, column "x"\)/);
  });

  it("refuses a folder of a column's name, and twins", () => {
    expect(() => datasetSchema(schema(field("x", text)), [field("x", text)], "f")).toThrow(/partition folder/);
    const twins = { name: "t", schema: schema(field("x", text), field("x", text)) };
    expect(uniteSchemas([twins]).schema.fields.length).toBe(2);
    expect(() => uniteSchemas([twins, files[0] as never])).toThrow(/two columns of one name.*t, column "x"/);
  });
});

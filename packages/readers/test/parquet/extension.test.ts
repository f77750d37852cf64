import { expect, test } from "vitest";
import { extensionOf } from "../../src/parquet/extension.ts";
import { Converted, Logical, type LogicalType, type SchemaElement } from "../../src/parquet/spec.ts";

const keyValues = { epsg: '{"id": {"code": 5070}}', odd: "not json" };

function metadataOf(logical: LogicalType | undefined, converted?: number): [name: unknown, metadata: unknown] {
  const { metadata } = extensionOf({ logical, converted } as SchemaElement, keyValues);
  return [metadata?.["ARROW:extension:name"], metadata?.["ARROW:extension:metadata"]];
}

test.each([
  [{ id: Logical.UUID }, "arrow.uuid", ""],
  [{ id: Logical.JSON }, "arrow.json", ""],
  [{ id: Logical.VARIANT }, "arrow.parquet.variant", ""],
  [{ id: Logical.STRING }, undefined, undefined],
  [{ id: 99 }, undefined, undefined],
])("%j is %s", (logical, name, metadata) => {
  expect(metadataOf(logical)).toEqual([name, metadata]);
});

test("old annotations count as those of today", () => {
  expect(metadataOf(undefined, Converted.JSON)).toEqual(["arrow.json", ""]);
  expect(metadataOf(undefined, Converted.UTF8)).toEqual([undefined, undefined]);
});

test.each([
  [undefined, { crs: "OGC:CRS84", crs_type: "authority_code" }],
  ["srid:5070", { crs: "5070", crs_type: "srid" }],
  ["projjson:epsg", { crs: { id: { code: 5070 } }, crs_type: "projjson" }],
  ["projjson:odd", { crs: "not json" }],
  ["projjson:none", { crs: "projjson:none" }],
  ["projjson:__proto__", { crs: "projjson:__proto__" }],
  ["EPSG:4326", { crs: "EPSG:4326" }],
])("the reference system %s", (crs, expected) => {
  const [name, metadata] = metadataOf({ id: Logical.GEOMETRY, crs });
  expect(name).toBe("geoarrow.wkb");
  expect(JSON.parse(metadata as string)).toEqual(expected);
  const [, geography] = metadataOf({ id: Logical.GEOGRAPHY, crs, algorithm: 4 });
  expect(JSON.parse(geography as string)).toEqual({ ...expected, edges: "karney" });
});

test("geographies are spherical unless they say otherwise", () => {
  const edges = (algorithm?: number): unknown =>
    JSON.parse(metadataOf({ id: Logical.GEOGRAPHY, algorithm })[1] as string).edges;
  expect([edges(), edges(0), edges(1), edges(9)]).toEqual(["spherical", "spherical", "vincenty", "algorithm 9"]);
});

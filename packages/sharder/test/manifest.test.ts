import { buildManifest, type ManifestObject, relativeNames } from "@ingest-ts/sharder";
import { expect, test } from "vitest";

function object(name: string, ...fragmentRows: number[]): ManifestObject {
  return { name, sizeBytes: 10, digest: "d", fragmentRows };
}

test("objects stand in byte order of their names", () => {
  const names = ["b", "a/2", "a/10", "a", "\u{1F600}", "\uFFFD", "é"];
  expect(buildManifest(names.map((name) => object(name, 1))).objects.map((o) => o.name)).toEqual([
    "a",
    "a/10",
    "a/2",
    "b",
    "é",
    "\uFFFD",
    "\u{1F600}",
  ]);
});

test("segments hold the objects of one key, where the first of them stands", () => {
  const objects = [object("d=2/b", 3), object("d=1/a", 1, 2), object("d=2/a", 4)];
  const manifest = buildManifest(objects, (name) => name.split("/")[0] as string);
  expect(manifest.rows).toBe(10);
  expect(manifest.segments.map(({ key, start, rows }) => ({ key, start, rows }))).toEqual([
    { key: "d=1", start: 0, rows: 3 },
    { key: "d=2", start: 3, rows: 7 },
  ]);
  expect(manifest.segments[1]?.fragments).toEqual([
    { object: 1, ordinal: 0, rows: 4 },
    { object: 2, ordinal: 0, rows: 3 },
  ]);
  expect(buildManifest(objects, "object").segments).toHaveLength(3);
  expect(buildManifest(objects).segments).toHaveLength(1);
});

test("a name cannot occur twice; a key must be a string", () => {
  expect(() => buildManifest([object("a", 1), object("a", 1)])).toThrow(/"a" is in the data set twice/);
  expect(() => buildManifest([object("a", 1)], () => 1 as unknown as string)).toThrow(/segmentBy gave 1 for "a"/);
});

test("relative names drop the folders that all share", () => {
  expect(relativeNames(["/data/x/a.parquet", "/data/x/b/c.parquet"])).toEqual(["a.parquet", "b/c.parquet"]);
  expect(relativeNames(["s3://bucket/key/a.parquet"])).toEqual(["a.parquet"]);
  expect(relativeNames(["/d/ab/x", "/d/ac/x"])).toEqual(["ab/x", "ac/x"]);
  expect(relativeNames(["C:\\d\\a", "C:\\d\\b"])).toEqual(["a", "b"]);
  expect(relativeNames([])).toEqual([]);
});

// What the command line says of how files are read: a reader's schema of Avro, Parquet's timestamps.
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "./lib/tree.ts";

const main = join(root, "packages", "cli", "dist", "main.js");
const parquet = (name: string): string => join(root, "test", "fixtures", "parquet", `${name}.parquet`);
const avro = join(root, "test", "fixtures", "avro", "flat-null.avro");

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "ingest schemas "))));
afterAll(() => rm(folder, { recursive: true, force: true }));

function ingest(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

test("--schema of Avro: other names, wider types, exact defaults", async () => {
  const path = join(folder, "reader.avsc");
  const schema = `{"type": "record", "name": "Row", "fields": [
    {"name": "number", "aliases": ["i"], "type": ["null", "double"]},
    {"name": "new", "type": "long", "default": 9223372036854775807}]}`;
  await writeFile(path, schema);
  const { status, stdout, stderr } = ingest("cat", avro, "--schema", path, "--limit", "3");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line).toMatch(/^\{"number":(null|-?[\d.]+),"new":"?9223372036854775807"?\}$/);
  await writeFile(path, '"long"');
  expect(ingest("cat", avro, "--schema", path).status).toBe(2);
});

test("--schema of a format that carries its own is refused", async () => {
  const path = join(folder, "any.json");
  await writeFile(path, "{}");
  const { status, stderr } = ingest("cat", parquet("spark.micros"), "--schema", path);
  expect(status).toBe(2);
  expect(stderr).toContain("this is parquet");
});

test("--timestamp-unit and --int96", () => {
  const file = parquet("spark.int96");
  const failed = ingest("cat", file);
  expect(failed.status).toBe(3);
  expect(failed.stderr).toMatch(/row 0: an INT96 timestamp does not fit nanoseconds .*--timestamp-unit us/);
  const read = (name: string): string => {
    const { status, stdout, stderr } = ingest("cat", parquet(name), "--timestamp-unit", "us", "--int96", "utc");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout;
  };
  const micros = read("spark.micros");
  expect(micros).toContain("9999-03-04T05:06:07.891");
  expect(read("spark.int96")).toBe(micros);
  expect(read("spark.millis")).toBe(micros);
  const mixed = ingest("cat", parquet("spark.micros"), parquet("spark-near.int96"));
  expect(mixed.status).toBe(2);
  expect(mixed.stderr).toContain("--int96 utc");
  expect(ingest("cat", file, "--timestamp-unit", "ms").status).toBe(2);
});

// Runs that stop and go on in another process with another number of ranks. test/resume-flights.mjs does the same on three
// million rows with 50 stops (.ci/run).
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Schema } from "@ingest-ts/core";
import { Dice, randomColumns } from "@ingest-ts/core/testing";
import { fileSink } from "@ingest-ts/storage";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkResume, seededStops } from "./lib/resume.mjs";

const built = existsSync(new URL("../packages/loader/dist/index.js", import.meta.url));
const unbuilt = built ? "" : " (skipped: packages are not built, run npm run build)";
const flights = fileURLToPath(
  new URL("../packages/cli/node_modules/vega-datasets/data/flights-3m.parquet", import.meta.url),
);
const worldSizes = [1, 2, 4, 8];

const schema: Schema = {
  fields: [
    { name: "number", type: { kind: "int", bits: 64, signed: true }, nullable: false },
    { name: "text", type: { kind: "utf8" }, nullable: true },
    { name: "real", type: { kind: "float", bits: 32 }, nullable: false },
  ],
  metadata: {},
};

let folder = "";
const files: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest-resume-test-"));
  const dice = new Dice(11);
  for (const [name, groups] of [
    ["b/2", 3],
    ["b/10", 1],
    ["a", 4],
  ] as const) {
    const file = join(folder, `${name.replace("/", "-")}.parquet`);
    const writer = await createParquetWriter(await fileSink(file), schema, { rowGroupRows: 700 });
    for (let g = 0; g < groups; g++) await writer.write(randomColumns(dice, schema, 700 + dice.below(500)));
    await writer.finish();
    files.push(file);
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test.skipIf(!built).each([
  ["shuffled", { shuffle: { lanes: 8, windowRows: 200 }, seed: 42 }],
  ["in segments", { shuffle: { lanes: 8, windowRows: 200, segmentBy: "object" }, seed: 7 }],
])(`fifty stops in several files, ${unbuilt}%s: every world's union is the unbroken run`, async (_, options) => {
  const { failures, checked, rows } = await checkResume({
    source: files,
    options,
    batchSize: 32,
    stops: seededStops(50, 200, 3),
    worldSizes,
    perProcess: 25,
  });
  expect(failures).toEqual([]);
  expect(checked).toBe(50 * worldSizes.length);
  expect(rows).toBeGreaterThan(6_400);
});

const absent = existsSync(flights) ? unbuilt : " (skipped: the optional package vega-datasets is not installed)";
test.skipIf(absent !== "")(`three million flights, one stop${absent}`, async () => {
  const { failures, rows } = await checkResume({
    source: flights,
    options: { shuffle: { lanes: 8 }, seed: 42 },
    batchSize: 1_000,
    stops: seededStops(1, 3_000, 5),
    worldSizes,
  });
  expect(failures).toEqual([]);
  expect(rows).toBe(3_000_000);
});

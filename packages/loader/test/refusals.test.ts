import { isIngestError, type StateDict } from "@ingest-ts/core";
import { load, type LoadOptions } from "@ingest-ts/loader";
import { expect, test } from "vitest";
import { MemoryReader } from "./memory-reader.ts";

const world = { rank: 0, worldSize: 1 };
const source = (): MemoryReader => new MemoryReader({ fragmentRows: [100] });

async function errorOf(body: () => unknown): Promise<unknown> {
  try {
    await body();
  } catch (error) {
    return error;
  }
  return undefined;
}

test.each<[string, Partial<LoadOptions>, RegExp]>([
  ["no batch size", { batchSize: 0 }, /batchSize is 0/],
  ["half a seed", { seed: 0.5 }, /seed is 0.5/],
  ["a negative seed", { seed: -1 }, /seed is -1/],
  ["no epochs", { epochs: 0 }, /epochs is 0/],
  ["unknown ends", { ends: "wrap" as never }, /ends is "wrap"/],
  ["shuffle: true", { shuffle: true as never }, /shuffle is true/],
  ["no window", { shuffle: { windowRows: 0 } }, /windowRows is 0/],
  ["no lanes", { shuffle: { lanes: 0 } }, /lanes 0/],
  [
    "a world that cannot share the lanes",
    { world: { rank: 0, worldSize: 3 }, shuffle: { lanes: 8 } },
    /Use 2 or 4 ranks/,
  ],
  ["a rank outside of the world", { world: { rank: 2, worldSize: 2 } }, /world.rank 2/],
  ["nothing to read", { source: [] }, /source names no object/],
  ["an unknown column in where", { where: ["eq", "missing", 1] }, /no column "missing"/],
  ["a bad where", { where: "id <" }, /./],
  ["columns of a reader that is open", { columns: ["id"] }, /decided when a reader is opened/],
  ["more memory than allowed", { memoryBytes: 1_000 }, /memoryBytes is 1 MiB: 8 of 8 lanes/],
  ["the same object twice", { source: [source(), source()] }, /"memory.parquet" is in the data set twice/],
])("options: %s", async (_, options, message) => {
  const error = await errorOf(() => load({ source: source(), batchSize: 10, world, ...options }));
  expect(isIngestError(error, "INGEST_OPTIONS"), String(error)).toBe(true);
  expect((error as Error).message).toMatch(message);
});

async function stateAfterOne(options: Partial<LoadOptions> = {}): Promise<StateDict> {
  const loader = await load({ source: source(), batchSize: 10, world, seed: 5, ...options });
  const { value } = await loader.next();
  await loader.close();
  return value?.state as StateDict;
}

test("golden: a state", async () => {
  const state = await stateAfterOne({ where: ["lt", "id", 50] });
  expect(JSON.stringify(state)).toBe(
    '{"orderVersion":1,"fingerprint":{"segments":1,"rows":100,"digest":"376b322e8c1febf1e1ce8fd15d88a86e"},"seed":5,"epoch":0,"position":10,"lanes":8,"windowRows":16384,"ends":"uneven","where":"ec620ab3d557546cdd39ecac4961167d"}',
  );
});

test.each<[string, Partial<LoadOptions>, RegExp]>([
  ["another seed", { seed: 6 }, /the state has seed 5, these options seed 6/],
  ["other lanes", { shuffle: { lanes: 4 } }, /lanes 8, these options lanes 4/],
  ["another window", { shuffle: { windowRows: 10 } }, /windowRows 16384, these options windowRows 10/],
  ["no shuffling", { shuffle: false }, /windowRows 16384, these options shuffle: false/],
  ["other ends", { ends: "pad" }, /ends uneven, these options ends pad/],
  ["a where", { where: ["eq", "id", 1] }, /no where, these options a where of digest/],
  ["other data", { source: new MemoryReader({ fragmentRows: [100], firstId: 1 }) }, /names, sizes or contents differ/],
  ["more rows", { source: new MemoryReader({ fragmentRows: [101] }) }, /had 100 rows in 1 segments, this has 101/],
])("a state does not fit %s", async (_, options, message) => {
  const state = await stateAfterOne();
  const loader = await load({ source: source(), batchSize: 10, world, ...options });
  const error = await errorOf(() => loader.loadStateDict(state));
  expect(isIngestError(error, "INGEST_STATE"), String(error)).toBe(true);
  expect((error as Error).message).toMatch(message);
  await loader.close();
});

test("a state of eight lanes cannot go on with three ranks", async () => {
  const state = await stateAfterOne();
  const loader = await load({ source: source(), batchSize: 10, world: { rank: 0, worldSize: 3 } });
  expect(() => loader.loadStateDict(state)).toThrow(/3 ranks cannot share 8 lanes.*Use 2 or 4 ranks/s);
});

test("a state comes before the first batch", async () => {
  const state = await stateAfterOne();
  const loader = await load({ source: source(), batchSize: 10, world });
  await loader.next();
  expect(() => loader.loadStateDict(state)).toThrow(/once batches were asked for/);
});

test("what was not given is the state's", async () => {
  const state = await stateAfterOne({ shuffle: { lanes: 2, windowRows: 8 }, ends: "pad" });
  const loader = await load({ source: source(), batchSize: 10, world });
  loader.loadStateDict(state);
  expect(loader.plan).toMatchObject({ seed: 5, lanes: 2, windowRows: 8, ends: "pad" });
  expect(loader.schema.fields.at(-1)?.name).toBe("ingest_valid");
  expect(loader.stateDict()).toEqual(state);
});

test("objects of different columns are refused by name", async () => {
  const other = new MemoryReader({ name: "other", fragmentRows: [1] });
  const schema = { ...other.schema, fields: other.schema.fields.slice(0, 1) };
  const error = await errorOf(() =>
    load({ source: [source(), Object.assign(other, { schema })], batchSize: 1, world }),
  );
  expect((error as Error).message).toMatch(/different columns: column 1 is no column.*"name"/);
});

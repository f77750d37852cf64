import { isIngestError, type StateDict } from "@ingest-ts/core";
import {
  buildManifest,
  checkFingerprint,
  fingerprintOf,
  type ManifestObject,
  type OrderState,
  parseStateDict,
  toStateDict,
} from "@ingest-ts/sharder";
import { expect, test } from "vitest";

const objects: ManifestObject[] = [
  { name: "day=1/a.parquet", sizeBytes: 1_000, digest: "aa", fragmentRows: [10, 20] },
  { name: "day=2/a.parquet", sizeBytes: 2_000, digest: "bb", fragmentRows: [30] },
];
const manifest = buildManifest(objects, "object");
const state: OrderState = {
  fingerprint: fingerprintOf(manifest),
  seed: 42,
  epoch: 1,
  position: 17,
  lanes: 8,
  windowRows: 16_384,
  ends: "uneven",
  where: null,
};

test("golden: the state's form never changes", () => {
  expect(JSON.stringify(toStateDict(state))).toBe(
    '{"orderVersion":1,"fingerprint":{"segments":2,"rows":60,"digest":"b8810fe1d1b786b4fbfdb733ac9aed06"},"seed":42,"epoch":1,"position":17,"lanes":8,"windowRows":16384,"ends":"uneven","where":null}',
  );
  expect(parseStateDict(JSON.parse(JSON.stringify(toStateDict(state))) as StateDict)).toEqual(state);
});

test.each<[string, StateDict, RegExp]>([
  ["a later order", { ...toStateDict(state), orderVersion: 2 }, /orderVersion 2/],
  ["no order version", { ...toStateDict(state), orderVersion: "1" }, /orderVersion is "1"/],
  ["a fractional position", { ...toStateDict(state), position: 1.5 }, /position is 1.5/],
  ["a negative epoch", { ...toStateDict(state), epoch: -1 }, /epoch is -1/],
  ["no lanes", { ...toStateDict(state), lanes: 0 }, /lanes is 0/],
  ["unknown ends", { ...toStateDict(state), ends: "wrap" }, /ends is "wrap"/],
  ["no fingerprint", { ...toStateDict(state), fingerprint: null }, /no fingerprint/],
  ["a where that is a tree", { ...toStateDict(state), where: ["eq", "a", 1] }, /where is \["eq"/],
  ["nothing", null as unknown as StateDict, /not an object/],
])("%s is refused", (_, bad, message) => {
  let thrown: unknown;
  try {
    parseStateDict(bad);
  } catch (error) {
    thrown = error;
  }
  expect(isIngestError(thrown, "INGEST_STATE")).toBe(true);
  expect((thrown as Error).message).toMatch(message);
});

test("the data may grow by segments; any other change is refused", () => {
  expect(() => checkFingerprint(state, manifest)).not.toThrow();
  const third = { name: "day=3/a.parquet", sizeBytes: 5, digest: "cc", fragmentRows: [1] };
  expect(() => checkFingerprint(state, buildManifest([...objects, third], "object"))).not.toThrow();
  const earlier = { ...third, name: "day=0/a.parquet" };
  expect(() => checkFingerprint(state, buildManifest([...objects, earlier], "object"))).toThrow(
    /60 rows.* this has 31/,
  );
  expect(() => checkFingerprint(state, buildManifest(objects.slice(0, 1), "object"))).toThrow(/2 segments, this has 1/);
  expect(() => checkFingerprint(state, buildManifest(objects))).toThrow(/2 segments, this has 1/);
  const [first, second] = objects as [ManifestObject, ManifestObject];
  for (const change of [
    { name: "day=2/b.parquet" },
    { sizeBytes: 2_001 },
    { digest: "bc" },
    { fragmentRows: [29, 1] },
  ]) {
    const changed = buildManifest([first, { ...second, ...change }], "object");
    expect(() => checkFingerprint(state, changed)).toThrow(/names, sizes or contents differ/);
  }
  expect(() => checkFingerprint({ ...state, position: 61 }, manifest)).toThrow(/position 61 is past the 60 rows/);
});

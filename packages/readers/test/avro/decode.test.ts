import { isIngestError } from "@ingest-ts/core";
import { describe, expect, test } from "vitest";
import { container, long, readAll, recordOf, string } from "./support.ts";

const items = { type: "array", items: "long" };
const node = { type: "record", name: "Node", fields: [{ name: "next", type: ["null", "Node"] }] };

async function codeOf(bytes: Uint8Array): Promise<string> {
  try {
    await readAll(bytes);
  } catch (error) {
    if (isIngestError(error)) return error.code;
    throw error;
  }
  return "read";
}

test("arrays in blocks with and without sizes, read or passed", async () => {
  const sized = [...long(-2), ...long(2), ...long(1), ...long(2)];
  const data = [...sized, ...long(1), ...long(3), 0, ...string("x")];
  const bytes = container(recordOf({ a: items, b: "string" }), [{ rows: 1, data }], { sized: true });
  const numbers = ["0100000000000000", "0200000000000000", "0300000000000000"];
  expect(await readAll(bytes)).toEqual([[numbers, "78"]]);
  expect(await readAll(bytes, { columns: [["b"]] })).toEqual([["78"]]);
  expect(await readAll(bytes, { columns: [] })).toEqual([[]]);
});

test("recursive columns are refused by name, others are read past them", async () => {
  const data = [2, 2, 0, ...string("x")];
  const bytes = container(recordOf({ list: node, b: "string" }), [{ rows: 1, data }]);
  await expect(readAll(bytes)).rejects.toThrow("recursive");
  expect(await readAll(bytes, { columns: [["b"]] })).toEqual([["78"]]);
  expect(await readAll(bytes, { columns: ["b"], where: ["isNull", ["b"]] })).toEqual([]);
  await expect(readAll(bytes, { columns: ["list"] })).rejects.toThrow("recursive");
  await expect(readAll(bytes, { columns: ["b", "c"] })).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
  const deep = container(recordOf({ list: node, b: "string" }), [
    { rows: 1, data: [...new Array<number>(5000).fill(2), 0, ...string("x")] },
  ]);
  await expect(readAll(deep, { columns: [["b"]] })).rejects.toThrow("nested deeper");
});

test("items without bytes are bounded, also those that are passed", async () => {
  const data = [...long(2_000_000), 0];
  const bytes = container(recordOf({ a: { type: "array", items: "null" } }), [{ rows: 1, data }]);
  for (const columns of [undefined, []])
    await expect(readAll(bytes, columns === undefined ? {} : { columns })).rejects.toThrow("limits.zeroLengthItems");
  expect(await codeOf(container("null", [{ rows: 2_000_000, data: [] }]))).toBe("INGEST_UNSUPPORTED");
});

describe("wrong files", () => {
  const good = container(recordOf({ a: "long" }), [{ rows: 2, data: [2, 4] }]);
  const changed = (at: number): Uint8Array => good.with(at, (good[at] as number) ^ 1);
  test.each([
    ["magic", changed(0), "INGEST_FORMAT"],
    ["sync marker", changed(good.length - 1), "INGEST_FORMAT"],
    ["cut", good.subarray(0, -1), "INGEST_FORMAT"],
    ["unknown codec", container("int", [], { codec: "lzo" }), "INGEST_UNSUPPORTED"],
    ["bytes behind the rows", container(recordOf({ a: "long" }), [{ rows: 1, data: [2, 4] }]), "INGEST_FORMAT"],
    ["rows without bytes", container(recordOf({ a: "long" }), [{ rows: 3, data: [2, 4] }]), "INGEST_FORMAT"],
    ["negative rows", container(recordOf({ a: "long" }), [{ rows: -1, data: [2] }]), "INGEST_FORMAT"],
    ["no deflate data", container("int", [{ rows: 1, data: [255, 1] }], { codec: "deflate" }), "INGEST_FORMAT"],
    ["whole", good, "read"],
  ])("%s", async (_, bytes, code) => {
    expect(await codeOf(bytes)).toBe(code);
  });
});

// Schema resolution through `open`, rule by rule ("Schema Resolution").
import { isIngestError } from "@ingest-ts/core";
import { memorySource } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { open } from "../../src/open.ts";
import { container, long, readAll, recordOf, string } from "./support.ts";

/** The values of one row of column `x`, read as another type. */
async function resolved(writer: unknown, data: readonly number[], reader: unknown): Promise<unknown> {
  const bytes = container(recordOf({ x: writer }), [{ rows: 1, data }]);
  const [[value]] = (await readAll(bytes, { schema: recordOf({ x: reader }) })) as [[unknown]];
  return value;
}

async function refusal(writer: unknown, data: readonly number[], reader: unknown): Promise<string> {
  try {
    await resolved(writer, data, reader);
  } catch (error) {
    if (isIngestError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error("it was read");
}

const float32 = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];
const hex = (bytes: ArrayLike<number>): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const f32 = (value: number): string => hex(new Uint8Array(Float32Array.of(value).buffer));
const f64 = (value: number): string => hex(new Uint8Array(Float64Array.of(value).buffer));
const i64 = (value: bigint): string => hex(new Uint8Array(BigInt64Array.of(value).buffer));

describe("promotions", () => {
  test.each([
    ["int", long(-7), "long", i64(-7n)],
    ["int", long(-7), "float", f32(-7)],
    ["int", long(2 ** 31 - 1), "double", f64(2 ** 31 - 1)],
    ["long", long(2n ** 62n), "float", f32(2 ** 62)],
    ["long", long(2n ** 53n - 1n), "double", f64(2 ** 53 - 1)],
    ["float", float32(1.1), "double", f64(Math.fround(1.1))],
    ["string", string("é"), "bytes", "c3a9"],
    ["bytes", [2, 65], "string", "41"],
  ])("%s %j as %s", async (writer, data, reader, expected) => {
    expect(await resolved(writer, data, reader)).toBe(expected);
    expect(await resolved(["null", writer], [2, ...data], ["null", reader])).toBe(expected);
  });

  test.each([
    ["long", "int"],
    ["double", "float"],
    ["float", "long"],
    ["string", "int"],
    ["boolean", "int"],
    [
      { type: "array", items: "long" },
      { type: "array", items: "int" },
    ],
    [
      { type: "map", values: "string" },
      { type: "map", values: "boolean" },
    ],
  ])("%j is no %j", async (writer, reader) => {
    expect(await refusal(writer, [0], reader)).toContain("INGEST_OPTIONS");
  });

  test("bytes that are no text cannot be read as a string", async () => {
    expect(await refusal("bytes", [2, 0xff], "string")).toContain("INGEST_FORMAT a string is not UTF-8");
  });
});

describe("records", () => {
  const writer = recordOf({ a: "int", b: "string", c: "long" });
  const bytes = container(writer, [{ rows: 1, data: [2, ...string("x"), ...long(2n ** 60n)] }]);
  const read = async (fields: unknown, extra: object = {}): Promise<unknown> => {
    const [row] = await readAll(bytes, { schema: { type: "record", name: "Row", fields, ...extra } });
    return row;
  };

  test("fields go by name in the reader's order; those it has not are passed", async () => {
    expect(
      await read([
        { name: "c", type: "long" },
        { name: "a", type: "long" },
      ]),
    ).toEqual([i64(2n ** 60n), i64(1n)]);
  });

  test("aliases name the writer's fields, and the record itself", async () => {
    expect(await read([{ name: "z", type: "string", aliases: ["y", "b"] }])).toEqual(["78"]);
    expect(await read([{ name: "b", type: "string" }], { name: "New", aliases: ["old.Row"] })).toEqual(["78"]);
    await expect(read([{ name: "b", type: "string" }], { name: "New" })).rejects.toMatchObject({
      code: "INGEST_OPTIONS",
    });
  });

  test("defaults of every type stand for fields that the data have not", async () => {
    const text = `{"type":"record","name":"Row","fields":[
      {"name":"l","type":"long","default":-9223372036854775808},
      {"name":"n","type":["null","int"],"default":null},
      {"name":"u","type":["int","null"],"default":7},
      {"name":"s","type":"string","default":"né"},
      {"name":"y","type":"bytes","default":"\\u00ff\\u0000"},
      {"name":"q","type":{"type":"array","items":"int"},"default":[1,2]},
      {"name":"m","type":{"type":"map","values":"double"},"default":{"k":0.5}},
      {"name":"e","type":{"type":"enum","name":"E","symbols":["P","Q"]},"default":"Q"},
      {"name":"f","type":{"type":"fixed","name":"F","size":2},"default":"\\u0001\\u00fe"},
      {"name":"r","type":{"type":"record","name":"S","fields":[{"name":"v","type":"boolean","default":true}]},"default":{}},
      {"name":"a","type":"int"}]}`;
    const [row] = await readAll(bytes, { schema: text });
    expect(row).toEqual([
      i64(-(2n ** 63n)),
      null,
      "07000000",
      "6ec3a9",
      "ff00",
      ["01000000", "02000000"],
      [["6b", f64(0.5)]],
      "51",
      "01fe",
      [true],
      "01000000",
    ]);
  });

  test("a field without default that the data have not is refused before any row, and so is a wrong default", async () => {
    await expect(read([{ name: "new", type: "int" }])).rejects.toMatchObject({
      code: "INGEST_OPTIONS",
      where: { column: "new" },
    });
    await expect(read([{ name: "new", type: "int", default: "x" }])).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    await expect(read([{ name: "new", type: "int", default: 2 ** 31 }])).rejects.toThrow("does not fit 32 bits");
  });
});

describe("enums", () => {
  const writer = { type: "enum", name: "E", symbols: ["A", "B", "C"] };
  const reader = (symbols: string[], fallback?: string): unknown => ({ ...writer, symbols, default: fallback });

  test("symbols go by name; unknown ones are the default or an error where they occur", async () => {
    expect(await resolved(writer, long(2), reader(["C", "A"]))).toBe("43");
    expect(await resolved(writer, long(1), reader(["C", "A"], "A"))).toBe("41");
    expect(await refusal(writer, long(1), reader(["C", "A"]))).toMatch(/INGEST_FORMAT symbol 1 of an enum is none/);
    expect(await resolved(writer, long(0), reader(["C", "A"]))).toBe("41");
  });

  test("another name is another type", async () => {
    expect(await refusal(writer, [0], { ...writer, name: "D" })).toContain("INGEST_OPTIONS");
    expect(await resolved(writer, [0], { ...writer, name: "D", aliases: ["E"] })).toBe("41");
    expect(await resolved(writer, [0], { ...writer, namespace: "n" })).toBe("41");
  });
});

describe("unions: decided for each datum by the branch that is there", () => {
  test("the reader's branches may stand in another order, and be wider", async () => {
    expect(await resolved(["null", "string"], [2, ...string("a")], ["string", "null"])).toBe("61");
    expect(await resolved(["null", "string"], [0], ["string", "null"])).toBeNull();
    expect(await resolved(["int", "string"], [0, 4], ["string", "long", "null"])).toEqual(["1", i64(2n)]);
    // The same type goes before a wider one that stands first.
    expect(await resolved(["int", "string"], [0, 4], ["double", "string", "int"])).toEqual(["2", "02000000"]);
  });

  test("a union read as one type, and one type as a union", async () => {
    expect(await resolved(["null", "int"], [2, 4], "long")).toBe(i64(2n));
    expect(await refusal(["null", "int"], [0], "long")).toContain("INGEST_FORMAT");
    expect(await resolved("int", [4], ["null", "long"])).toBe(i64(2n));
    expect(await refusal("boolean", [1], ["null", "string"])).toContain("INGEST_OPTIONS");
  });

  test("a branch without place is an error only where it occurs", async () => {
    expect(await resolved(["int", "string", "boolean"], [0, 4], ["int", "boolean"])).toEqual(["0", "02000000"]);
    expect(await refusal(["int", "string", "boolean"], [2, 2, 65], ["int", "boolean"])).toContain("INGEST_FORMAT");
  });

  test("records in unions go by name", async () => {
    const a = recordOf({ v: "int" }, "A");
    const b = recordOf({ v: "int" }, "B");
    expect(await resolved([a, b], [2, 4], [recordOf({ v: "long" }, "B"), recordOf({ v: "long" }, "A")])).toEqual([
      "0",
      [i64(2n)],
    ]);
  });
});

test("fixed types have one size, and logical types stay what they mean", async () => {
  const fixed = (size: number): unknown => ({ type: "fixed", name: "F", size });
  expect(await resolved(fixed(2), [1, 2], fixed(2))).toBe("0102");
  expect(await refusal(fixed(2), [1, 2], fixed(3))).toContain("INGEST_OPTIONS");
  const millis = { type: "long", logicalType: "timestamp-millis" };
  const micros = { type: "long", logicalType: "timestamp-micros" };
  expect(await refusal(millis, [2], micros)).toContain("without changing its values");
  expect(await resolved(millis, [2], "long")).toBe(i64(1n));
});

test("roots that are no record are resolved too, and indexes and columns go with a reader's schema", async () => {
  const numbers = container("int", [{ rows: 2, data: [2, 4] }]);
  expect(await readAll(numbers, { schema: '"long"' })).toEqual([[i64(1n)], [i64(2n)]]);
  const bytes = container(recordOf({ a: "int", b: "string" }), [{ rows: 1, data: [2, ...string("x")] }]);
  const schema = recordOf({ b: "bytes", a: "double" });
  expect(await readAll(bytes, { schema, columns: ["a"], where: ["eq", "a", 1] })).toEqual([[f64(1)]]);
  await expect(open(memorySource(bytes, "memory:a"), { format: "avro", schema: "{" })).rejects.toMatchObject({
    code: "INGEST_OPTIONS",
  });
});

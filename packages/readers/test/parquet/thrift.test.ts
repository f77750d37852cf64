import { FormatError } from "@ingest-ts/core";
import { describe, expect, test } from "vitest";
import { CompactReader, ThriftType } from "../../src/parquet/thrift.ts";
import { encodeStruct, type ThriftField } from "./thrift-writer.ts";

const { STRUCT, I32, I64, BINARY, LIST } = ThriftType;

function reader(bytes: readonly number[], baseOffset = 0): CompactReader {
  return new CompactReader(Uint8Array.from(bytes), baseOffset);
}

describe("compact protocol", () => {
  test("reads fields in any order, with long ids and negative numbers", () => {
    const fields: ThriftField[] = [
      [1, I32, -5],
      [40, I64, 2 ** 52 + 1],
      [41, BINARY, "ü"],
      [42, LIST, { of: I32, items: Array.from({ length: 20 }, (_, i) => i - 10) }],
    ];
    const thrift = reader(encodeStruct(fields));
    const seen: unknown[] = [];
    thrift.struct(STRUCT, "test", (id, type) => {
      if (id === 1) seen.push(thrift.i32(type, "a"));
      else if (id === 40) seen.push(thrift.i64(type, "b"));
      else if (id === 41) seen.push(thrift.string(type, "c"));
      else seen.push(thrift.list(type, I32, "d", (element) => thrift.i32(element, "item")));
    });
    expect(seen).toEqual([-5, 2 ** 52 + 1, "ü", Array.from({ length: 20 }, (_, i) => i - 10)]);
  });

  test("skips values of every type, known or not", () => {
    const unknown: ThriftField[] = [
      [1, 1, undefined],
      [2, 3, 7],
      [3, 4, -3],
      [4, 6, 5],
      [5, 7, [0, 0, 0, 0, 0, 0, 0, 1]],
      [6, 8, "text"],
      [7, 9, { of: 12, items: [[[1, 5, 1]], []] }],
      [8, 9, { of: 1, items: [] }],
      [9, 10, [0x21, 1, 2]],
      [10, 11, [2, 0x85, 1, 97, 4, 1, 98, 6]],
      [11, 12, [[1, 8, "inner"]]],
      [12, 13, Array.from({ length: 16 }, () => 9)],
      [13, 5, 99],
    ];
    const thrift = reader(encodeStruct(unknown));
    let last = 0;
    thrift.struct(STRUCT, "test", (id, type) => {
      if (id === 13) last = thrift.i32(type, "last");
      else thrift.skip(type);
    });
    expect(last).toBe(99);
  });

  test("an empty list may claim any element type", () => {
    const thrift = reader([0x19, 0x0c, 0]);
    thrift.struct(STRUCT, "test", (_, type) => expect(thrift.list(type, I32, "list", () => 1)).toEqual([]));
  });

  const read = (bytes: readonly number[], body: (thrift: CompactReader, type: number) => unknown): void => {
    const thrift = reader(bytes, 1000);
    thrift.struct(STRUCT, "test", (_, type) => void body(thrift, type));
  };

  test.each<[string, readonly number[], (thrift: CompactReader, type: number) => unknown]>([
    ["a structure cut short", [0x15], (thrift, type) => thrift.i32(type, "x")],
    ["no stop", [0x15, 2], (thrift, type) => thrift.i32(type, "x")],
    ["another type", [0x18, 0, 0], (thrift, type) => thrift.i32(type, "x")],
    [
      "a varint that never ends",
      [0x15, ...Array.from({ length: 20 }, () => 0xff), 0],
      (thrift, type) => thrift.i32(type, "x"),
    ],
    ["an i32 out of range", [0x15, 0xff, 0xff, 0xff, 0xff, 0x7f, 0], (thrift, type) => thrift.i32(type, "x")],
    ["a negative count", [0x15, 1, 0], (thrift, type) => thrift.count(type, I32, "x")],
    ["a string longer than the file", [0x18, 0xff, 0x7f, 0], (thrift, type) => thrift.string(type, "x")],
    ["bytes that are not UTF-8", [0x18, 1, 0xff, 0], (thrift, type) => thrift.string(type, "x")],
    [
      "a list longer than the file",
      [0x19, 0xf5, 0xff, 0xff, 0x03, 0],
      (thrift, type) => thrift.list(type, I32, "x", (t) => thrift.i32(t, "y")),
    ],
    [
      "a list of another type",
      [0x19, 0x18, 0, 0],
      (thrift, type) => thrift.list(type, I32, "x", (t) => thrift.i32(t, "y")),
    ],
    ["an unknown type", [0x1e, 0], (thrift, type) => thrift.skip(type)],
    ["a skipped map longer than the file", [0x1b, 0xff, 0x7f, 0x55, 0], (thrift, type) => thrift.skip(type)],
    ["structures without end", Array.from({ length: 100 }, () => 0x1c), (thrift, type) => thrift.skip(type)],
    ["lists without end", [0x19, ...Array.from({ length: 100 }, () => 0x19)], (thrift, type) => thrift.skip(type)],
  ])("%s is an error with its offset", (_, bytes, body) => {
    try {
      read(bytes, body);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).where.offset).toBeGreaterThanOrEqual(1000);
    }
  });
});

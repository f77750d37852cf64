import { FormatError } from "@ingest-ts/core";
import { expect, test } from "vitest";
import { ProtobufReader, readMessage } from "../../src/orc/protobuf.ts";

const readerOf = (...bytes: number[]): ProtobufReader => new ProtobufReader(Uint8Array.from(bytes));

test("numbers up to 2^53 - 1", () => {
  expect(readerOf(0).varint()).toBe(0);
  expect(readerOf(255, 255, 255, 255, 255, 255, 255, 15).varint()).toBe(2 ** 53 - 1);
  for (const bytes of [[128], [], [128, 128, 128, 128, 128, 128, 128, 16], new Array<number>(11).fill(255)])
    expect(() => readerOf(...bytes).varint()).toThrow(FormatError);
});

test("fields that are not wanted are passed, whatever their type", () => {
  const message = [
    8,
    ...new Array<number>(9).fill(255),
    1,
    17,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    26,
    2,
    7,
    7,
    37,
    1,
    2,
    3,
    4,
    40,
    9,
  ];
  const seen: number[] = [];
  readMessage(Uint8Array.from(message), (field, reader) => {
    if (field.number !== 5) return false;
    seen.push(reader.varint());
    return true;
  });
  expect(seen).toEqual([9]);
});

test("repeated numbers, packed or not", () => {
  const into: number[] = [];
  readMessage(Uint8Array.of(8, 1, 10, 3, 2, 172, 2, 8, 3), (field, reader) => {
    reader.varints(field, into);
    return true;
  });
  expect(into).toEqual([1, 2, 300, 3]);
});

test.each([[[3]], [[11]], [[26, 5, 1]], [[17, 1]], [[37, 1]], [[8, ...new Array<number>(11).fill(255)]], [[8]]])(
  "%j is refused",
  (bytes) => {
    const pass = (): void => readMessage(Uint8Array.from(bytes), () => false);
    if (bytes.length === 1 && bytes[0] === 8) expect(pass).toThrow("ends inside");
    else expect(pass).toThrow(FormatError);
  },
);

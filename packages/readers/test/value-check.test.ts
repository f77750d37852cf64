import type { Column, DataType, Field } from "@ingest-ts/core";
import { Dice } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { valueCheck } from "../src/value-check.ts";

const field = (name: string, type: DataType): Field => ({ name, type, nullable: true });

function column(type: DataType, length: number, more: Partial<Column> = {}): Column {
  const nothing = { nullCount: 0, validity: null, offsets: null, data: null, children: [], dictionary: null };
  return { ...nothing, type, length, ...more };
}

function bytesOf(values: readonly bigint[], width: number): Uint8Array {
  const bytes = new Uint8Array(values.length * width);
  for (const [i, value] of values.entries()) {
    for (let at = 0; at < width; at++) bytes[i * width + at] = Number((value >> BigInt(8 * at)) & 255n);
  }
  return bytes;
}

function decimals(precision: number, values: readonly bigint[], more: Partial<Column> = {}): [DataType, Column] {
  const bits = precision <= 38 ? 128 : 256;
  const type = { kind: "decimal", bits, precision, scale: 0 } as const;
  return [type, column(type, values.length, { data: bytesOf(values, bits / 8), ...more })];
}

test("columns of other types have nothing to check", () => {
  expect(
    valueCheck([field("a", { kind: "utf8" }), field("b", { kind: "list", child: field("i", { kind: "bool" }) })]),
  ).toBe(undefined);
});

describe.each([1, 9, 10, 18, 19, 37, 38, 39, 76])("decimals of %i digits", (precision) => {
  const most = 10n ** BigInt(precision) - 1n;

  test("may have that many digits", () => {
    const dice = new Dice(precision);
    const any = Array.from({ length: 200 }, () => {
      const digits = Array.from({ length: precision }, () => dice.below(10)).join("");
      return BigInt(digits) * (dice.chance(0.5) ? 1n : -1n);
    });
    const [type, values] = decimals(precision, [most, -most, 0n, 1n, -1n, ...any]);
    expect(valueCheck([field("d", type)])?.([values])).toBe(undefined);
  });

  test.each([most + 1n, -most - 1n, (most * 9n) / 8n])("have no more: %s", (value) => {
    const [type, values] = decimals(precision, [most, value]);
    const problem = `a decimal of more than ${precision} digits`;
    expect(valueCheck([field("d", type)])?.([values])).toEqual({ row: 1, path: ["d"], problem });
    const [, hidden] = decimals(precision, [most, value], { nullCount: 1, validity: Uint8Array.of(1) });
    expect(valueCheck([field("d", type)])?.([hidden])).toBe(undefined);
  });
});

test.each([
  ["s", 86_400n],
  ["ms", 86_400_000n],
  ["us", 86_400_000_000n],
  ["ns", 86_400_000_000_000n],
] as const)("times in %s lie inside of a day", (unit, day) => {
  const type = { kind: "time", unit } as const;
  const width = unit === "s" || unit === "ms" ? 4 : 8;
  const check = valueCheck([field("t", type)]);
  const of = (values: readonly bigint[]): Column => column(type, values.length, { data: bytesOf(values, width) });
  expect(check?.([of([0n, 1n, day - 1n])])).toBe(undefined);
  for (const value of [day, -1n]) {
    expect(check?.([of([0n, value])])).toEqual({ row: 1, path: ["t"], problem: "a time outside of a day" });
  }
});

test("values in lists and structs are told by their row, and those below nulls pass", () => {
  const [type, values] = decimals(3, [1000n, 5n, 1000n, 7n]);
  const struct: DataType = { kind: "struct", children: [field("d", type)] };
  const list: DataType = { kind: "list", child: field("item", struct) };
  const check = valueCheck([field("l", list)]);
  const lists = (offsets: readonly number[], validity: number): Column =>
    column(list, offsets.length - 1, {
      offsets: Int32Array.from(offsets),
      children: [column(struct, 4, { nullCount: 1, validity: Uint8Array.of(validity), children: [values] })],
    });
  const fault = { path: ["l", "item", "d"], problem: "a decimal of more than 3 digits" };
  expect(check?.([lists([0, 2, 2, 4], 0b1111)])).toEqual({ row: 0, ...fault });
  expect(check?.([lists([0, 2, 2, 4], 0b1110)])).toEqual({ row: 2, ...fault });
  expect(check?.([lists([0, 2, 2, 4], 0b1010)])).toBe(undefined);
  expect(check?.([lists([1, 2, 2, 2], 0b1111)])).toBe(undefined);
});

import { expect, test } from "vitest";
import { Cursor } from "../../src/avro/cursor.ts";
import { long } from "./support.ts";

function cursorOf(...bytes: number[]): Cursor {
  return new Cursor(Uint8Array.from(bytes));
}

test("longs at the limits of 64 bits, and where the halves meet", () => {
  const edges = [0n, 1n, -1n, 63n, 64n, -64n, -65n, 2n ** 63n - 1n, -(2n ** 63n)];
  for (let bit = 1n; bit < 63n; bit++) edges.push(1n << bit, (1n << bit) - 1n, -(1n << bit), -(1n << bit) - 1n);
  for (const value of edges) {
    const cursor = cursorOf(...long(value));
    cursor.long();
    expect((BigInt(cursor.high) << 32n) | BigInt(cursor.low)).toBe(value);
    expect(cursor.leftBytes).toBe(0);
  }
});

test("ints and counts are held to their range", () => {
  for (const value of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) expect(cursorOf(...long(value)).int()).toBe(value);
  for (const value of [2 ** 31, -(2 ** 31) - 1, 2 ** 40])
    expect(() => cursorOf(...long(value)).int()).toThrow("32 bits");
  for (const value of [2 ** 53 - 1, -(2 ** 53) + 1]) expect(cursorOf(...long(value)).count()).toBe(value);
  for (const value of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)])
    expect(() => cursorOf(...long(value)).count()).toThrow("out of range");
});

test("numbers that are cut off or too long are refused", () => {
  expect(() => cursorOf().long()).toThrow("cut off");
  expect(() => cursorOf(128).long()).toThrow("cut off");
  expect(() => cursorOf(...new Array<number>(10).fill(255), 1).long()).toThrow("longer than 10");
  expect(() => cursorOf(...new Array<number>(9).fill(255), 2).long()).toThrow("longer than 10");
});

test("nothing is taken past the end", () => {
  expect(() => cursorOf(1, 2).take(3)).toThrow("passes the end");
  expect(() => cursorOf(1, 2).take(-1)).toThrow("passes the end");
  expect(() => cursorOf(6, 1, 2).length()).toThrow("a length of 3 with 2 bytes left");
  expect(() => cursorOf(1).length()).toThrow("a length of -1");
  expect(() => cursorOf().byte()).toThrow("the data end");
});

import { valuesOf } from "@ingest-ts/core/testing";
import { loadKernels } from "@ingest-ts/kernels";
import { beforeAll, expect, test } from "vitest";
import { BooleanBuilder, BytesBuilder, FixedBuilder, NullableBuilder, NullBuilder } from "../../src/avro/builders.ts";
import { UnionBuilder, writeBytes } from "../../src/avro/builders.ts";
import { Cursor } from "../../src/avro/cursor.ts";
import { writeInt } from "../../src/avro/values.ts";
import { long, string } from "./support.ts";

beforeAll(() => loadKernels());

const int = { kind: "int", bits: 32, signed: true } as const;
/** An int32 as `valuesOf` shows it. */
function hexOf(value: number): string {
  return Buffer.from(Int32Array.of(value).buffer).toString("hex");
}

function hexOfText(text: string): string {
  return Buffer.from(text).toString("hex");
}

// Past every size at which buffers of 1024 bytes grow, and slabs after the first.
const COUNT = 40_000;

test("booleans and their nulls survive growth", () => {
  const builder = new NullableBuilder(new BooleanBuilder(), 0);
  for (const first of [0, 1, 2]) {
    const values = Array.from({ length: COUNT }, (_, i) => ((i + first) % 3 === 2 ? null : (i >> first) % 2 === 0));
    const cursor = new Cursor(Uint8Array.from(values.flatMap((value) => (value === null ? [0] : [2, value ? 1 : 0]))));
    for (let i = 0; i < COUNT; i++) builder.append(cursor);
    expect(cursor.leftBytes).toBe(0);
    const column = builder.take();
    expect(column.nullCount).toBe(values.filter((value) => value === null).length);
    expect(valuesOf(column)).toEqual(values);
  }
});

test("true from first to last", () => {
  const builder = new BooleanBuilder();
  const cursor = new Cursor(new Uint8Array(COUNT).fill(1));
  for (let i = 0; i < COUNT; i++) builder.append(cursor);
  expect(valuesOf(builder.take()).every((value) => value === true)).toBe(true);
});

test("a null late in a column leaves those before valid", () => {
  for (const at of [0, 1, 7, 8, 9, 8191, 8192, 8193]) {
    const builder = new FixedBuilder(int, 4, writeInt);
    for (let i = 0; i < 10_000; i++) {
      if (i === at) builder.appendNull();
      else builder.append(new Cursor(Uint8Array.from(long(i))));
    }
    const values = valuesOf(builder.take());
    expect(values.flatMap((value, i) => (value === null ? [i] : []))).toEqual([at]);
    expect(values.every((value, i) => value === null || value === hexOf(i))).toBe(true);
  }
});

test("unions keep their branches while they grow", () => {
  const type = {
    kind: "union",
    mode: "dense",
    typeIds: [0, 1, 2],
    children: [
      { name: "null", type: { kind: "null" }, nullable: true },
      { name: "int", type: int, nullable: false },
      { name: "string", type: { kind: "utf8" }, nullable: false },
    ],
  } as const;
  const text = new BytesBuilder({ kind: "utf8" }, "string", writeBytes);
  const builder = new UnionBuilder(type, [new NullBuilder(), new FixedBuilder(int, 4, writeInt), text]);
  const values = Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? null : i % 2 === 0 ? i : `text ${i}`));
  const data = values.flatMap((value) =>
    value === null ? [0] : typeof value === "number" ? [2, ...long(value)] : [4, ...string(value)],
  );
  const cursor = new Cursor(Uint8Array.from(data));
  for (let i = 0; i < values.length; i++) builder.append(cursor);
  const expected = values.map((value) =>
    value === null ? ["0", null] : typeof value === "number" ? ["1", hexOf(value)] : ["2", hexOfText(value)],
  );
  expect(valuesOf(builder.take())).toEqual(expected);
});

test("a value beyond its kind is refused", () => {
  expect(() => new BooleanBuilder().append(new Cursor(Uint8Array.of(2)))).toThrow("a boolean is 2");
  const nullable = new NullableBuilder(new NullBuilder(), 0);
  expect(() => nullable.append(new Cursor(Uint8Array.of(...long(2))))).toThrow("branch 2");
  expect(() => nullable.append(new Cursor(Uint8Array.of(...long(-1))))).toThrow("branch -1");
  const text = new BytesBuilder({ kind: "utf8" }, "name", writeBytes);
  text.append(new Cursor(Uint8Array.of(2, 0xff)));
  expect(() => text.take()).toThrow("not UTF-8");
});

import { type Column, FormatError, UnsupportedError } from "@ingest-ts/core";
import { Dice, type PlainValue, valuesOf } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { createDatumReader, type DatumReader, type DecodedDatums } from "../../src/avro/datum.ts";
import { long, recordOf, string } from "./support.ts";

/** A column of bytes; undefined is null. */
function binary(values: readonly (readonly number[] | undefined)[]): Column {
  const offsets = new Int32Array(values.length + 1);
  const data: number[] = [];
  const validity = new Uint8Array((values.length + 7) >> 3);
  for (const [i, value] of values.entries()) {
    for (const byte of value ?? []) data.push(byte);
    offsets[i + 1] = data.length;
    if (value !== undefined) validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
  }
  const nullCount = values.filter((value) => value === undefined).length;
  const common = { length: values.length, nullCount, validity: nullCount === 0 ? null : validity };
  return { ...common, type: { kind: "binary" }, offsets, data: Uint8Array.from(data), children: [], dictionary: null };
}

function plain({ column, poison }: DecodedDatums): { values: PlainValue[]; faults: [number, string, string][] } {
  return {
    values: valuesOf(column),
    faults: poison.map(({ index, error }) => [index, error.code, error.what]),
  };
}

async function decode(
  schema: unknown,
  values: readonly (readonly number[] | undefined)[],
  readerSchema?: unknown,
): Promise<ReturnType<typeof plain>> {
  const reader = await createDatumReader(JSON.stringify(schema), { readerSchema });
  return plain(reader.decode(binary(values)));
}

const pair = recordOf({ a: "long", b: ["null", "string"] });

test("records become a struct, each value alone: nulls, faults and bytes left behind are told apart", async () => {
  const good = [...long(-(2n ** 63n)), 2, ...string("é")];
  const reader = await createDatumReader(JSON.stringify(pair));
  expect(reader.field).toMatchObject({ name: "value", nullable: true, type: { kind: "struct" } });
  const read = plain(
    reader.decode(binary([good, undefined, [...good, 7], good.slice(0, -1), [], [2, 0], [2, 4], [2, 2, 4, 0xc3, 65]])),
  );
  expect(read.values).toEqual([
    ["0000000000000080", "c3a9"],
    null,
    null,
    null,
    null,
    ["0100000000000000", null],
    null,
    null,
  ]);
  expect(read.faults).toEqual([
    [2, "INGEST_FORMAT", "1 bytes are left behind the value"],
    [3, "INGEST_FORMAT", "a length of 2 with 1 bytes left at byte 12"],
    [4, "INGEST_FORMAT", "a number is cut off or longer than 10 bytes at byte 0"],
    [6, "INGEST_FORMAT", "a union has no branch 2 at byte 2"],
    [7, "INGEST_FORMAT", "a string of 2 bytes is not UTF-8"],
  ]);
});

test("headers are passed; a value shorter than its header is poison", async () => {
  const reader = await createDatumReader('"long"');
  const header = [0, 0, 0, 0, 9];
  const read = plain(reader.decode(binary([[...header, 4], header, [0, 0], undefined]), { headerBytes: 5 }));
  expect(read.values).toEqual(["0200000000000000", null, null, null]);
  expect(read.faults.map(([index]) => index)).toEqual([1, 2]);
  expect(read.faults[0]?.[2]).toContain("at byte 5");
});

test("schema resolution, references to other schemas, roots that are no record", async () => {
  const wider = recordOf({ b: ["null", "string"], a: "double" });
  expect(await decode(pair, [[...long(3), 0]], wider)).toEqual({ values: [[null, "0000000000000840"]], faults: [] });
  const shape = { type: "enum", name: "x.Shape", symbols: ["DOT", "LINE"] };
  const outer = { type: "array", items: "x.Shape" };
  const reader = await createDatumReader(JSON.stringify(outer), { references: [JSON.stringify(shape)] });
  expect(plain(reader.decode(binary([[4, 0, 2, 0]]))).values).toEqual([["444f54", "4c494e45"]]);
  expect((await decode(["int", "string"], [[0, 6], [2, 2, 65], [4]])).values).toEqual([
    ["0", "03000000"],
    ["1", "41"],
    ["0", null],
  ]);
  expect(await decode("null", [[], undefined, [0]])).toMatchObject({
    values: [null, null, null],
    faults: [[2, "INGEST_FORMAT", expect.anything()]],
  });
});

test("recursive types are refused unless the reader's schema leaves them out", async () => {
  const node = recordOf({ id: "int", next: ["null", "Node"] }, "Node");
  await expect(createDatumReader(JSON.stringify(node))).rejects.toThrow(UnsupportedError);
  const id = recordOf({ id: "int" }, "Node");
  expect(await decode(node, [[2, 2, 4, 0]], id)).toEqual({ values: [["01000000"]], faults: [] });
});

test("limits hold for each value: one that passes them harms no other", async () => {
  const schema = { type: "array", items: "null" };
  const many = [...long(60_000), 0];
  const read = await decode(schema, [many, [...long(70_000), 0], many]);
  expect(read.values.map((value) => (value === null ? null : (value as unknown[]).length))).toEqual([
    60_000,
    null,
    60_000,
  ]);
  expect(read.faults).toMatchObject([[1, "INGEST_UNSUPPORTED", expect.stringContaining("zeroLengthItems")]]);
  // Three bytes that ask for 64 MB each.
  const wide = { type: "array", items: ["null", { type: "fixed", name: "F", size: 32_000_000 }] };
  const reader = await createDatumReader(JSON.stringify(wide), { limits: { recordBytes: 40_000_000 } });
  const bomb = [...long(9), ...new Array<number>(9).fill(0), 0];
  const { values, faults } = plain(reader.decode(binary([[0], bomb, [0]])));
  expect(values).toEqual([[], null, []]);
  expect(faults).toMatchObject([[1, "INGEST_UNSUPPORTED", expect.stringContaining("recordBytes")]]);
});

test("wrong schemas and columns are refused", async () => {
  await expect(createDatumReader("{")).rejects.toThrow(FormatError);
  await expect(createDatumReader('"long"', { readerSchema: "int" })).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
  const reader = await createDatumReader('"long"');
  const numbers: Column = { ...binary([]), type: { kind: "int", bits: 32, signed: true } };
  expect(() => reader.decode(numbers)).toThrow("of type int");
  expect(() => reader.decode(binary([]), { headerBytes: -1 })).toThrow("headerBytes");
});

const wide = recordOf({
  id: "long",
  flag: "boolean",
  text: "string",
  maybe: ["null", "double"],
  tags: { type: "array", items: "string" },
  counts: { type: "map", values: "int" },
  inner: ["null", recordOf({ x: "float", y: ["string", "int", "null"] }, "Inner")],
  kind: { type: "enum", name: "Kind", symbols: ["A", "B", "C"] },
  amount: { type: "bytes", logicalType: "decimal", precision: 20, scale: 2 },
  key: { type: "fixed", name: "Key", size: 3 },
});

function word(random: Dice): number[] {
  return string(random.pick(["", "a", "naïve", "𝄞", "x".repeat(40)]));
}

function wideDatum(random: Dice): number[] {
  const many = (item: () => number[]): number[] => {
    const count = random.below(4);
    return count === 0 ? [0] : [...long(count), ...Array.from({ length: count }, item).flat(), 0];
  };
  return [
    ...long(random.below(1_000_000) - 500_000),
    random.below(2),
    ...word(random),
    ...(random.below(2) === 0 ? [0] : [2, ...Array.from({ length: 8 }, () => random.below(256))]),
    ...many(() => word(random)),
    ...many(() => [...word(random), ...long(random.below(100))]),
    ...random.pick([[0], [2, 1, 2, 3, 4, 0, ...word(random)], [2, 1, 2, 3, 4, 2, ...long(5)], [2, 9, 9, 9, 9, 4]]),
    ...long(random.below(3)),
    2,
    random.below(256),
    1,
    2,
    3,
  ];
}

describe("many values are read as each alone", () => {
  async function check(reader: DatumReader, values: readonly (readonly number[] | undefined)[]): Promise<number> {
    const together = plain(reader.decode(binary(values)));
    const alone = values.map((value) => plain(reader.decode(binary([value]))));
    expect(together.values).toEqual(alone.flatMap((each) => each.values));
    expect(together.faults).toEqual(alone.flatMap((each, i) => each.faults.map(([, code, what]) => [i, code, what])));
    return together.faults.length;
  }

  test.each([1, 2, 3, 4, 5, 6])("seed %i", async (seed) => {
    const random = new Dice(seed);
    const reader = await createDatumReader(JSON.stringify(wide));
    let faults = 0;
    for (let round = 0; round < 4; round++) {
      // From no fault at all to hardly anything else.
      const damage = [0, 2, 20, 90][round] as number;
      const values = Array.from({ length: 300 }, () => {
        if (random.below(100) < 5) return undefined;
        const datum = wideDatum(random);
        if (random.below(100) >= damage) return datum;
        const at = random.below(datum.length);
        if (random.below(3) === 0) return datum.slice(0, at);
        return datum.map((byte, i) => (i === at ? byte ^ (1 << random.below(8)) : byte));
      });
      const found = await check(reader, values);
      if (damage === 0) expect(found).toBe(0);
      faults += found;
    }
    expect(faults).toBeGreaterThan(100);
  });
});

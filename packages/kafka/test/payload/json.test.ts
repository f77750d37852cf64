import type { Column, DataType, Field, Schema } from "@ingest-ts/core";
import { toArrowData, toArrowField } from "@ingest-ts/core/arrow";
import { Dice, randomColumns, randomType } from "@ingest-ts/core/testing";
import { makeVector } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonCursor, JsonFault } from "../../src/payload/json/cursor.ts";
import { inferJsonType, JsonDecoder } from "../../src/payload/json/index.ts";

const encoder = new TextEncoder();
const runs = Number(process.env["INGEST_FUZZ_RUNS"] ?? 500);

/** Values of records: undefined is a record without one. */
function binary(texts: readonly (string | Uint8Array | undefined)[]): Column {
  const parts = texts.map((text) => (typeof text === "string" ? encoder.encode(text) : (text ?? new Uint8Array(0))));
  const offsets = new Int32Array(parts.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = (offsets[i] as number) + part.length;
  const data = new Uint8Array(offsets.at(-1) as number);
  for (const [i, part] of parts.entries()) data.set(part, offsets[i]);
  const validity = new Uint8Array((parts.length + 7) >> 3);
  for (const [i, text] of texts.entries())
    if (text !== undefined) validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
  const nullCount = texts.filter((text) => text === undefined).length;
  const type: DataType = { kind: "binary" };
  return { type, length: parts.length, nullCount, validity, offsets, data, children: [], dictionary: null };
}

const field = (name: string, type: DataType, nullable = true): Field => ({ name, type, nullable });
const int = (bits: 8 | 16 | 32 | 64, signed = true): DataType => ({ kind: "int", bits, signed });
const struct = (...children: Field[]): DataType => ({ kind: "struct", children });
const utf8: DataType = { kind: "utf8" };

/** Rows as JavaScript has them, by way of apache-arrow. */
function valuesOf(column: Column): unknown[] {
  const vector = makeVector(toArrowData(column, toArrowField(field("value", column.type)).type));
  return Array.from({ length: column.length }, (_, i) => plain(vector.get(i)));
}

function plain(value: unknown): unknown {
  // apache-arrow takes the first byte order mark of a text away.
  if (typeof value === "string") return value.replaceAll("\ufeff", "");
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint32Array) return value.join(",");
  if (Symbol.iterator in value && "length" in value) return [...(value as Iterable<unknown>)].map(plain);
  const entries = value as { toJSON?: () => object };
  return Object.fromEntries(Object.entries(entries.toJSON?.() ?? value).map(([name, member]) => [name, plain(member)]));
}

function decode(
  type: DataType,
  ...texts: (string | Uint8Array | undefined)[]
): { values: unknown[]; faults: string[] } {
  const { column, poison } = new JsonDecoder(type).decode({ values: binary(texts) });
  expect(column.type).toEqual(type);
  expect(column.length).toBe(texts.length);
  return { values: valuesOf(column), faults: poison.map(({ index, error }) => `${index}: ${error.message}`) };
}

describe("the JSON cursor", () => {
  const accepts = (bytes: Uint8Array): boolean => {
    const cursor = new JsonCursor();
    // Behind what was not asked for, so that reading past the end shows.
    const padded = Uint8Array.from([0x22, ...bytes, 0x22, 0x7d]);
    cursor.reset(padded, 1, bytes.length + 1);
    try {
      cursor.skip();
      cursor.finish();
      return true;
    } catch (error) {
      if (error instanceof JsonFault) return false;
      throw error;
    }
  };
  const parses = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };

  it("accepts what JSON.parse accepts, and nothing else", () => {
    const alphabet = [
      ...Array.from('{}[]:,"\\ntruefalsnul0123456789.eE+-u \n\té😀'),
      "\\u00e9",
      "\\n",
      "null",
      "true",
      '"a"',
      "{}",
      "\u0001",
    ];
    const text = fc.oneof(
      fc.json(),
      fc.array(fc.constantFrom(...alphabet), { maxLength: 12 }).map((parts) => parts.join("")),
      fc.tuple(fc.json(), fc.nat(), fc.constantFrom(...alphabet)).map(([whole, at, part]) => {
        const place = at % (whole.length + 1);
        return whole.slice(0, place) + part + whole.slice(place + 1);
      }),
    );
    fc.assert(
      // Half of a surrogate pair has no UTF-8: we refuse what JavaScript lets pass.
      fc.property(
        text.filter((t) => !/\\u[dD][89a-fA-F]/.test(t) && !/\p{Surrogate}/u.test(t)),
        (t) => {
          expect(accepts(encoder.encode(t))).toBe(parses(t));
        },
      ),
      { numRuns: runs * 4 },
    );
  });

  it("refuses halves of surrogate pairs, bad UTF-8, depth without end", () => {
    expect(accepts(encoder.encode('"\\ud83d\\ude00"'))).toBe(true);
    expect(accepts(encoder.encode('"\\ud83d"'))).toBe(false);
    expect(accepts(Uint8Array.from([0x22, 0xff, 0x22]))).toBe(false);
    expect(accepts(Uint8Array.from([0x22, 0xc3, 0x22]))).toBe(false);
    expect(accepts(encoder.encode("[".repeat(100_000)))).toBe(false);
  });
});

describe("JSON into columns", () => {
  it("reads integers exactly, and refuses what does not fit", () => {
    const { values, faults } = decode(
      int(64),
      "9223372036854775807",
      " -9223372036854775808\n",
      "9223372036854775808",
      "1.0",
      "1e3",
      "-0",
    );
    expect(values).toEqual([9223372036854775807n, -9223372036854775808n, null, null, null, 0n]);
    expect(faults).toEqual([
      expect.stringContaining("2: JSON: 9223372036854775808 is no int64, at byte 19"),
      expect.stringContaining("3: JSON: 1.0 where an integer should be"),
      expect.stringContaining("4: JSON: 1e3 where an integer should be"),
    ]);
    expect(decode(int(8, false), "255", "256", "-1").values).toEqual([255, null, null]);
    expect(decode(int(64, false), "18446744073709551615").values).toEqual([18446744073709551615n]);
  });

  it("reads dates, times and decimals exactly", () => {
    const decimal: DataType = { kind: "decimal", bits: 128, precision: 38, scale: 2 };
    const text = "-999999999999999999999999999999999999.99";
    expect(decode(decimal, text, `"${text}"`, "1e2", "0.005", "1e36").values).toEqual(
      valuesOf(
        new JsonDecoder(decimal).decode({ values: binary([text, text, "100.00", undefined, undefined]) }).column,
      ),
    );
    const at: DataType = { kind: "timestamp", unit: "ms", timezone: "UTC" };
    const { values, faults } = decode(
      at,
      '"2026-11-24T01:00:00+01:00"',
      "1795478400000",
      '"2026-11-24"',
      '"1970-01-01T00:00:00.0001Z"',
    );
    expect(values[0]).toEqual(values[1]);
    expect(faults).toEqual([expect.stringContaining("no offset"), expect.stringContaining("finer than ms")]);
    expect(decode({ kind: "date", unit: "day" }, '"1970-01-02"', '"1970-02-30"').faults).toHaveLength(1);
  });

  it("leaves a bad record out, whole, and keeps those beside it", () => {
    const type = struct(
      field("id", int(32), false),
      field("tags", { kind: "list", child: field("item", utf8) }),
      field("in", struct(field("x", { kind: "float", bits: 64 }), field("ok", { kind: "bool" }))),
    );
    const { values, faults } = decode(
      type,
      '{"id":1,"tags":["a","é\\n"],"in":{"x":1.5,"ok":true},"more":{"y":[1]}}',
      '{"id":2,"tags":["b",3],"in":null}',
      '{"tags":[],"id":3}',
      '{"tags":["lost"]}',
      undefined,
      '{"id":4,"id":5}',
      '{"id":null}',
      '{"id":6,"tags":null,"in":{"ok":false}} x',
      "null",
      '{"id":7,"in":{}}',
    );
    expect(values).toEqual([
      { id: 1, tags: ["a", "é\n"], in: { x: 1.5, ok: true } },
      null,
      { id: 3, tags: [], in: null },
      null,
      null,
      null,
      null,
      null,
      null,
      { id: 7, tags: null, in: { x: null, ok: null } },
    ]);
    expect(faults).toEqual([
      expect.stringMatching(/^1: .*number where a string should be.*column "tags\[1\]"/),
      expect.stringContaining('3: JSON: the name "id" is missing'),
      expect.stringContaining('5: JSON: the name "id" comes twice'),
      expect.stringMatching(/^6: .*null where a value has to be.*column "id"/),
      expect.stringContaining("7: JSON: text after the value"),
    ]);
  });

  it("gives back random rows of every type that JSON holds", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const dice = new Dice(seed);
        const type = randomType(dice, 3, {
          flat: [
            { kind: "bool" },
            int(8),
            int(16, false),
            int(32),
            int(64),
            int(64, false),
            { kind: "float", bits: 64 },
            utf8,
          ],
          nested: ["list", "struct"],
        });
        const schema: Schema = { fields: [field("value", type)], metadata: {} };
        const rows = valuesOf(randomColumns(dice, schema, 20).columns[0] as Column);
        const texts = rows.map((row) => toJson(row));
        const { values, faults } = decode(type, ...texts.map((text) => text ?? undefined));
        // JSON has no NaN and no infinities, and random floats have.
        const whole = texts.map((text) => !/NaN|Infinity/.test(text));
        expect(faults).toHaveLength(whole.filter((is) => !is).length);
        expect(values.map(toJson).filter((_, i) => whole[i])).toEqual(texts.filter((_, i) => whole[i]));
      }),
      { numRuns: runs },
    );
  });

  it("throws nothing on mutated records", () => {
    const type = struct(
      field("a", int(16)),
      field("b", { kind: "list", child: field("item", struct(field("c", utf8))) }),
    );
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 6 }), { minLength: 1, maxLength: 5 }), fc.nat(), (junk, at) => {
        const whole = '{"a":12,"b":[{"c":"x"},{"c":null}]}';
        const mutated = junk.map((bytes) => {
          const out = encoder.encode(whole);
          out.set(bytes.subarray(0, out.length), at % (out.length - 6));
          return out;
        });
        const { values } = decode(type, whole, ...mutated, whole);
        expect(values[0]).toEqual(values.at(-1));
      }),
      { numRuns: runs },
    );
  });

  it("refuses types that JSON has no values of", () => {
    expect(() => new JsonDecoder(struct(field("raw", { kind: "binary" })))).toThrow(
      /JSON has no values of the type binary/,
    );
    expect(() => new JsonDecoder(struct(field("a", utf8), field("a", utf8)))).toThrow(/two fields/);
  });
});

/** Every value of these types as JSON; floats that have no JSON (NaN) are a text of their own on both sides. */
function toJson(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(toJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([name, member]) => `${JSON.stringify(name)}:${toJson(member)}`)
      .join(",")}}`;
  }
  if (typeof value === "number") return String(value);
  return JSON.stringify(value) ?? "null";
}

it("gives no other integer than the record has: a float64 that does not hold it is a fault", () => {
  const decoder = new JsonDecoder({ kind: "float", bits: 64 });
  const { column, poison } = decoder.decode({
    values: binary(["9007199254740993", "9007199254740994", "-9007199254740993", "0.12345678901234567891", "1e30"]),
  });
  expect(poison.map(({ index, error }) => `${index}: ${error.message}`)).toEqual([
    expect.stringContaining("0: JSON: the integer 9007199254740993 is not exact as float64"),
    expect.stringContaining("2: JSON: the integer -9007199254740993 is not exact"),
  ]);
  const { data } = column;
  const floats = new Float64Array((data as Uint8Array).slice().buffer);
  expect([floats[1], floats[3], floats[4]]).toEqual([9007199254740994, 0.12345678901234568, 1e30]);
});

describe("inference", () => {
  it("finds the narrowest type of all records", () => {
    const texts = [
      '{"a":1,"b":[null,1]}',
      "no json",
      undefined,
      '{"a":1.5,"c":{"d":true}}',
      '{"b":[2],"c":{"e":"x"},"z":null}',
    ];
    expect(inferJsonType(binary(texts))).toEqual(
      struct(
        field("a", { kind: "float", bits: 64 }),
        field("b", { kind: "list", child: field("item", int(64)) }),
        field("c", struct(field("d", { kind: "bool" }), field("e", utf8))),
        field("z", utf8),
      ),
    );
    expect(inferJsonType(binary(["null", undefined]))).toBe(undefined);
  });

  it("refuses two kinds at one place by its name", () => {
    expect(() => inferJsonType(binary(['{"a":{"b":1}}', '{"a":{"b":"x"}}']))).toThrow(
      /utf8 here and int in an earlier record.*column "a.b"/,
    );
  });
});

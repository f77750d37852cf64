import { FormatError, type JsonValue, OptionsError, type Schema, StateError } from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { Dice, randomColumns, rowsOf, valuesOf } from "@ingest-ts/core/testing";
import { RecordBatchStreamWriter } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createPayloadDecoder,
  payloadNames,
  type PayloadOptions,
  resumedOptions,
  wantsSample,
} from "../../src/payload/index.ts";
import { binary, type Value } from "./support.ts";

const hex = (value: string): string => Buffer.from(value).toString("hex");

describe("text", () => {
  it("is what is UTF-8, value by value", async () => {
    const decoder = await createPayloadDecoder("utf8", "key");
    const strict = new TextDecoder("utf-8", { fatal: true });
    const isText = (bytes: Uint8Array): boolean => {
      try {
        return strict.decode(bytes) !== undefined;
      } catch {
        return false;
      }
    };
    const piece = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)),
      fc.uint8Array({ maxLength: 4 }),
      // Halves of one character: together they are text, alone they are not.
      fc.constantFrom(Uint8Array.of(0xc3), Uint8Array.of(0xa9), Uint8Array.of(0xc3, 0xa9)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(piece), { maxLength: 20 }), async (values) => {
        const { column, poison } = await decoder.decode({ values: binary(values) });
        const bad = values.flatMap((value, i) => (value !== null && !isText(value) ? [i] : []));
        expect(poison.map(({ index }) => index)).toEqual(bad);
        const wanted = values.map((value, i) =>
          value === null || bad.includes(i) ? null : Buffer.from(value).toString("hex"),
        );
        expect(valuesOf(column)).toEqual(wanted);
        expect(column.type).toEqual({ kind: "utf8" });
        expect(column.nullCount).toBe(wanted.filter((value) => value === null).length);
        // What lies under nulls is text, too: others decode all of it at once.
        expect(isText(column.data as Uint8Array)).toBe(true);
      }),
    );
  });
});

describe("bytes", () => {
  it("stay as they are", async () => {
    const values = binary(["a", null, ""]);
    const decoder = await createPayloadDecoder("raw", "value");
    expect(await decoder.decode({ values })).toEqual({ column: values, poison: [] });
  });
});

/** One stream of `columns` in batches of 3 rows. */
function stream(schema: Schema, rows: number, dice: Dice): { bytes: Uint8Array; rows: unknown[][] } {
  const arrowSchema = toArrowSchema(schema);
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, arrowSchema);
  const all: unknown[][] = [];
  for (let at = 0; at < rows; at += 3) {
    const columns = randomColumns(dice, schema, Math.min(3, rows - at));
    all.push(...rowsOf(columns));
    writer.write(toRecordBatch(columns, arrowSchema));
  }
  writer.finish();
  return { bytes: writer.toUint8Array(true), rows: all };
}

describe("Arrow streams", () => {
  const schema: Schema = {
    fields: [
      { name: "a", type: { kind: "int", bits: 32, signed: true }, nullable: true },
      {
        name: "b",
        type: { kind: "list", child: { name: "item", type: { kind: "utf8" }, nullable: true } },
        nullable: true,
      },
    ],
    metadata: {},
  };

  it("are lists of their rows", async () => {
    const dice = new Dice(7);
    const streams = [4, 0, 1, 7].map((rows) => stream(schema, rows, dice));
    const values = [
      ...streams.slice(0, 2).map(({ bytes }) => bytes),
      null,
      ...streams.slice(2).map(({ bytes }) => bytes),
    ];
    const decoder = await createPayloadDecoder("arrow", "value", { values: binary(values) });
    const { column, poison } = await decoder.decode({ values: binary(values) });
    expect(poison).toEqual([]);
    const [one, two, three, four] = streams.map(({ rows }) => rows);
    expect(valuesOf(column)).toEqual([one, two, null, three, four]);
    expect(column.type).toMatchObject({
      kind: "list",
      child: { type: { kind: "struct", children: [{ name: "a" }, {}] } },
    });
    const resumed = await createPayloadDecoder(resumedOptions("arrow", decoder.resolved), "value");
    expect(await resumed.decode({ values: binary([null]) })).toMatchObject({ column: { nullCount: 1 }, poison: [] });
  });

  it("that are cut, mutated or of another schema are poison", async () => {
    const dice = new Dice(8);
    const good = stream(schema, 4, dice);
    const other = stream({ ...schema, fields: schema.fields.slice(0, 1) }, 2, dice);
    const decoder = await createPayloadDecoder({ as: "arrow", schema }, "value");
    const values: Value[] = [good.bytes, good.bytes.subarray(0, good.bytes.length - 9), other.bytes, "", good.bytes];
    const { column, poison } = await decoder.decode({ values: binary(values) });
    expect(poison.map(({ index }) => index)).toEqual([1, 2, 3]);
    for (const { error } of poison) expect(error).toBeInstanceOf(FormatError);
    expect(valuesOf(column)).toEqual([good.rows, null, null, null, good.rows]);
    for (let i = 0; i < 300; i++) {
      const bytes = Uint8Array.from(good.bytes);
      bytes[dice.below(bytes.length)] = dice.below(256);
      const mutated = await decoder.decode({ values: binary([bytes, good.bytes]) });
      expect(valuesOf(mutated.column)[1]).toEqual(good.rows);
    }
  });
});

describe("options", () => {
  it("are resolved to plain data that makes the same decoder again", async () => {
    const example = Uint8Array.from([0x0a, 0x0d, 0x0a, 0x0b, 0x0a, 1, 0x78, 0x12, 6, 0x1a, 4, 0x0a, 2, 1, 2]);
    const samples: [PayloadOptions, Value, unknown][] = [
      ["raw", "x", hex("x")],
      ["utf8", "x", hex("x")],
      ["json", '{"n":"x"}', [hex("x")]],
      ["example", example, [["0100000000000000", "0200000000000000"]]],
    ];
    for (const [options, value, wanted] of samples) {
      const sample = { values: binary([value]) };
      const made = await createPayloadDecoder(options, "value", sample);
      expect(valuesOf((await made.decode(sample)).column)).toEqual([wanted]);
      const resumed = resumedOptions(options, JSON.parse(JSON.stringify(made.resolved)));
      expect(wantsSample(resumed)).toBe(false);
      const again = await createPayloadDecoder(resumed, "value");
      expect(again.type).toEqual(made.type);
      expect(valuesOf((await again.decode(sample)).column)).toEqual([wanted]);
    }
  });

  it("without anything to see the columns by are refused, and unknown names too", async () => {
    for (const as of payloadNames) {
      if (wantsSample(as)) await expect(createPayloadDecoder(as, "value"), as).rejects.toThrow(OptionsError);
    }
    await expect(createPayloadDecoder("protobuf" as never, "value")).rejects.toThrow(/raw, utf8, json, avro, example/);
  });
});

describe("what was declared", () => {
  const int = { kind: "int", bits: 32, signed: true } as const;
  const json = (name: string) =>
    ({ as: "json", type: { kind: "struct", children: [{ name, type: int, nullable: true }] } }) as const;

  it("cannot be another thing in a run that goes on: the state's would stand, without a word", () => {
    const state = JSON.parse(JSON.stringify(json("a"))) as JsonValue;
    expect(resumedOptions("json", state)).toEqual(json("a"));
    expect(resumedOptions(json("a"), state)).toEqual(json("a"));
    expect(() => resumedOptions(json("b"), state)).toThrow(/read with another `type` before/);
    const bare = { as: "avro", writerSchema: '{"type":"long"}', readerSchema: '{"type":"long"}' };
    expect(resumedOptions({ as: "avro", writerSchema: ' {"type": "long"}' }, bare)).toEqual(bare);
    expect(() => resumedOptions({ as: "avro", writerSchema: '"int"' }, bare)).toThrow(StateError);
    const seen = { as: "example", inferred: {} };
    expect(() => resumedOptions({ as: "example", declared: { features: {} } }, seen)).toThrow(StateError);
    const fields = [{ name: "a", type: int, nullable: true }];
    const arrow = { as: "arrow", schema: { fields, metadata: {} } } as const;
    expect(resumedOptions({ ...arrow, schema: { fields, metadata: { a: "b" } } }, arrow)).toEqual(arrow);
  });
});

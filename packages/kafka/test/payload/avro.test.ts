import { FormatError, type JsonValue, OptionsError, SourceError, StateError, UnsupportedError } from "@ingest-ts/core";
import { type PlainValue, valuesOf } from "@ingest-ts/core/testing";
import { schemaFingerprint } from "@ingest-ts/readers/avro/datum";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AvroDecoder, type AvroPayloadOptions } from "../../src/payload/avro/index.ts";
import { createPayloadDecoder, resumedOptions } from "../../src/payload/index.ts";
import type { DecodedValues } from "../../src/payload/values.ts";
import { SchemaRegistry } from "../../src/registry/index.ts";
import { RegistryStub } from "../lib/registry-stub.ts";
import { binary, headersOf, type Value } from "./support.ts";

const text = (value: string): number[] => [value.length * 2, ...new TextEncoder().encode(value)];
const record = (name: string, ...fields: object[]): object => ({ type: "record", name, fields });
const first = record("R", { name: "x", type: "int" }, { name: "s", type: "string" });
/** x is wider, s is gone, a default takes its place; y is new. */
const second = record("R", { name: "x", type: "long" }, { name: "y", type: "double", default: 2.5 });

const framed = (id: number, ...bytes: number[]): number[] => [0, 0, 0, id >> 8, id & 255, ...bytes];
const guidBytes = (guid: string): number[] =>
  (guid.replaceAll("-", "").match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
const le = (value: number, bytes: number): string => {
  const out = Buffer.alloc(bytes);
  if (bytes === 4) out.writeInt32LE(value);
  else out.writeBigInt64LE(BigInt(value));
  return out.toString("hex");
};
const hex = (value: string): string => Buffer.from(value).toString("hex");

let stub: RegistryStub;
let options: AvroPayloadOptions;
beforeEach(async () => {
  stub = await RegistryStub.start();
  options = { as: "avro", registry: new SchemaRegistry({ url: stub.url }) };
});
afterEach(() => stub.stop());

async function decode(
  decoder: AvroDecoder,
  values: readonly Value[],
  headers?: Parameters<typeof headersOf>[0],
): Promise<{ values: PlainValue[]; faults: string[]; errors: unknown[] }> {
  const input = { values: binary(values), headers: headers === undefined ? undefined : headersOf(headers) };
  const { column, poison }: DecodedValues = await decoder.decode(input);
  expect(column.type).toEqual(decoder.type);
  expect(column.length).toBe(values.length);
  const faults = poison.map(({ index, error }) => `${index}: ${error.message}`);
  return { values: valuesOf(column), faults, errors: poison.map(({ error }) => error) };
}

const sampleOf = (...values: Value[]) => ({ values: binary(values) });

describe("Avro values in single-object encoding", () => {
  const named = (schema: object, ...bytes: number[]): number[] => {
    const fingerprint = Buffer.alloc(8);
    fingerprint.writeBigUInt64LE(schemaFingerprint(JSON.stringify(schema)));
    return [0xc3, 0x01, ...fingerprint, ...bytes];
  };
  const schemas = [JSON.stringify(first), JSON.stringify(second)];

  it("are resolved to the last of the declared schemas, each from the one that it names", async () => {
    const decoder = await AvroDecoder.create({ as: "avro", schemas }, "value", undefined);
    expect(decoder.type).toMatchObject({ kind: "struct", children: [{ name: "x" }, { name: "y" }] });
    const got = await decode(decoder, [
      named(first, 2, ...text("a")),
      null,
      named(second, 4, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f),
      named(record("R", { name: "q", type: "int" }), 2),
      framed(1, 2),
      [0xc3, 0x01],
    ]);
    expect(got.values.slice(0, 3)).toEqual([[le(1, 8), "0000000000000440"], null, [le(2, 8), "000000000000f03f"]]);
    expect(got.faults.map((each) => each.replace(/[0-9a-f]{16}/, "…"))).toEqual([
      expect.stringContaining("3: no declared schema has the fingerprint …"),
      expect.stringContaining("4: the bytes name no Avro schema"),
      expect.stringContaining("5: the bytes name no Avro schema"),
    ]);
  });

  it("keep their schemas in the state, and refuse others, or other sources of schemas beside them", async () => {
    const given = { as: "avro", schemas } as const;
    const { resolved } = await AvroDecoder.create(given, "value", undefined);
    const state = JSON.parse(JSON.stringify(resolved)) as JsonValue;
    expect(resumedOptions("avro", state)).toMatchObject({ schemas });
    expect(() => resumedOptions({ as: "avro", schemas: schemas.slice(1) }, state)).toThrow(StateError);
    for (const wrong of [
      { ...given, writerSchema: '"int"' },
      { ...options, schemas },
      { as: "avro", schemas: [] },
    ]) {
      await expect(AvroDecoder.create(wrong as AvroPayloadOptions, "value", undefined)).rejects.toThrow(OptionsError);
    }
    const none = AvroDecoder.create({ as: "avro", schemas: ["{}"] }, "value", undefined);
    await expect(none).rejects.toThrow(OptionsError);
  });
});

describe("Avro values in Confluent's framing", () => {
  it("become columns of the first record's schema, whatever comes later", async () => {
    const one = stub.register("t-value", first).id;
    const decoder = await AvroDecoder.create(options, "value", sampleOf(null, framed(one, 2, ...text("a"))));
    expect(decoder.type).toMatchObject({ kind: "struct", children: [{ name: "x" }, { name: "s" }] });
    const two = stub.register(
      "t-value",
      record("R", { name: "x", type: "int" }, { name: "s", type: "string" }, { name: "z", type: "int" }),
    ).id;
    const got = await decode(decoder, [
      framed(one, 2, ...text("a")),
      null,
      framed(two, 4, ...text("b"), 6),
      framed(one, 1, ...text("")),
    ]);
    expect(got.faults).toEqual([]);
    expect(got.values).toEqual([[le(1, 4), hex("a")], null, [le(2, 4), hex("b")], [le(-1, 4), ""]]);
    expect(stub.seen).toEqual(["GET /schemas/ids/1", "GET /schemas/ids/2"]);
    // Known schemas are decoded without waiting.
    expect(decoder.decode({ values: binary([framed(one, 2, ...text("a"))]) })).not.toBeInstanceOf(Promise);
  });

  it("are resolved to the declared schema or the subject's newest", async () => {
    const one = stub.register("t-value", first).id;
    const two = stub.register("t-value", second).id;
    const values = [framed(one, 2, ...text("a")), framed(two, 4, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f)];
    const wanted = [
      [le(1, 8), "0000000000000440"],
      [le(2, 8), "000000000000f03f"],
    ];
    const newest = await AvroDecoder.create({ ...options, subject: "t-value" }, "value", undefined);
    expect(await decode(newest, values)).toMatchObject({ values: wanted, faults: [] });
    const declared = await AvroDecoder.create({ ...options, readerSchema: JSON.stringify(second) }, "value", undefined);
    expect(await decode(declared, values)).toMatchObject({ values: wanted, faults: [] });
    stub.register("t-value", first);
    const resumed = await createPayloadDecoder(
      resumedOptions({ ...options, subject: "t-value" }, newest.resolved),
      "value",
    );
    expect(resumed.type).toEqual(newest.type);
  });

  it("name their schema in a header of key or value, by id or GUID, or by GUID in front", async () => {
    const { id, guid } = stub.register("t-value", first);
    const decoder = await AvroDecoder.create({ ...options, subject: "t-value" }, "key", undefined);
    const datum = [2, ...text("a")];
    const got = await decode(
      decoder,
      [datum, datum, [1, ...guidBytes(guid), ...datum], framed(id, ...datum), datum, datum],
      [
        [
          ["other", "x"],
          ["__key_schema_id", framed(id)],
        ],
        [
          ["__key_schema_id", [9]],
          ["__key_schema_id", [1, ...guidBytes(guid)]],
        ],
        [],
        [["__value_schema_id", framed(99)]],
        [["__key_schema_id", framed(id, 0)]],
        [],
      ],
    );
    const row = [le(1, 4), hex("a")];
    expect(got.values).toEqual([row, row, row, row, null, null]);
    expect(got.faults).toHaveLength(2);
    for (const fault of got.faults) expect(fault).toContain("name no Avro schema");
  });

  it("use schemas that others use, on both sides", async () => {
    stub.register("money", { type: "fixed", name: "Money", size: 2 });
    const { id } = stub.register("t", record("R", { name: "m", type: "Money" }), {
      references: [{ name: "Money", subject: "money", version: 1 }],
    });
    const decoder = await AvroDecoder.create(options, "value", sampleOf(framed(id, 1, 2)));
    expect((await decode(decoder, [framed(id, 1, 2)])).values).toEqual([["0102"]]);
    const resumed = await createPayloadDecoder(resumedOptions(options, decoder.resolved), "value");
    expect(resumed.type).toEqual(decoder.type);
  });

  it("that are broken are poison, each by its place", async () => {
    const { id } = stub.register("t", first);
    const json = stub.register("j", "{}", { schemaType: "JSON" }).id;
    const other = stub.register("o", record("R", { name: "x", type: "string" }, { name: "s", type: "string" })).id;
    const decoder = await AvroDecoder.create(options, "value", sampleOf([7], framed(id, 2, 0)));
    const good = framed(id, 2, ...text("a"));
    const values = [
      good,
      [7, 7, 7, 7, 7, 7],
      framed(55, 2, 0),
      framed(id, 2),
      framed(json, 2),
      [],
      [...good, 1],
      framed(other, 0, 0),
      good,
    ];
    const got = await decode(decoder, values);
    expect(got.values.map((value) => value !== null)).toEqual([true, ...Array(7).fill(false), true]);
    expect(got.faults.map((fault) => fault.slice(0, 2))).toEqual([1, 2, 3, 4, 5, 6, 7].map((i) => `${i}:`));
    expect(got.faults[1]).toMatch(/40403/);
    expect(got.errors[3]).toBeInstanceOf(UnsupportedError);
    expect(got.faults[2]).toContain(`schema ${id}`);
    expect(got.faults[6]).toContain(`schema ${other}`);
    for (const i of [0, 2, 4, 5, 6]) expect(got.errors[i]).toBeInstanceOf(FormatError);
    // All of one schema, and one of them broken: decoded where they lie.
    const uniform = await decode(decoder, [good, framed(id, 2), good]);
    expect(uniform.values[1]).toBeNull();
    expect(uniform.faults).toHaveLength(1);
  });

  it("are nothing of when the registry is down: no record is called bad for that", async () => {
    const { id } = stub.register("t", first);
    const impatient: AvroPayloadOptions = {
      as: "avro",
      registry: { url: stub.url, requestTimeoutMs: 300, retryTimeoutMs: 600 },
      readerSchema: JSON.stringify(first),
    };
    const decoder = await AvroDecoder.create(impatient, "value", undefined);
    stub.fault = () => ({ status: 500 });
    const started = performance.now();
    await expect(decode(decoder, [framed(id, 2, 0)])).rejects.toThrow(SourceError);
    stub.fault = () => ({ hang: true });
    await expect(decode(decoder, [framed(id, 2, 0)])).rejects.toThrow(/did not give schema 1/);
    expect(performance.now() - started).toBeLessThan(20_000);
    stub.fault = () => undefined;
    await expect
      .poll(() => decode(decoder, [framed(id, 2, 0)]).catch(() => undefined), { timeout: 30_000 })
      .toBeDefined();
  });

  it("want a schema from somewhere", async () => {
    await expect(AvroDecoder.create({ as: "avro" }, "value", undefined)).rejects.toThrow(OptionsError);
    await expect(AvroDecoder.create(options, "value", sampleOf(null, [1, 2]))).rejects.toThrow(/no record names/);
    await expect(AvroDecoder.create(options, "value", sampleOf(framed(3, 2)))).rejects.toThrow(OptionsError);
    await expect(AvroDecoder.create({ ...options, readerSchema: "{}" }, "value", undefined)).rejects.toThrow(
      OptionsError,
    );
    await expect(AvroDecoder.create({ ...options, writerSchema: '"int"' }, "value", undefined)).rejects.toThrow(
      OptionsError,
    );
  });
});

it("Avro values without framing", async () => {
  const bare: AvroPayloadOptions = {
    as: "avro",
    writerSchema: JSON.stringify(first),
    readerSchema: JSON.stringify(second),
  };
  const decoder = await AvroDecoder.create(bare, "value", undefined);
  expect(await decode(decoder, [[2, ...text("a")], null])).toMatchObject({
    values: [[le(1, 8), "0000000000000440"], null],
  });
});

import {
  type ByteSink,
  type Column,
  type Columns,
  type DataType,
  type Field,
  type Schema,
  UnsupportedError,
} from "@ingest-ts/core";
import { Dice, type PlainValue, randomColumns, rowsOf } from "@ingest-ts/core/testing";
import { acquireKernels } from "@ingest-ts/kernels";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createTFRecordWriter, type TFRecordWriterOptions, tfrecordSchemaJson } from "../../src/tfrecord/index.ts";
import { bytesOf, entry, feature, fromHex, frame, message, type Values } from "./reference.ts";

interface KeptSink extends ByteSink {
  readonly parts: Uint8Array[];
  state: string;
}

function keep(): KeptSink {
  const parts: Uint8Array[] = [];
  const sink: KeptSink = {
    parts,
    state: "open",
    write: async (bytes) => void parts.push(bytes.slice()),
    close: async () => void (sink.state = "closed"),
    abort: async () => void (sink.state = "aborted"),
  };
  return sink;
}

async function write(
  schema: Schema,
  batches: readonly Columns[],
  options: TFRecordWriterOptions = {},
): Promise<Uint8Array> {
  const sink = keep();
  const writer = await createTFRecordWriter(sink, schema, options);
  for (const batch of batches) await writer.write(batch);
  await writer.finish();
  expect(sink.state).toBe("closed");
  return bytesOf(...sink.parts);
}

const int = (bits: 8 | 16 | 32 | 64, signed = true): DataType => ({ kind: "int", bits, signed });
const float32: DataType = { kind: "float", bits: 32 };
const list = (type: DataType): DataType => ({ kind: "list", child: { name: "item", type, nullable: false } });
const fixed = (size: number, type: DataType): DataType => ({
  kind: "fixedSizeList",
  size,
  child: { name: "item", type, nullable: false },
});
const schemaOf = (types: Readonly<Record<string, DataType>>): Schema => ({
  fields: Object.entries(types).map(([name, type]): Field => ({ name, type, nullable: true })),
  metadata: {},
});

function little(hex: string): bigint {
  return BigInt(`0x${hex.match(/../g)?.toReversed().join("") ?? "0"}`);
}

/** The feature that a value becomes, in plain TypeScript: what the kernel is compared with. */
function referenceValue(value: PlainValue, type: DataType): Values | undefined {
  if (value === null) return undefined;
  let flat: PlainValue = value;
  let element = type;
  while (element.kind === "list" || element.kind === "fixedSizeList") {
    if (element.kind === "fixedSizeList" && element.child.type.kind === "fixedSizeList") {
      flat = (flat as PlainValue[]).flatMap((inner) => inner as PlainValue[]);
    }
    element = element.child.type;
  }
  const values = (Array.isArray(flat) ? flat : [flat]) as (string | boolean)[];
  if (element.kind === "float") {
    const bytes = values.map((hex) => fromHex(hex === "NaN" ? "0000c07f" : String(hex)));
    return { kind: "float32", values: bytes };
  }
  if (element.kind === "utf8" || element.kind === "binary" || element.kind === "fixedSizeBinary") {
    return { kind: "bytes", values: values.map((hex) => fromHex(String(hex))) };
  }
  const signed = element.kind !== "int" || element.signed;
  const integers = values.map((item) => {
    if (typeof item === "boolean") return item ? 1n : 0n;
    return signed ? BigInt.asIntN(item.length * 4, little(item)) : little(item);
  });
  return { kind: "int64", values: integers };
}

const encoder = new TextEncoder();

function reference(schema: Schema, columns: Columns): Uint8Array {
  const order = schema.fields
    .map((field, i) => ({ ...field, i }))
    .sort((a, b) => Buffer.compare(encoder.encode(a.name), encoder.encode(b.name)));
  const records = rowsOf(columns).map((row) => {
    const entries = order.flatMap(({ name, type, i }) => {
      const value = referenceValue(row[i] as PlainValue, type);
      return value === undefined ? [] : [entry(name, feature(value))];
    });
    return message(1, bytesOf(...entries));
  });
  return frame(...records);
}

/** NaN payloads are kept by the writer and not by `rowsOf`. */
function withoutNaN(columns: Columns): Columns {
  const clean = (column: Column): Column => {
    const { type, data } = column;
    if (type.kind !== "float" || data === null) return { ...column, children: column.children.map(clean) };
    const floats = new Float32Array(data.slice().buffer).map((value) => (Number.isNaN(value) ? Number.NaN : value));
    return { ...column, data: new Uint8Array(floats.buffer) };
  };
  return { rows: columns.rows, columns: columns.columns.map(clean) };
}

describe("the bytes of our kernel", () => {
  const schema = schemaOf({
    é: int(64),
    z: int(32),
    a: int(16),
    B: int(8),
    "": int(32, false),
    u16: int(16, false),
    u8: int(8, false),
    bool: { kind: "bool" },
    date: { kind: "date", unit: "day" },
    float: float32,
    text: { kind: "utf8" },
    raw: { kind: "fixedSizeBinary", byteWidth: 3 },
    [`a name of ${"many ".repeat(40)}letters`]: int(64),
    floats: list(float32),
    integers: list(int(64)),
    bools: list({ kind: "bool" }),
    words: list({ kind: "utf8" }),
    matrix: fixed(2, fixed(3, float32)),
    flags: fixed(3, { kind: "bool" }),
    none: fixed(0, int(16)),
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("are those of plain TypeScript, seed %i", async (seed) => {
    const columns = withoutNaN(randomColumns(new Dice(seed), schema, 200));
    expect(Buffer.compare(await write(schema, [columns]), reference(schema, columns))).toBe(0);
  });

  it("are the same in pieces, and when a record is larger than the output", async () => {
    const value = Uint8Array.from({ length: 9_000_000 }, (_, i) => i * 31);
    const type: DataType = { kind: "binary" };
    const base = { nullCount: 0, validity: null, children: [], dictionary: null };
    const offsets = Int32Array.of(0, 10, value.length, value.length);
    const columns: Columns = { rows: 3, columns: [{ ...base, type, length: 3, offsets, data: value }] };
    const got = await write(schemaOf({ x: type }), [columns]);
    const parts = [value.subarray(0, 10), value.subarray(10), new Uint8Array(0)];
    const records = parts.map((part) => message(1, entry("x", feature({ kind: "bytes", values: [part] }))));
    expect(Buffer.compare(got, frame(...records))).toBe(0);
  });

  it("are small for TensorFlow's own example", async () => {
    const type = int(64);
    const data = new Uint8Array(BigInt64Array.of(13n).buffer);
    const column: Column = {
      type,
      length: 1,
      nullCount: 0,
      validity: null,
      offsets: null,
      data,
      children: [],
      dictionary: null,
    };
    const got = await write(schemaOf({ age: type }), [{ rows: 1, columns: [column] }]);
    expect(got).toEqual(frame(fromHex("0a0e0a0c0a0361676512051a030a010d")));
  });

  it("of no rows are none, or an empty gzip stream", async () => {
    expect(await write(schema, [])).toEqual(new Uint8Array(0));
    expect(gunzipSync(await write(schema, [], { codec: "gzip" }))).toHaveLength(0);
  });
});

describe("values that TFRecord cannot hold", () => {
  const nulls = (type: DataType): Column => ({
    type,
    length: 2,
    nullCount: 1,
    validity: Uint8Array.of(1),
    offsets: null,
    data: new Uint8Array(16),
    children: [],
    dictionary: null,
  });
  const around = (type: DataType, child: Column): Column => ({
    ...child,
    type,
    length: 1,
    nullCount: 0,
    validity: null,
    offsets: type.kind === "list" ? Int32Array.of(0, 2) : null,
    data: null,
    children: [child],
  });

  it.each([list(int(32)), fixed(2, int(32))])("a null inside a list, by name: $kind", async (type) => {
    const sink = keep();
    const writer = await createTFRecordWriter(sink, schemaOf({ x: type }));
    const failure = writer.write({ rows: 1, columns: [around(type, nulls(int(32)))] });
    await expect(failure).rejects.toThrow(UnsupportedError);
    await expect(failure).rejects.toThrow(`a null inside a column of type ${type.kind} (column "x")`);
    await expect(writer.finish()).rejects.toThrow("cannot go on after an error");
    await writer.abort();
    expect([sink.state, sink.parts.length]).toEqual(["aborted", 0]);
    expect(acquireKernels().arena.idle).toBe(true);
  });

  it("a null below a null is none", async () => {
    const type = list(int(32));
    const column: Column = { ...around(type, nulls(int(32))), nullCount: 1, validity: Uint8Array.of(0) };
    expect(await write(schemaOf({ x: type }), [{ rows: 1, columns: [column] }])).toEqual(frame(message(1, [])));
  });

  it("an unsigned integer above int64, by value", async () => {
    const type = int(64, false);
    const data = new Uint8Array(BigUint64Array.of(1n, 2n ** 63n).buffer);
    const writer = await createTFRecordWriter(keep(), schemaOf({ x: type }));
    const column: Column = { ...nulls(type), nullCount: 0, validity: null, data };
    await expect(writer.write({ rows: 2, columns: [column] })).rejects.toThrow("9223372036854775808");
    await writer.abort();
  });

  it("two columns of one name", async () => {
    const field: Field = { name: "x", type: int(8), nullable: true };
    const failure = createTFRecordWriter(keep(), { fields: [field, field], metadata: {} });
    await expect(failure).rejects.toThrow(UnsupportedError);
  });

  it("options out of range", async () => {
    const schema = schemaOf({ x: int(8) });
    for (const options of [{ codec: "zstd" }, { level: 10 }, { float64: "round" }]) {
      const failure = createTFRecordWriter(keep(), schema, options as TFRecordWriterOptions);
      await expect(failure).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    }
  });
});

describe("the schema beside a file", () => {
  it("declares features as people do, and keeps the Arrow schema", () => {
    const fields: Field[] = [
      { name: "id", type: int(32), nullable: false },
      { name: "maybe", type: { kind: "timestamp", unit: "ms", timezone: "UTC" }, nullable: true },
      { name: "matrix", type: fixed(2, fixed(3, float32)), nullable: false },
      { name: "words", type: list({ kind: "utf8" }), nullable: false },
      { name: "nothing", type: { kind: "null" }, nullable: true },
    ];
    const metadata = { made: "here" };
    expect(tfrecordSchemaJson({ fields, metadata })).toEqual({
      recordType: "example",
      features: {
        id: { kind: "fixedLen", dtype: "int64", shape: [] },
        maybe: { kind: "varLen", dtype: "int64" },
        matrix: { kind: "fixedLen", dtype: "float32", shape: [2, 3] },
        words: { kind: "varLen", dtype: "bytes" },
      },
      arrow: { fields, metadata },
    });
  });

  it("keeps the order of names that look like numbers", () => {
    const schema = schemaOf({ b: int(8) });
    const numbers: Schema = { ...schema, fields: [...schema.fields, { name: "1", type: int(8), nullable: true }] };
    expect(tfrecordSchemaJson(numbers)).toMatchObject({
      features: [
        { name: "b", kind: "varLen", dtype: "int64" },
        { name: "1", kind: "varLen", dtype: "int64" },
      ],
    });
  });
});

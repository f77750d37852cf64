// Every format behind `open` passes the same kit, on objects of our writers and on files of other projects' writers.
import { readFile } from "node:fs/promises";
import type { ByteSink, Columns, DataType, Schema } from "@ingest-ts/core";
import { Dice, flatTypes, randomColumns, randomSchema } from "@ingest-ts/core/testing";
import { testFormat } from "@ingest-ts/readers/testing";
import { createParquetWriter, type ParquetWriterOptions } from "@ingest-ts/writers/parquet";
import { createTFRecordWriter, type TFRecordWriterOptions, tfrecordSchemaJson } from "@ingest-ts/writers/tfrecord";
import { describe, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";

interface Written {
  readonly schema: Schema;
  readonly columns: Columns;
}

type CreateWriter = (sink: ByteSink) => ReturnType<typeof createParquetWriter>;

async function write(create: CreateWriter, { columns }: Written): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = await create(sink);
  await writer.write(columns);
  await writer.finish();
  return sink.bytes;
}

function named(types: readonly DataType[]): Schema {
  return { fields: types.map((type, i) => ({ name: `c${i}`, type, nullable: true })), metadata: {} };
}

function sample(seed: number, schema: Schema): Written {
  return { schema, columns: randomColumns(new Dice(seed), schema, 230) };
}

function parquet(written: Written, options: ParquetWriterOptions): () => Promise<Uint8Array> {
  return () => write((sink) => createParquetWriter(sink, written.schema, { rowGroupRows: 100, ...options }), written);
}

const flat = sample(1, named(flatTypes));
const nested = sample(2, randomSchema(new Dice(2), { columns: 6 }));

describe("Parquet, flat columns, snappy", () => testFormat(it, { format: "parquet", bytes: parquet(flat, {}) }));
describe("Parquet, flat columns, small pages v2, zstd", () =>
  testFormat(it, {
    format: "parquet",
    bytes: parquet(flat, { codec: "zstd", pageBytes: 100, dataPageVersion: 2 }),
  }));
describe("Parquet, nested columns", () =>
  testFormat(it, { format: "parquet", bytes: parquet(nested, { pageBytes: 200 }) }));

const integer: DataType = { kind: "int", bits: 64, signed: true };
const records = sample(
  3,
  named([
    integer,
    { kind: "float", bits: 32 },
    { kind: "utf8" },
    { kind: "binary" },
    { kind: "list", child: { name: "item", type: integer, nullable: false } },
  ]),
);

function tfrecord(options: TFRecordWriterOptions): () => Promise<Uint8Array> {
  return () => write((sink) => createTFRecordWriter(sink, records.schema, options), records);
}

const declared = { schema: tfrecordSchemaJson(records.schema) as unknown };

describe("TFRecord, inferred", () => testFormat(it, { format: "tfrecord", bytes: tfrecord({}) }));
describe("TFRecord, declared", () => testFormat(it, { format: "tfrecord", bytes: tfrecord({}), options: declared }));
describe("TFRecord, gzip", () => testFormat(it, { format: "tfrecord", bytes: tfrecord({ codec: "gzip" }) }));

const fixture = (path: string) => async (): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(`fixtures/${path}`, import.meta.url)));

for (const name of ["flat-v11", "nested"]) {
  describe(`ORC, ${name}`, () => testFormat(it, { format: "orc", bytes: fixture(`orc/${name}.orc`) }));
}
for (const name of ["flat-deflate", "nested", "root-union"]) {
  describe(`Avro, ${name}`, () => testFormat(it, { format: "avro", bytes: fixture(`avro/${name}.avro`) }));
}

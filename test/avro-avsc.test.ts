// Avro of our writer read by avsc: null and deflate, without longs beyond 2^53 (avsc refuses those).
import { once } from "node:events";
import { inflateRaw } from "node:zlib";
import { byteWidthOf, type DataType, type Schema } from "@ingest-ts/core";
import { Dice, flatTypes, type PlainValue, randomColumns, randomSchema, rowsOf } from "@ingest-ts/core/testing";
import { createAvroWriter } from "@ingest-ts/writers/avro";
import avsc from "avsc";
import { describe, expect, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";

/** All rows as avsc has them. */
async function readByAvsc(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  const inflate = (data: Buffer, done: (error: Error | null, plain?: Buffer) => void): void => {
    inflateRaw(data, done);
  };
  const decoder = new avsc.streams.BlockDecoder({
    codecs: { null: (data, done) => done(null, data), deflate: inflate },
  });
  const rows: Record<string, unknown>[] = [];
  decoder.on("data", (row: Record<string, unknown>) => rows.push(row));
  const ended = once(decoder, "end");
  decoder.end(Buffer.from(bytes));
  await ended;
  return rows;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** An integer in `width` bytes, little-endian, as Arrow has it. */
function integerHex(value: number, width: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return hex(bytes.subarray(0, width));
}

/** Unscaled, big-endian, as Avro has it: little-endian in `width` bytes. */
function decimalHex(bytes: Uint8Array, width: number): string {
  const out = new Uint8Array(width).fill((bytes[0] as number) >= 0x80 ? 0xff : 0);
  out.set(Uint8Array.from(bytes).reverse());
  return hex(out);
}

/** What avsc has for a value, in the form that `rowsOf` gives. */
function plainOf(value: unknown, type: DataType): PlainValue {
  if (value === null || type.kind === "null") return null;
  switch (type.kind) {
    case "bool":
      return value as boolean;
    case "int":
      return integerHex(value as number, type.bits / 8);
    case "float": {
      if (Number.isNaN(value)) return "NaN";
      const array = type.bits === 32 ? Float32Array : Float64Array;
      return hex(new Uint8Array(array.of(value as number).buffer));
    }
    case "utf8":
    case "largeUtf8":
      return hex(Buffer.from(value as string));
    case "decimal":
      return decimalHex(value as Uint8Array, type.bits / 8);
    case "date":
      return integerHex((value as number) * (type.unit === "day" ? 1 : 86_400_000), byteWidthOf(type));
    case "time":
      return integerHex(type.unit === "s" ? (value as number) / 1000 : (value as number), byteWidthOf(type));
    case "list":
    case "largeList":
    case "fixedSizeList":
      return (value as unknown[]).map((item) => plainOf(item, type.child.type));
    case "map": {
      const [keys, values] = (type.child.type as Extract<DataType, { kind: "struct" }>).children.map(
        (field) => field.type,
      );
      // Avro's keys are text; other maps are arrays of pairs.
      const entries = Array.isArray(value)
        ? (value as { key: unknown; value: unknown }[]).map((pair) => [pair.key, pair.value] as const)
        : Object.entries(value as Record<string, unknown>);
      return entries.map(([key, item]) => [plainOf(key, keys as DataType), plainOf(item, values as DataType)]);
    }
    case "struct":
      return type.children.map(({ name, type: inner }) => plainOf((value as Record<string, unknown>)[name], inner));
    default:
      return hex(value as Uint8Array);
  }
}

const isWide = (type: DataType): boolean =>
  byteWidthOf(type) === 8 && !["float", "fixedSizeBinary"].includes(type.kind) && type.kind !== "date";
/** Halves are floats in Avro; the other reader's test has them. */
const flat = flatTypes.filter((type) => !isWide(type) && !(type.kind === "float" && type.bits === 16));

describe("Avro of our writer, read by avsc", () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))("has the rows that were written, seed %i", async (seed) => {
    const dice = new Dice(seed);
    const nested = ["list", "largeList", "fixedSizeList", "map", "struct"] as const;
    const schema: Schema = randomSchema(dice, { columns: 5, depth: 5, flat, nested });
    const rows = randomColumns(dice, schema, dice.pick([0, 1, 60, 300]));
    const sink = memorySink();
    const codec = dice.pick(["null", "deflate"] as const);
    const writer = await createAvroWriter(sink, schema, { codec, blockBytes: dice.pick([1, 500, 65_536]) });
    await writer.write(rows);
    await writer.finish();
    const found = await readByAvsc(sink.bytes);
    const plain = found.map((row) => schema.fields.map(({ name, type }) => plainOf(row[name], type)));
    expect(plain).toEqual(rowsOf(rows));
  });
});

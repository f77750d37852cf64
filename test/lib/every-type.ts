import type { Column, DataType, Field, Schema } from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { RecordBatchStreamWriter } from "apache-arrow";

const ROWS = 4;
/** The last row is null wherever a column can be. */
const lastNull = { validity: Uint8Array.of(0b0111), nullCount: 1 };

function column(type: DataType, data: ArrayBufferView | null, rest: Partial<Column> = {}): Column {
  const bytes = data === null ? null : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { type, length: ROWS, data: bytes, offsets: null, children: [], dictionary: null, ...lastNull, ...rest };
}

function strings(type: DataType, values: readonly string[], rest: Partial<Column> = {}): Column {
  const parts = values.map((value) => Buffer.from(value, "utf8"));
  let end = 0;
  const offsets = Int32Array.from([0, ...parts.map((part) => (end += part.length))]);
  return column(type, Buffer.concat(parts), { length: values.length, offsets, ...rest });
}

const int8: DataType = { kind: "int", bits: 8, signed: true };
const utf8: DataType = { kind: "utf8" };
const noNulls = { validity: null, nullCount: 0 };
const item = (type: DataType): Field => ({ name: "item", type, nullable: true });

function decimals(values: readonly bigint[], words: number): BigUint64Array {
  return BigUint64Array.from(
    values.flatMap((value) =>
      Array.from({ length: words }, (_, word) => BigInt.asUintN(64, value >> BigInt(64 * word))),
    ),
  );
}

function flat(): [string, Column][] {
  const timestamps = BigInt64Array.of(-1n, 1_600_000_000_123_456n, 253_402_300_800_000_000n, 0n);
  return [
    ["bool", column({ kind: "bool" }, Uint8Array.of(0b0101))],
    ["int8", column(int8, Int8Array.of(-128, 0, 127, 0))],
    ["int64", column({ kind: "int", bits: 64, signed: true }, BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n, 7n, 0n))],
    ["uint64", column({ kind: "int", bits: 64, signed: false }, BigUint64Array.of(2n ** 64n - 1n, 0n, 1n, 0n))],
    ["half", column({ kind: "float", bits: 16 }, Uint16Array.of(0x3c00, 0x7e00, 0x8000, 0))],
    ["single", column({ kind: "float", bits: 32 }, Float32Array.of(0.1, -Infinity, 1e10, 0))],
    ["double", column({ kind: "float", bits: 64 }, Float64Array.of(0.1, Number.NaN, -0, 0))],
    ["text", strings(utf8, ['quote " comma,', "line\nbreak\u001b[31m", "größe 漢字 😀", ""])],
    ["empty", strings(utf8, ["", "x", "", ""])],
    ["binary", strings({ kind: "binary" }, ["abc", "", "\u0000", ""])],
    ["fixed", column({ kind: "fixedSizeBinary", byteWidth: 2 }, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))],
    [
      "decimal",
      column({ kind: "decimal", bits: 128, precision: 38, scale: 2 }, decimals([-5n, 10n ** 37n, 0n, 0n], 2)),
    ],
    [
      "decimal256",
      column({ kind: "decimal", bits: 256, precision: 76, scale: 76 }, decimals([1n, -(10n ** 75n), 0n, 0n], 4)),
    ],
    ["date", column({ kind: "date", unit: "day" }, Int32Array.of(0, -1, 2_932_897, 0))],
    ["time", column({ kind: "time", unit: "ns" }, BigInt64Array.of(0n, 1n, 86_399_999_999_999n, 0n))],
    ["naive", column({ kind: "timestamp", unit: "us", timezone: null }, timestamps)],
    ["instant", column({ kind: "timestamp", unit: "us", timezone: "UTC" }, timestamps)],
    ["seconds", column({ kind: "timestamp", unit: "s", timezone: "Europe/Vienna" }, BigInt64Array.of(0n, -1n, 1n, 0n))],
    ["duration", column({ kind: "duration", unit: "ms" }, BigInt64Array.of(1500n, -1n, 0n, 0n))],
    [
      "interval",
      column(
        { kind: "interval", unit: "monthDayNano" },
        Int32Array.of(1, -2, 3, 0, 0, 0, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0),
      ),
    ],
    ["nothing", column({ kind: "null" }, null, { validity: null, nullCount: ROWS })],
  ];
}

function nested(): [string, Column][] {
  const pair: DataType = {
    kind: "struct",
    children: [
      { name: "x", type: int8, nullable: true },
      { name: "x", type: utf8, nullable: true },
    ],
  };
  const entries: DataType = {
    kind: "struct",
    children: [
      { name: "key", type: utf8, nullable: false },
      { name: "value", type: int8, nullable: true },
    ],
  };
  const bytes = column(int8, Int8Array.of(1, 2, 3, 4));
  const words = strings(utf8, ["a", "b", "a", "d"], noNulls);
  const union: DataType = { kind: "union", mode: "dense", typeIds: [3, 5], children: [item(int8), item(utf8)] };
  const dictionary: DataType = { kind: "dictionary", index: int8 as never, value: utf8, ordered: false };
  const offsets = Int32Array.of(0, 2, 2, 4, 4);
  return [
    ["list", column({ kind: "list", child: item(int8) }, null, { offsets, children: [bytes] })],
    ["pairs", column({ kind: "fixedSizeList", size: 1, child: item(utf8) }, null, { children: [words] })],
    ["struct", column(pair, null, { children: [bytes, words] })],
    [
      "map",
      column({ kind: "map", keysSorted: false, child: { name: "entries", type: entries, nullable: false } }, null, {
        offsets,
        children: [column(entries, null, { children: [words, bytes], ...noNulls })],
      }),
    ],
    [
      "union",
      column(union, Int8Array.of(3, 5, 3, 5), {
        offsets: Int32Array.of(0, 0, 3, 1),
        children: [bytes, words],
        ...noNulls,
      }),
    ],
    ["words", column(dictionary, Int8Array.of(0, 1, 1, 0), { dictionary: words })],
    ["int8", column(int8, Int8Array.of(9, 8, 7, 6))],
  ];
}

/** An Arrow stream of four rows with a column of nearly every type, and one name twice. */
export function everyTypeStream(): Uint8Array {
  const columns = [...flat(), ...nested()];
  const schema: Schema = { fields: columns.map(([name, { type }]) => ({ name, type, nullable: true })), metadata: {} };
  const arrowSchema = toArrowSchema(schema);
  const writer = new RecordBatchStreamWriter();
  writer.write(toRecordBatch({ rows: ROWS, columns: columns.map(([, each]) => each) }, arrowSchema));
  writer.finish();
  return writer.toUint8Array(true);
}

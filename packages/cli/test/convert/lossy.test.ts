import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Column, DataType, Schema } from "@ingest-ts/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConvertSettings, convertFile, readTable, writeArrow } from "./support.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest lossy "));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const uint64: DataType = { kind: "int", bits: 64, signed: false };
const float64: DataType = { kind: "float", bits: 64 };

function column(type: DataType, data: ArrayBufferView | null, parts: Partial<Column> = {}): Column {
  const bytes = data === null ? null : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const nothing = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
  return { ...nothing, type, length: 2, data: bytes, ...parts };
}

/** Writes the columns as Arrow and converts them to `output`. */
async function convert(columns: Record<string, Column>, output: string, settings: ConvertSettings): Promise<string[]> {
  const fields = Object.entries(columns).map(([name, { type }]) => ({ name, type, nullable: true }));
  const schema: Schema = { fields, metadata: {} };
  await writeArrow(join(folder, "in.arrow"), schema, [{ rows: 2, columns: Object.values(columns) }]);
  const told: string[] = [];
  const onLossy = (changes: readonly string[]): number => told.push(...changes);
  await convertFile(join(folder, "in.arrow"), join(folder, output), { ...settings, onLossy });
  return told;
}

const big = (): Column => column(uint64, BigUint64Array.of(2n ** 64n - 1n, 5n));
const doubles = (...values: number[]): Column => column(float64, Float64Array.from(values));
const pair = (): Column => {
  const type: DataType = { kind: "struct", children: [{ name: "u", type: uint64, nullable: true }] };
  return column(type, null, { children: [big()], nullCount: 1, validity: Uint8Array.of(0b01) });
};
const late = (): Column =>
  column({ kind: "timestamp", unit: "us", timezone: null }, BigInt64Array.of(0n, 253_402_300_800_000_000n));

describe("what a format cannot hold", () => {
  it.each<[string, string, Record<string, Column>, RegExp]>([
    ["a uint64 value in ORC", "out.orc", { x: big() }, /uint64 18446744073709551615 \(column "x"\)\. Leave the column/],
    ["a uint64 value in Avro", "out.avro", { x: big() }, /uint64 18446744073709551615 \(column "x"\).*--lossy/],
    ["one inside a struct", "out.orc", { s: pair() }, /uint64 18446744073709551615 \(column "s\.u"\)/],
    ["a timestamp beyond ORC's", "out.orc", { t: late() }, /1677 to 2262, in timestamp\[us\] \(column "t"\)/],
    ["float64 in TFRecord", "out.tfrecord", { f: doubles(1, 2) }, /float64 exactly \(column "f"\).*--float64 bits/],
    ["a struct in TFRecord", "out.tfrecord", { s: pair() }, /struct.* \(column "s"\).*--lossy/],
    ["a name in Avro", "out.avro", { "a b": doubles(1, 2) }, /name "a b".*\(column "a b"\).*--lossy/],
  ])("is refused by column and type, and nothing is left behind: %s", async (_, output, columns, message) => {
    const failure = convert(columns, output, {});
    await expect(failure).rejects.toMatchObject({ code: "INGEST_UNSUPPORTED" });
    await expect(failure).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual(["in.arrow"]);
  });

  it("--lossy: uint64 as decimal(20, 0), also inside others", async () => {
    for (const output of ["out.orc", "out.avro"]) {
      const told = await convert({ x: big(), s: pair() }, output, { lossy: true });
      expect(told).toEqual([
        '"x": uint64 as decimal128(20, 0)',
        '"s": struct<u: uint64> as struct<u: decimal128(20, 0)>',
      ]);
      const { schema, rows } = await readTable(join(folder, output));
      const decimal = { kind: "decimal", bits: 128, precision: 20, scale: 0 };
      expect(schema.fields[0]?.type).toEqual(decimal);
      expect(schema.fields[1]?.type).toMatchObject({ kind: "struct", children: [{ name: "u", type: decimal }] });
      const hex = ["ffffffffffffffff0000000000000000", "05000000000000000000000000000000"];
      expect(rows.map(([x]) => x)).toEqual(hex);
      expect(JSON.stringify(rows[1]?.[1])).toBe("null");
    }
  });

  it("--lossy: float64 as the nearest float32; what that makes infinite is refused", async () => {
    const told = await convert({ f: doubles(0.1, -Infinity) }, "out.tfrecord", { lossy: true });
    expect(told).toEqual(['"f": float64 as float32']);
    const { schema, rows } = await readTable(join(folder, "out.tfrecord"));
    expect(schema.fields[0]?.type).toEqual({ kind: "float", bits: 32 });
    const hex = (value: number): string => Buffer.from(Float32Array.of(value).buffer).toString("hex");
    expect(rows).toEqual([[hex(0.1)], [hex(-Infinity)]]);
    const failure = convert({ f: doubles(1, 1e300) }, "other.tfrecord", { lossy: true });
    await expect(failure).rejects.toThrow(/1e\+300 is beyond float32.*column "f"/);
    expect((await readdir(folder)).sort()).toEqual(["in.arrow", "out.tfrecord", "out.tfrecord.schema.json"]);
  });

  it("--lossy: text for what else does not fit, and names that Avro can have", async () => {
    const told = await convert({ s: pair(), ok: doubles(1, 2) }, "out.tfrecord", {
      lossy: true,
      options: { float64: "bits" },
    });
    expect(told).toEqual(['"s": struct as text']);
    const { rows } = await readTable(join(folder, "out.tfrecord"));
    expect(rows.map(([s]) => s)).toEqual([Buffer.from('{"u":18446744073709551615}').toString("hex"), null]);
    expect(await convert({ "1 a": doubles(1, 2) }, "out.avro", { lossy: true })).toEqual([
      '"1 a": "_1_a", with _ for what Avro\'s names cannot have',
    ]);
    expect((await readTable(join(folder, "out.avro"))).schema.fields.map(({ name }) => name)).toEqual(["_1_a"]);
  });

  it("--lossy changes nothing where everything fits", async () => {
    expect(await convert({ x: big(), f: doubles(1, 2), s: pair() }, "out.parquet", { lossy: true })).toEqual([]);
  });
});

import { readFileSync } from "node:fs";
import { type DataType, OptionsError, type Schema, UnsupportedError } from "@ingest-ts/core";
import { Dice, randomColumns } from "@ingest-ts/core/testing";
import { createParquetWriter, type ParquetWriterOptions } from "@ingest-ts/writers/parquet";
import { describe, expect, it } from "vitest";
import { CREATED_BY } from "../../src/parquet/writer.ts";
import { column, fixedColumn, MemorySink, rowsOf, schemaOf, textColumn, writeAll } from "./support.ts";

const int32: DataType = { kind: "int", bits: 32, signed: true };
const int64: DataType = { kind: "int", bits: 64, signed: true };

describe("what Parquet cannot hold", () => {
  const struct = (type: DataType): DataType => ({
    kind: "struct",
    children: [{ name: "inner", type, nullable: true }],
  });
  it.each<[string, DataType, RegExp]>([
    ["an interval", { kind: "interval", unit: "monthDayNano" }, /interval\[monthDayNano\].*column "x"/],
    ["a union", { kind: "union", mode: "dense", typeIds: [], children: [] }, /dense union.*column "x"/],
    [
      "a union inside",
      struct({ kind: "union", mode: "sparse", typeIds: [], children: [] }),
      /sparse union.*"x\.inner"/,
    ],
    ["an empty struct", { kind: "struct", children: [] }, /struct without fields.*column "x"/],
    ["values of no bytes", { kind: "fixedSizeBinary", byteWidth: 0 }, /fixedSizeBinary\[0\]/],
    ["a negative scale", { kind: "decimal", bits: 128, precision: 5, scale: -1 }, /decimal128\(5, -1\)/],
    [
      "a dictionary of lists",
      {
        kind: "dictionary",
        index: { kind: "int", bits: 32, signed: true },
        value: { kind: "list", child: { name: "item", type: int32, nullable: true } },
        ordered: false,
      },
      /type list cannot be stored/,
    ],
  ])("is refused by name before a byte is written: %s", async (_, type, message) => {
    const sink = new MemorySink();
    const created = createParquetWriter(sink, schemaOf(type));
    await expect(created).rejects.toThrow(UnsupportedError);
    await expect(created).rejects.toThrow(message);
    expect(sink).toMatchObject({ parts: [], state: "open" });
  });

  it.each<[string, DataType, ArrayBufferView, RegExp]>([
    ["part of a day", { kind: "date", unit: "ms" }, BigInt64Array.of(86_400_001n), /86400001 ms is not a whole day/],
    ["a day past 32 bits", { kind: "date", unit: "ms" }, BigInt64Array.of(86_400_000n * 2n ** 31n), /not a whole day/],
    ["a large time", { kind: "time", unit: "s" }, Int32Array.of(2_147_484), /2147484 s is too large/],
    [
      "a large timestamp",
      { kind: "timestamp", unit: "s", timezone: null },
      BigInt64Array.of(2n ** 62n),
      /4611686018427387904 s is too large/,
    ],
  ])("is refused with its column: %s", async (_, type, values, message) => {
    const rows = rowsOf(fixedColumn(type, values));
    const written = writeAll(schemaOf(type), [rows]);
    await expect(written).rejects.toThrow(OptionsError);
    await expect(written).rejects.toThrow(message);
    await expect(written).rejects.toThrow(/column "x"/);
  });

  it.each([
    [9, 2n ** 31n],
    [18, -(2n ** 63n) - 1n],
    [20, 2n ** 71n],
  ])("is refused: a decimal of precision %d holding %d", async (precision, value) => {
    const type: DataType = { kind: "decimal", bits: 128, precision, scale: 0 };
    const words = BigUint64Array.of(BigInt.asUintN(64, value), BigInt.asUintN(64, value >> 64n));
    const rows = rowsOf({ ...column(type, 1), data: new Uint8Array(words.buffer) });
    await expect(writeAll(schemaOf(type), [rows])).rejects.toThrow(`declared precision of ${precision}`);
  });
});

describe("options", () => {
  it.each<[ParquetWriterOptions, RegExp]>([
    [{ codec: "lzo" as never }, /codec "lzo"/],
    [{ codec: "toString" as never }, /codec "toString"/],
    [{ level: 1.5 }, /level/],
    [{ rowGroupRows: 0 }, /rowGroupRows/],
    [{ rowGroupBytes: NaN }, /rowGroupBytes/],
    [{ pageBytes: 2 ** 40 }, /pageBytes/],
    [{ dataPageVersion: 3 as never }, /dataPageVersion/],
    [{ dictionary: ["y"] }, /"y"/],
  ])("that are wrong are refused before a byte is written: %o", async (options, message) => {
    const sink = new MemorySink();
    const created = createParquetWriter(sink, schemaOf(int32), options);
    await expect(created).rejects.toThrow(OptionsError);
    await expect(created).rejects.toThrow(message);
    expect(sink.parts).toEqual([]);
  });
});

describe("rows that do not follow the schema", () => {
  const schema: Schema = {
    fields: [
      { name: "a", type: int32, nullable: false },
      { name: "b", type: { kind: "timestamp", unit: "us", timezone: "UTC" }, nullable: false },
    ],
    metadata: {},
  };
  const a = fixedColumn(int32, Int32Array.of(1));
  const b = (unit: "us" | "ms", timezone: string | null): ReturnType<typeof fixedColumn> =>
    fixedColumn({ kind: "timestamp", unit, timezone }, BigInt64Array.of(1n));
  it.each([
    ["a column less", rowsOf(a), /1 columns/],
    ["another type", rowsOf(fixedColumn(int64, BigInt64Array.of(1n)), b("us", "UTC")), /column "a"/],
    ["another unit", rowsOf(a, b("ms", "UTC")), /column "b"/],
    ["no time zone", rowsOf(a, b("us", null)), /column "b"/],
    ["too few values", { rows: 2, columns: [a, b("us", "UTC")] }, /1 values in 2 rows/],
    ["too few bytes", rowsOf({ ...a, data: new Uint8Array(3) }, b("us", "UTC")), /3 bytes instead of 4/],
    ["a null without a bitmap", rowsOf({ ...a, nullCount: 1 }, b("us", "UTC")), /without a validity bitmap/],
  ])("are refused: %s", async (_, rows, message) => {
    await expect(writeAll(schema, [rows])).rejects.toThrow(message);
    await expect(writeAll(schema, [rows])).rejects.toThrow(OptionsError);
  });

  it("may name another zone of the same instants", async () => {
    await writeAll(schema, [rowsOf(a, b("us", "Europe/Vienna"))]);
  });
});

describe("a writer's life", () => {
  const good = rowsOf(fixedColumn(int32, Int32Array.of(1, 2, 3)));

  it("counts rows and bytes", async () => {
    const sink = new MemorySink();
    const writer = await createParquetWriter(sink, schemaOf(int32), { rowGroupRows: 2 });
    await writer.write(good);
    await writer.write(good);
    expect(await writer.finish()).toEqual({ rows: 6, sizeBytes: sink.bytes().length });
    expect(sink.state).toBe("closed");
    await writer.abort();
    expect(sink.state).toBe("closed");
    await expect(writer.write(good)).rejects.toThrow(/ended/);
    await expect(writer.finish()).rejects.toThrow(/ended/);
  });

  it("leaves nothing behind when aborted", async () => {
    const sink = new MemorySink();
    const writer = await createParquetWriter(sink, schemaOf(int32), { rowGroupRows: 2 });
    await writer.write(good);
    expect(sink.parts.length).toBeGreaterThan(0);
    await writer.abort();
    await writer.abort();
    expect(sink).toMatchObject({ state: "aborted", parts: [] });
    await expect(writer.write(good)).rejects.toThrow(/ended/);
  });

  it("never finishes a file after bad rows", async () => {
    const sink = new MemorySink();
    const writer = await createParquetWriter(sink, schemaOf(int32, false));
    await writer.write(good);
    await expect(writer.write(rowsOf(fixedColumn(int32, Int32Array.of(1, 2), [true, false])))).rejects.toThrow(
      /non-null/,
    );
    await expect(writer.write(good)).rejects.toThrow(/after an error/);
    await expect(writer.finish()).rejects.toThrow(/after an error/);
    expect(sink.state).toBe("open");
    await writer.abort();
    expect(sink.state).toBe("aborted");
  });

  it("passes on the sink's error and then refuses to go on", async () => {
    const sink = new MemorySink();
    sink.failAt = 1;
    const writer = await createParquetWriter(sink, schemaOf(int32), { rowGroupRows: 1 });
    await expect(writer.write(good)).rejects.toThrow("disk full");
    await expect(writer.finish()).rejects.toThrow(/after an error/);
  });

  it("holds at most one row group", async () => {
    const sink = new MemorySink();
    const writer = await createParquetWriter(sink, schemaOf(int64), {
      codec: "none",
      dictionary: false,
      rowGroupRows: 1000,
    });
    for (let i = 0; i < 10; i++) {
      await writer.write(rowsOf(fixedColumn(int64, new BigInt64Array(1000))));
      expect(sink.bytes().length).toBeGreaterThan((i + 1) * 8000);
    }
    await writer.finish();
  });
});

describe("the bytes", () => {
  it("name this package and its version", () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(CREATED_BY).toBe(`ingest version ${version}`);
  });

  it("are the same for the same rows", async () => {
    const schema: Schema = {
      fields: [
        {
          name: "text",
          type: { kind: "dictionary", index: int32 as never, value: { kind: "utf8" }, ordered: false },
          nullable: true,
        },
        { name: "list", type: { kind: "list", child: { name: "item", type: int64, nullable: true } }, nullable: true },
      ],
      metadata: {},
    };
    const rows = randomColumns(new Dice(3), schema, 100);
    expect(await writeAll(schema, [rows])).toEqual(await writeAll(schema, [rows]));
  });

  it("of a small file are these", async () => {
    const schema: Schema = {
      fields: [
        { name: "n", type: int32, nullable: true },
        { name: "s", type: { kind: "utf8" }, nullable: false },
      ],
      metadata: {},
    };
    const numbers = fixedColumn(int32, Int32Array.of(1, 0, 3), [true, false, true]);
    const bytes = await writeAll(schema, [rowsOf(numbers, textColumn(["a", "bc", "a"]))], { codec: "none" });
    // Parquet's own parts; the Arrow schema behind them is arrow-js's to encode.
    const text = Buffer.from(bytes);
    const arrowSchema = /ARROW:schema.{1,3}[A-Za-z0-9+/]+=*/s.exec(text.toString("latin1"))?.[0] ?? "?";
    const hex = text.toString("hex").replace(Buffer.from(arrowSchema, "latin1").toString("hex"), " … ");
    expect(hex.match(/.{1,80}/g)).toMatchInlineSnapshot(`
      [
        "504152311500151c151c15acb1d7f6091c1506150015061506000002000000030501000000030000",
        "0015041516151615e2c68597093c1504150000000100000061020000006263150015061506159487",
        "84ba071c150615101506150600000103021502193c4806736368656d611504001502250218016e00",
        "150c250018017325004c1c0000001606191c192c26001c1502192500061918016e15001606164a16",
        "4a26083c3602280403000000180401000000111100191c150015001502003c392602040000002600",
        "1c150c19250010191801731500160616701670268e0126521c360028026263180161111100192c15",
        "041500150200150015101502003c160800000016ba011606260816ba01140000191c180c … 00181",
        "4696e676573742076657273696f6e20302e312e30192c1c00001c000000ee01000050415231",
      ]
    `);
  });
});

// Every logical type, its bytes and its Arrow type; and headers whose map comes in several blocks.
import { memorySource } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { open } from "../../src/open.ts";
import { container, long, readAll, recordOf, string } from "./support.ts";

const le = (value: bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Number(BigInt.asUintN(8, value >> BigInt(8 * i))));
const hex = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
const big = 2n ** 62n + 12_345n;
const uuid = Array.from({ length: 16 }, (_, i) => i * 16);
const uuidText = "00102030-4050-6070-8090-a0b0c0d0e0f0";
const fixed = (size: number, logicalType: string, more: object = {}): object => ({
  type: "fixed",
  name: "F",
  size,
  logicalType,
  ...more,
});

describe.each<[string, unknown, number[], object, string]>([
  [
    "decimal on bytes",
    { type: "bytes", logicalType: "decimal", precision: 38, scale: 2 },
    [6, 0xff, 0x00, 0x01],
    { kind: "decimal", bits: 128, precision: 38, scale: 2 },
    hex(le(-65_535n, 16)),
  ],
  [
    "decimal on bytes, wide",
    { type: "bytes", logicalType: "decimal", precision: 39 },
    [2, 0x80],
    { kind: "decimal", bits: 256, precision: 39, scale: 0 },
    hex(le(-128n, 32)),
  ],
  [
    "decimal on fixed",
    fixed(3, "decimal", { precision: 6, scale: 6 }),
    [0, 1, 0],
    { kind: "decimal", bits: 128 },
    hex(le(256n, 16)),
  ],
  [
    "decimal that is no valid one",
    { type: "bytes", logicalType: "decimal", precision: 0 },
    [2, 9],
    { kind: "binary" },
    "09",
  ],
  ["big-decimal", { type: "bytes", logicalType: "big-decimal" }, [4, 2, 9], { kind: "binary" }, "0209"],
  [
    "uuid on string",
    { type: "string", logicalType: "uuid" },
    string(uuidText.toUpperCase()),
    { kind: "fixedSizeBinary", byteWidth: 16 },
    hex(uuid),
  ],
  ["uuid on fixed", fixed(16, "uuid"), uuid, { kind: "fixedSizeBinary", byteWidth: 16 }, hex(uuid)],
  ["date", { type: "int", logicalType: "date" }, long(-1), { kind: "date", unit: "day" }, "ffffffff"],
  [
    "time-millis",
    { type: "int", logicalType: "time-millis" },
    long(86_399_999),
    { kind: "time", unit: "ms" },
    hex(le(86_399_999n, 4)),
  ],
  [
    "time-micros",
    { type: "long", logicalType: "time-micros" },
    long(86_399_999_999),
    { kind: "time", unit: "us" },
    hex(le(86_399_999_999n, 8)),
  ],
  ...(["millis", "micros", "nanos"] as const).flatMap((name): [string, unknown, number[], object, string][] => {
    const unit = { millis: "ms", micros: "us", nanos: "ns" }[name];
    const at = (logicalType: string, timezone: string | null): [string, unknown, number[], object, string] => [
      logicalType,
      { type: "long", logicalType },
      long(-big),
      { kind: "timestamp", unit, timezone },
      hex(le(-big, 8)),
    ];
    return [at(`timestamp-${name}`, "UTC"), at(`local-timestamp-${name}`, null)];
  }),
  [
    "duration",
    fixed(12, "duration"),
    [...le(14n, 4), ...le(3n, 4), ...le(2n ** 32n - 1n, 4)],
    { kind: "interval", unit: "monthDayNano" },
    hex([...le(14n, 4), ...le(3n, 4), ...le((2n ** 32n - 1n) * 1_000_000n, 8)]),
  ],
  [
    "a logical type nobody knows",
    { type: "long", logicalType: "epoch-weeks" },
    long(5),
    { kind: "int", bits: 64 },
    hex(le(5n, 8)),
  ],
])("%s", (_, type, data, arrow, expected) => {
  const bytes = container(recordOf({ x: type, n: ["null", "string"] }), [{ rows: 1, data: [...data, 0] }]);

  test("gives its Arrow type and its value", async () => {
    const reader = await open(memorySource(bytes, "memory:a"), { format: "avro" });
    await reader.close();
    expect(reader.schema.fields[0]).toMatchObject({ name: "x", nullable: false, type: arrow });
    expect(await readAll(bytes)).toEqual([[expected, null]]);
  });
});

test.each([
  ["an uuid that is none", { type: "string", logicalType: "uuid" }, string("0".repeat(36))],
  ["months past 31 bits", fixed(12, "duration"), [...le(2n ** 31n, 4), ...le(0n, 8)]],
  ["a decimal without bytes", { type: "bytes", logicalType: "decimal", precision: 4 }, [0]],
  [
    "a decimal past 128 bits",
    { type: "bytes", logicalType: "decimal", precision: 4 },
    [34, 1, ...new Array<number>(16).fill(0)],
  ],
])("%s is refused", async (_, type, data) => {
  const bytes = container(recordOf({ x: type }), [{ rows: 1, data }]);
  await expect(readAll(bytes)).rejects.toMatchObject({ code: "INGEST_FORMAT", where: { column: "x" } });
});

test("a header's map may come in several blocks, with and without their sizes", async () => {
  const entry = (key: string, value: string): number[] => [...string(key), ...string(value)];
  const schema = entry("avro.schema", JSON.stringify(recordOf({ x: "long" })));
  const codec = entry("avro.codec", "null");
  const user = [...entry("a", "1"), ...entry("b", "é")];
  const sync = new Array<number>(16).fill(7);
  const block = [...long(1), ...long(1), 84, ...sync];
  const sized = [...long(-2), ...long(user.length), ...user];
  const head = [0x4f, 0x62, 0x6a, 1, ...long(1), ...codec, ...sized, ...long(1), ...schema, 0, ...sync];
  const bytes = Uint8Array.from([...head, ...block]);
  expect(await readAll(bytes)).toEqual([[hex(le(42n, 8))]]);
  const reader = await open(memorySource(bytes, "memory:a"), { format: "avro" });
  await reader.close();
  expect(reader.schema.metadata).toEqual({ a: "1", b: "é" });
});

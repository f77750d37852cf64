import { deflateSync, gzipSync } from "node:zlib";
import { memorySource } from "@ingest-ts/core/testing";
import { describe, expect, it } from "vitest";
import { detectFormat } from "../src/index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** A TFRecord of 3 bytes: length, the length's masked CRC-32C, data, and a checksum that detection does not look at. */
const record = joined(
  Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(0xb0, 0x99, 0x49, 0xe),
  text("abc"),
  new Uint8Array(4),
);

function detect(bytes: Uint8Array, url = "memory://object"): Promise<string> {
  return detectFormat(memorySource(bytes, url));
}

describe("detectFormat", () => {
  const padding = new Uint8Array(100);
  it.each([
    ["parquet", joined(text("PAR1"), padding, text("PAR1"))],
    ["parquet", joined(text("PARE"), padding, text("PARE"))],
    ["parquet", joined(padding, text("PAR1"))],
    ["orc", joined(text("ORC"), padding)],
    ["orc", joined(padding, text("ORC"), Uint8Array.of(23))],
    ["avro", joined(text("Obj\x01"), padding)],
    ["arrow", joined(text("ARROW1"), padding)],
    ["arrow", joined(Uint8Array.of(255, 255, 255, 255, 16, 0, 0, 0), padding)],
    ["tfrecord", record],
    ["tfrecord", new Uint8Array(gzipSync(record))],
    ["tfrecord", new Uint8Array(deflateSync(joined(record, padding, padding, padding)))],
    ["tfrecord", new Uint8Array(gzipSync(record)).subarray(0, 34)],
  ])("%s by content, whatever the name says", async (format, bytes) => {
    expect(await detect(bytes, "memory://wrong.csv")).toBe(format);
    if (bytes.length > 40) expect(await detect(bytes, "memory://wrong.avro")).toBe(format);
  });

  it.each([
    ["data.parquet", "parquet"],
    ["a.b/data.ORC", "orc"],
    ["data.avro", "avro"],
    ["data.tfrecord", "tfrecord"],
    ["data.tfrecords.gz", "tfrecord"],
    ["data.arrows", "arrow"],
  ])("%s by extension where the content says nothing", async (url, format) => {
    expect(await detect(new Uint8Array(0), url)).toBe(format);
    expect(await detect(text("nothing known"), url)).toBe(format);
  });

  it("names the first bytes of what it does not know", async () => {
    await expect(detect(text("hello world"), "x.txt")).rejects.toMatchObject({
      code: "INGEST_FORMAT",
      where: { url: "x.txt" },
      message: expect.stringContaining("68 65 6c 6c 6f 20 77 6f"),
    });
    await expect(detect(new Uint8Array(0), "x")).rejects.toThrow("the object is empty");
    for (let length = 1; length < 20; length++) {
      await expect(detect(new Uint8Array(length), "x"), `${length} zeros`).rejects.toMatchObject({
        code: "INGEST_FORMAT",
      });
    }
    await expect(detect(new Uint8Array(gzipSync(text("a tar, perhaps"))), "x")).rejects.toThrow("not recognised");
    await expect(detect(Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5), "x")).rejects.toThrow("not recognised");
  });
});

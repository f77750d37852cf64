import * as zlib from "node:zlib";
import { CodecError, createInflater, type DeflateFormat } from "@ingest-ts/kernels/inflate";
import { describe, expect, test } from "vitest";
import { Random } from "./support/random.ts";

const deflate: Record<DeflateFormat, (bytes: Uint8Array) => Uint8Array> = {
  gzip: zlib.gzipSync,
  zlib: zlib.deflateSync,
  deflateRaw: zlib.deflateRawSync,
};

function inflate(format: DeflateFormat, chunks: Iterable<Uint8Array>, pieceBytes?: number): Uint8Array {
  const inflater = createInflater(format, pieceBytes);
  const pieces: Uint8Array[] = [];
  for (const chunk of chunks)
    for (const piece of inflater.push(chunk)) {
      if (piece.length === 0 || piece.length > (pieceBytes ?? Number.POSITIVE_INFINITY))
        expect.fail(`a piece of ${piece.length}`);
      pieces.push(piece);
    }
  inflater.finish();
  return Buffer.concat(pieces);
}

function* cut(random: Random, bytes: Uint8Array, most: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const length = random.below(most + 1);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

const text = Buffer.from(Array.from({ length: 9000 }, (_, i) => `${(i * 7919) % 1009},`).join(""));

describe.each(["gzip", "zlib", "deflateRaw"] as const)("%s", (format) => {
  test("gives the same whatever the chunks and pieces", () => {
    const random = new Random(1);
    const packed = deflate[format](text);
    for (const [most, pieceBytes] of [
      [1, 100],
      [3, 1],
      [50, 77],
      [1000, text.length],
      [packed.length, undefined],
      [packed.length, text.length - 1],
      [packed.length, 4096],
    ] as const)
      expect(Buffer.compare(inflate(format, cut(random, packed, most), pieceBytes), text)).toBe(0);
    expect(inflate(format, [deflate[format](new Uint8Array(0))]).length).toBe(0);
  });

  test("refuses data that end too early or not at all", () => {
    const packed = deflate[format](text);
    for (let length = 0; length < packed.length; length += length < 40 || length > packed.length - 20 ? 1 : 501)
      expect(() => inflate(format, [packed.subarray(0, length)])).toThrow(CodecError);
    expect(() => inflate(format, [])).toThrow(CodecError);
    expect(() => inflate(format, [packed, Uint8Array.of(0)])).toThrow(CodecError);
    expect(() => inflate(format, [Buffer.concat([packed, Buffer.from("garbage")])])).toThrow(CodecError);
  });

  test("throws nothing but CodecError for damaged data", () => {
    const random = new Random(2);
    const packed = deflate[format](text.subarray(0, 4000));
    for (let round = 0; round < 500; round++) {
      const bytes = random.damage(packed);
      try {
        const out = inflate(format, cut(random, bytes, 700), 1000);
        if (format !== "deflateRaw") expect(Buffer.compare(out, text.subarray(0, 4000))).toBe(0);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
      }
    }
  });

  test("a bomb comes in bounded pieces", () => {
    const inflater = createInflater(format, 65_536);
    let length = 0;
    for (const piece of inflater.push(deflate[format](new Uint8Array(100 << 20)))) {
      length += piece.length;
      if (length >= 1 << 20) break;
    }
    expect(length).toBe(1 << 20);
  });
});

test("gzip may have several members, split anywhere", () => {
  const parts = [text, new Uint8Array(0), text.subarray(0, 10)];
  const packed = Buffer.concat(parts.map((part) => zlib.gzipSync(part)));
  const random = new Random(3);
  for (const most of [1, 2, 100, packed.length])
    expect(Buffer.compare(inflate("gzip", cut(random, packed, most), 1000), Buffer.concat(parts))).toBe(0);
  const first = zlib.gzipSync(text).length;
  expect(
    Buffer.compare(inflate("gzip", [packed.subarray(0, first), packed.subarray(first)]), Buffer.concat(parts)),
  ).toBe(0);
  expect(() => inflate("gzip", [packed.subarray(0, packed.length - 3)])).toThrow(/too early/);
});

test("checksums and sizes in trailers are checked", () => {
  for (const [format, places] of [
    ["gzip", [8, 5, 4, 1]],
    ["zlib", [4, 1]],
  ] as const)
    for (const place of places) {
      const packed = new Uint8Array(deflate[format](text));
      packed[packed.length - place] = (packed[packed.length - place] as number) ^ 0x10;
      expect(() => inflate(format, [packed])).toThrow(CodecError);
    }
});

test("a preset dictionary is refused", () => {
  const packed = zlib.deflateSync(text, { dictionary: Buffer.from("123,456") });
  expect(() => inflate("zlib", [packed])).toThrow(/dictionary/);
});

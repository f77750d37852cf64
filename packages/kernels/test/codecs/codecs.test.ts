import { randomBytes } from "node:crypto";
import * as zlib from "node:zlib";
import { acquireKernels } from "@ingest-ts/kernels";
import {
  blockRoom,
  CodecError,
  checkClaim,
  compress,
  crc32,
  decompress,
  decompressBlockTo,
  decompressInto,
  decompressTo,
  decompressUpTo,
  prepareCodecs,
  type WritableCodec,
} from "@ingest-ts/kernels/codecs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

const codecs: readonly WritableCodec[] = [
  "snappy",
  "gzip",
  "zlib",
  "deflateRaw",
  "zstd",
  "lz4Raw",
  "lz4Hadoop",
  "brotli",
];
const LIMIT = 1 << 28;

beforeAll(() => prepareCodecs(codecs));

function text(length: number): Uint8Array {
  const words = "the quick brown fox jumps over the lazy dog 0123456789 ".repeat(1 + length / 50);
  const bytes = new TextEncoder().encode(words).slice(0, length);
  for (let i = 0; i < length; i += 97) bytes[i] = i & 255;
  return bytes;
}

const samples: readonly Uint8Array[] = [
  new Uint8Array(0),
  new Uint8Array([7]),
  text(11),
  text(12),
  text(13),
  text(100),
  text(65_535),
  text(65_536),
  text(300_000),
  new Uint8Array(1_000_000),
  randomBytes(70_000),
  new Uint8Array(5_000).map((_, i) => i % 3),
  new Uint8Array(5_000).map((_, i) => (i * i) >> 5),
];

describe.each(codecs)("%s", (codec) => {
  test("gives back what was compressed", () => {
    for (const bytes of samples) {
      const packed = compress(codec, bytes);
      expect(packed.constructor).toBe(Uint8Array);
      const out = decompress(codec, packed, bytes.length, LIMIT);
      expect(out.constructor).toBe(Uint8Array);
      expect(Buffer.compare(out, bytes)).toBe(0);
    }
  });

  test("gives back any bytes", () => {
    const chunk = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 3, minLength: 1 }));
    const run = fc.tuple(chunk, fc.integer({ min: 1, max: 60 }));
    fc.assert(
      fc.property(fc.array(run, { maxLength: 30 }), (runs) => {
        const bytes = Buffer.concat(runs.flatMap(([part, times]) => Array.from({ length: times }, () => part)));
        expect(Buffer.compare(decompress(codec, compress(codec, bytes), bytes.length, LIMIT), bytes)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test("works inside the arena, and from outside into it", () => {
    const bytes = text(100_000);
    const packed = compress(codec, bytes);
    const kernels = acquireKernels();
    const src = kernels.arena.allocate(packed.length);
    const out = kernels.arena.allocate(bytes.length);
    kernels.bytes.set(packed, src);
    decompressInto(codec, kernels, src, packed.length, out, bytes.length);
    expect(Buffer.compare(kernels.bytes.subarray(out, out + bytes.length), bytes)).toBe(0);
    kernels.bytes.fill(0, out, out + bytes.length);
    decompressTo(codec, packed, kernels, out, bytes.length);
    expect(Buffer.compare(kernels.bytes.subarray(out, out + bytes.length), bytes)).toBe(0);
    expect(() => decompressTo(codec, packed.subarray(0, 40), kernels, out, bytes.length)).toThrow(CodecError);
    kernels.arena.release(out);
    kernels.arena.release(src);
    expect(kernels.arena.idle).toBe(true);
  });

  test("refuses another size than claimed", () => {
    const bytes = text(1000);
    const packed = compress(codec, bytes);
    for (const claimed of [0, 1, 999, 1001, 5000, -1, 0.5, Number.NaN]) {
      expect(() => decompress(codec, packed, claimed, LIMIT), `claimed ${claimed}`).toThrow(CodecError);
    }
    expect(() => decompress(codec, packed, 1000, 999)).toThrow(/limit/);
    expect(() => checkClaim(codec, 10, 2 ** 40, LIMIT)).toThrow(CodecError);
  });

  test("takes no bytes for nothing", () => {
    expect(decompress(codec, new Uint8Array(0), 0, LIMIT)).toEqual(new Uint8Array(0));
    expect(() => decompress(codec, new Uint8Array(0), 1, LIMIT)).toThrow(CodecError);
  });

  test("throws nothing but CodecError, at once, for damaged bytes", () => {
    const bytes = text(20_000);
    const packed = compress(codec, bytes);
    let seed = 42;
    const random = (n: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * n);
    };
    const heap = acquireKernels().arena.sizeBytes;
    for (let i = 0; i < 400; i++) {
      const damaged = packed.slice(0, i % 4 === 0 ? random(packed.length) : packed.length);
      for (let k = random(4); k >= 0 && damaged.length > 0; k--) damaged[random(damaged.length)] = random(256);
      try {
        const out = decompress(codec, damaged, bytes.length, LIMIT);
        expect(out.length).toBe(bytes.length);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
      }
    }
    expect(acquireKernels().arena.idle).toBe(true);
    expect(acquireKernels().arena.sizeBytes).toBeLessThanOrEqual(heap + (1 << 20));
  });

  test("refuses truncated bytes", () => {
    const bytes = text(500);
    const packed = compress(codec, bytes);
    for (let length = 1; length < packed.length; length++)
      expect(() => decompress(codec, packed.subarray(0, length), bytes.length, LIMIT)).toThrow(CodecError);
  });
});

test.each(["gzip", "zlib", "deflateRaw", "brotli", "zstd"] as const)(
  "%s: bytes after the end are an error",
  (codec) => {
    const packed = compress(codec, text(100));
    expect(() => decompress(codec, Buffer.concat([packed, Buffer.from("xyz")]), 100, LIMIT)).toThrow(CodecError);
  },
);

test.each(["gzip", "zstd"] as const)("%s: several members are one", (codec) => {
  const parts = [text(1000), text(0), text(300)];
  const packed = Buffer.concat(parts.map((part) => compress(codec, part)));
  expect(Buffer.compare(decompress(codec, packed, 1300, LIMIT), Buffer.concat(parts))).toBe(0);
  expect(() => decompress(codec, packed.subarray(0, packed.length - 1), 1300, LIMIT)).toThrow(CodecError);
});

test.each(["gzip", "zlib"] as const)("%s: the checksum is checked", (codec) => {
  const packed = compress(codec, text(100));
  const damaged = packed.slice();
  const at = codec === "gzip" ? damaged.length - 6 : damaged.length - 2;
  damaged[at] = (damaged[at] as number) ^ 1;
  expect(() => decompress(codec, damaged, 100, LIMIT)).toThrow(/check/);
});

test("a bomb does not grow memory past the claim", () => {
  const bomb = zlib.gzipSync(new Uint8Array(200 << 20));
  const before = process.memoryUsage().rss;
  expect(() => decompress("gzip", bomb, 1 << 20, LIMIT)).toThrow(CodecError);
  const brotli = zlib.brotliCompressSync(new Uint8Array(200 << 20), {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 },
  });
  expect(() => decompress("brotli", brotli, 1 << 20, LIMIT)).toThrow(CodecError);
  expect(() => decompress("brotli", brotli.subarray(0, 30), LIMIT, LIMIT)).toThrow(CodecError);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
});

test("LZ4 in Hadoop's framing may have several blocks of several pieces, or no framing", () => {
  const [a, b, c] = [text(1000), text(70), new Uint8Array(500)] as const;
  const frame = (size: number, pieces: readonly Uint8Array[]): Uint8Array => {
    const u32 = (n: number): Uint8Array => Buffer.from([n >>> 24, n >>> 16, n >>> 8, n]);
    return Buffer.concat([u32(size), ...pieces.flatMap((piece) => [u32(piece.length), piece])]);
  };
  const lz4 = (bytes: Uint8Array): Uint8Array => compress("lz4Raw", bytes);
  const framed = Buffer.concat([frame(1070, [lz4(a), lz4(b)]), frame(0, []), frame(500, [lz4(c)])]);
  expect(Buffer.compare(decompress("lz4Hadoop", framed, 1570, LIMIT), Buffer.concat([a, b, c]))).toBe(0);
  expect(Buffer.compare(decompress("lz4Hadoop", lz4(a), 1000, LIMIT), a)).toBe(0);
});

test("LZO is read: literals, a match, the end marker", () => {
  const packed = Uint8Array.of(17 + 4, 97, 98, 99, 100, 0x40 | (3 << 2), 0, 17, 0, 0);
  expect(Buffer.from(decompress("lzo", packed, 7, LIMIT)).toString()).toBe("abcdabc");
  expect(Buffer.from(decompressUpTo("lzo", packed, LIMIT)).toString()).toBe("abcdabc");
  expect(() => decompress("lzo", packed.subarray(0, 7), 7, LIMIT)).toThrow(CodecError);
  expect(() => decompress("lzo", packed, 8, LIMIT)).toThrow(CodecError);
  expect(() => checkClaim("lzo", 10, 2 ** 40, LIMIT)).toThrow(CodecError);
});

test.each(["snappy", "lz4Raw"] as const)("%s goes straight into room in the arena for what it may be", (codec) => {
  const { arena, bytes: before } = acquireKernels();
  expect(before.length).toBeGreaterThan(0);
  for (const bytes of samples) {
    const packed = compress(codec, bytes);
    const room = blockRoom(codec, packed, LIMIT);
    expect(room).toBeGreaterThanOrEqual(bytes.length);
    const out = arena.allocate(room);
    expect(decompressBlockTo(codec, packed, acquireKernels(), out, room)).toBe(bytes.length);
    expect(Buffer.compare(acquireKernels().bytes.subarray(out, out + bytes.length), bytes)).toBe(0);
    arena.release(out);
  }
  const packed = compress(codec, text(1000));
  const small = arena.allocate(500);
  expect(() => decompressBlockTo(codec, packed, acquireKernels(), small, 500)).toThrow(CodecError);
  arena.release(small);
  if (codec === "snappy") expect(() => blockRoom(codec, packed, 999)).toThrow(CodecError);
  else expect(blockRoom(codec, packed, 999)).toBe(999);
  expect(arena.idle).toBe(true);
});

test("levels change the size", () => {
  const bytes = Buffer.concat(Array.from({ length: 20_000 }, (_, i) => Buffer.from(`${(i * 7919) % 10_007} `)));
  for (const codec of ["gzip", "zstd", "brotli"] as const)
    expect(compress(codec, bytes, 9).length).toBeLessThan(compress(codec, bytes, codec === "gzip" ? 0 : 1).length);
});

test("crc32 is zlib's, also in parts", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  const bytes = text(1001);
  expect(crc32(bytes.subarray(500), crc32(bytes.subarray(0, 500)))).toBe(crc32(bytes));
});

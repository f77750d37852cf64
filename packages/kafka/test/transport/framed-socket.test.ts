import { createHash } from "node:crypto";
import { SourceError } from "@ingest-ts/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameMemory } from "../../src/transport/frame-memory.ts";
import { FrameReader } from "../../src/transport/framed-socket.ts";

const MiB = 1024 * 1024;

function framed(body: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

/** Bytes that tell where they are. */
function bodyOf(sizeBytes: number, seed: number): Buffer {
  const block = createHash("sha512").update(String(seed)).digest();
  const body = Buffer.alloc(sizeBytes, block);
  for (let at = 0; at + 4 <= sizeBytes; at += 61) body.writeUInt32BE(at + seed, at);
  return body;
}

/** Writes `bytes` as a socket would that has `pieces` bytes at a time, again and again. */
function feed(reader: FrameReader, bytes: Uint8Array, pieces: readonly number[]): void {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const target = reader.target();
    if (target.length === 0) throw new Error("there is no room");
    const part = bytes.subarray(at, at + Math.min(target.length, pieces[i % pieces.length] ?? 1));
    target.set(part);
    reader.wrote(part.length);
    at += part.length;
  }
}

describe("answers in a stream of bytes", () => {
  test("come whole, however they are cut, and their memory is used again", () => {
    const size = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 100 }) },
      { weight: 2, arbitrary: fc.integer({ min: 16_300, max: 16_500 }) },
      { weight: 2, arbitrary: fc.integer({ min: 60_000, max: 150_000 }) },
    );
    const piece = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1000, max: 200_000 }));
    fc.assert(
      fc.property(
        fc.array(size, { minLength: 1, maxLength: 12 }),
        fc.array(piece, { minLength: 1, maxLength: 6 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
        (sizes, pieces, kept) => {
          // Of single bytes few are enough.
          const slow = Math.max(...pieces) < 10;
          const bodies = sizes.map((sizeBytes, i) => bodyOf(slow ? sizeBytes % 20_000 : sizeBytes, i));
          const memory = new FrameMemory();
          const found: Buffer[] = [];
          const all: Buffer[] = [];
          const reader = new FrameReader(memory, (frame) => {
            const body = bodies[all.length] as Buffer;
            if (!frame.equals(framed(body))) throw new Error(`answer ${all.length} is another`);
            all.push(frame);
            if (kept[all.length % kept.length] === true) found.push(frame);
            else memory.give(frame);
          });
          const wanted: Buffer[] = bodies.map(framed);
          feed(reader, Buffer.concat(wanted), pieces);
          expect(all).toHaveLength(bodies.length);
          // Those that nobody gave back are what they were.
          for (const frame of found) expect(frame.equals(wanted[all.indexOf(frame)] as Buffer)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("of over 64 MiB come whole", () => {
    const body = bodyOf(70 * MiB, 3);
    let frame: Buffer | undefined;
    const reader = new FrameReader(new FrameMemory(), (given) => (frame = given));
    feed(reader, framed(body), [5 * MiB + 1]);
    expect(frame?.subarray(4).equals(body)).toBe(true);
  });

  test("that claim 2 GiB take no such memory before their bytes come", () => {
    const reader = new FrameReader(new FrameMemory(), () => {});
    feed(reader, Buffer.from([0x7f, 0xff, 0xff, 0xff, 1]), [5]);
    expect(reader.target().buffer.byteLength).toBeLessThanOrEqual(64 * MiB);
  });

  test("of less than nothing are refused", () => {
    const reader = new FrameReader(new FrameMemory(), () => {});
    const wrong = Buffer.from([0xff, 0xff, 0xff, 0xfe]);
    expect(() => feed(reader, wrong, [4])).toThrow(SourceError);
    expect(() => feed(new FrameReader(new FrameMemory(), () => {}), wrong, [4])).toThrow("claims -2 bytes");
  });
});

describe("memory of answers", () => {
  test("is used again once it is given back, for sizes that are alike", () => {
    const memory = new FrameMemory();
    const first = memory.take(MiB);
    const second = memory.take(MiB);
    expect(second.buffer).not.toBe(first.buffer);
    memory.give(first.subarray(100, 200));
    expect(memory.take(100_000).buffer).not.toBe(first.buffer);
    const third = memory.take(MiB - 1000);
    expect(third.buffer).toBe(first.buffer);
    expect(third).toHaveLength(MiB - 1000);
  });

  test("is taken back once, and only if it was lent", () => {
    const memory = new FrameMemory();
    const lent = memory.take(MiB);
    memory.give(lent);
    memory.give(lent);
    expect(memory.take(MiB).buffer).toBe(lent.buffer);
    expect(memory.take(MiB).buffer).not.toBe(lent.buffer);
    const foreign = new Uint8Array(MiB);
    memory.give(foreign);
    expect(memory.take(MiB).buffer).not.toBe(foreign.buffer);
  });

  test("that waits is bounded", () => {
    const memory = new FrameMemory();
    const lent = Array.from({ length: 10 }, () => memory.take(8 * MiB));
    for (const bytes of lent) memory.give(bytes);
    const buffers = new Set(lent.map(({ buffer }) => buffer));
    const again = Array.from({ length: 10 }, () => memory.take(8 * MiB));
    expect(again.filter(({ buffer }) => buffers.has(buffer))).toHaveLength(4);
    const large = memory.take(40 * MiB);
    memory.give(large);
    expect(memory.take(40 * MiB).buffer).not.toBe(large.buffer);
  });
});

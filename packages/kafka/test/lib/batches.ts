// Record batches written plainly and one value at a time, to compare the decoder with: it shares no code with the sources
// but the compressors.
import { gzipSync } from "node:zlib";
import { compress } from "@ingest-ts/kernels/codecs";

export interface TestRecord {
  readonly offset: number;
  /** -1: none. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [string, Uint8Array | null])[];
}

export type TestCodec = "none" | "gzip" | "snappy" | "xerial" | "lz4" | "lz4Linked" | "zstd";
export const testCodecs: readonly TestCodec[] = ["none", "gzip", "snappy", "xerial", "lz4", "lz4Linked", "zstd"];

export interface TestBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly records: readonly TestRecord[];
  readonly codec?: TestCodec;
  readonly producerId?: number;
  readonly transactional?: boolean;
  /** The type in a control batch's marker. */
  readonly marker?: "abort" | "commit";
  /** Log-append time. */
  readonly appendTimeMs?: number;
  readonly leaderEpoch?: number;
}

/** Bytes that grow. */
class Writer {
  readonly bytes: number[] = [];

  int(value: number | bigint, size: number): this {
    const bits = BigInt.asUintN(64, BigInt(value));
    for (let i = size - 1; i >= 0; i--) this.bytes.push(Number((bits >> BigInt(8 * i)) & 255n));
    return this;
  }

  raw(part: Iterable<number>): this {
    for (const byte of part) this.bytes.push(byte);
    return this;
  }

  varint(value: number): this {
    let zigzag = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
    for (; zigzag >= 128n; zigzag >>= 7n) this.bytes.push(Number(zigzag & 127n) | 128);
    this.bytes.push(Number(zigzag));
    return this;
  }

  blob(part: Uint8Array | null): this {
    return part === null ? this.varint(-1) : this.varint(part.length).raw(part);
  }
}

const table = Array.from({ length: 256 }, (_, n) => {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0x82f63b78);
  return crc >>> 0;
});

function plainCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 255] as number);
  return ~crc >>> 0;
}

function recordBytes(record: TestRecord, baseOffset: number, baseTimestamp: number): number[] {
  const body = new Writer()
    .int(0, 1)
    .varint(record.timestampMs - baseTimestamp)
    .varint(record.offset - baseOffset);
  body.blob(record.key).blob(record.value).varint(record.headers.length);
  for (const [name, value] of record.headers) body.blob(new TextEncoder().encode(name)).blob(value);
  return new Writer().varint(body.bytes.length).raw(body.bytes).bytes;
}

function xerial(bytes: Uint8Array): Uint8Array {
  const out = new Writer().raw([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]).int(1, 4).int(1, 4);
  for (let at = 0; at < bytes.length; at += 1000) {
    const block = compress("snappy", bytes.subarray(at, at + 1000));
    out.int(block.length, 4).raw(block);
  }
  return Uint8Array.from(out.bytes);
}

const little = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);

/** Blocks of 64 KiB at most, each alone. */
export function lz4Frame(bytes: Uint8Array, blockBytes = 3000): Uint8Array {
  const out = new Writer().raw(little(0x184d2204)).raw([0x60, 0x40, 0x82]);
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = compress("lz4Raw", bytes.subarray(at, at + blockBytes));
    out.raw(little(block.length)).raw(block);
  }
  return Uint8Array.from(out.raw(little(0)).bytes);
}

/** Literals, then, wherever the bytes repeat, a second block that reaches into the first; one block stored as it is. */
function lz4Linked(bytes: Uint8Array): Uint8Array {
  // Version 1, linked, with block checksums (which nobody reads), content size and content checksum.
  const out = new Writer().raw(little(0x184d2204)).raw([0x5c, 0x40]).raw(little(bytes.length)).raw(little(0)).raw([0]);
  const block = (content: readonly number[], stored = false): void => {
    out
      .raw(little((content.length | (stored ? 0x80000000 : 0)) >>> 0))
      .raw(content)
      .raw(little(0));
  };
  const half = bytes.length >> 1;
  block([...bytes.subarray(0, half)], true);
  const sequence: number[] = [];
  const literals = (part: Uint8Array, match: number): void => {
    const nibble = Math.min(15, part.length);
    sequence.push((nibble << 4) | match);
    for (let left = part.length - 15; nibble === 15 && left >= 0; left -= 255) sequence.push(Math.min(255, left));
    sequence.push(...part);
  };
  let from = half;
  for (let at = half; at + 12 < bytes.length; ) {
    const distance = at - bytes.lastIndexOf(bytes[at] as number, at - 1);
    let length = 0;
    if (distance <= at && distance < 65_536) {
      while (length < 18 && at + length + 5 < bytes.length && bytes[at + length] === bytes[at + length - distance])
        length++;
    }
    if (length < 4) at++;
    else {
      literals(bytes.subarray(from, at), length - 4);
      sequence.push(distance & 255, distance >> 8);
      from = at += length;
    }
  }
  literals(bytes.subarray(from), 0);
  block(sequence);
  return Uint8Array.from(out.raw(little(0)).raw([1, 2, 3, 4]).bytes);
}

function compressed(codec: TestCodec, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case "none":
      return bytes;
    case "gzip":
      return Uint8Array.from(gzipSync(bytes));
    case "snappy":
      return compress("snappy", bytes);
    case "xerial":
      return xerial(bytes);
    case "lz4":
      return lz4Frame(bytes);
    case "lz4Linked":
      return lz4Linked(bytes);
    case "zstd":
      return compress("zstd", bytes);
  }
}

const codecIds: Record<TestCodec, number> = { none: 0, gzip: 1, snappy: 2, xerial: 2, lz4: 3, lz4Linked: 3, zstd: 4 };

/** A batch whose records are given as bytes, compressed or not, whatever they are worth. */
export function rawBatch(
  batch: TestBatch,
  codecId: number,
  count: number,
  stored: Uint8Array,
  baseTimestamp = 0,
): Uint8Array {
  const control = batch.marker !== undefined;
  const flags =
    codecId |
    (batch.appendTimeMs === undefined ? 0 : 8) |
    (batch.transactional === true || control ? 16 : 0) |
    (control ? 32 : 0);
  const after = new Writer()
    .int(flags, 2)
    .int(batch.lastOffset - batch.baseOffset, 4)
    .int(baseTimestamp, 8)
    .int(batch.appendTimeMs ?? baseTimestamp, 8)
    .int(batch.producerId ?? -1, 8)
    .int(0, 2)
    .int(-1, 4)
    .int(count, 4);
  const covered = new Uint8Array(after.bytes.length + stored.length);
  covered.set(after.bytes);
  covered.set(stored, after.bytes.length);
  const head = new Writer()
    .int(batch.baseOffset, 8)
    .int(covered.length + 9, 4)
    .int(batch.leaderEpoch ?? 0, 4)
    .int(2, 1)
    .int(plainCrc32c(covered), 4);
  const out = new Uint8Array(head.bytes.length + covered.length);
  out.set(head.bytes);
  out.set(covered, head.bytes.length);
  return out;
}

/** The same batch with the CRC that its bytes have now. */
export function resealed(batch: Uint8Array): Uint8Array {
  const copy = batch.slice();
  new DataView(copy.buffer).setUint32(17, plainCrc32c(copy.subarray(21)));
  return copy;
}

export function batchBytes(batch: TestBatch): Uint8Array {
  const records: readonly TestRecord[] =
    batch.marker === undefined
      ? batch.records
      : [
          {
            offset: batch.baseOffset,
            timestampMs: 1,
            key: Uint8Array.of(0, 0, 0, batch.marker === "abort" ? 0 : 1),
            value: Uint8Array.of(0, 0, 0, 0, 0, 0),
            headers: [],
          },
        ];
  const baseTimestamp = records[0]?.timestampMs ?? 0;
  const parts = records.map((record) => recordBytes(record, batch.baseOffset, baseTimestamp));
  const plain = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    plain.set(part, at);
    at += part.length;
  }
  const codec = batch.codec ?? "none";
  return rawBatch(batch, codecIds[codec], records.length, compressed(codec, plain), baseTimestamp);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const littleHex = (value: number, size: number): string =>
  hex(Uint8Array.from(new Writer().int(value, size).bytes.reverse()));

/** A row as `rowsOf` writes one. */
export function plainRow(topic: string, partition: number, record: TestRecord, appendTimeMs?: number): unknown[] {
  const timestampMs = appendTimeMs ?? record.timestampMs;
  return [
    hex(new TextEncoder().encode(topic)),
    littleHex(partition, 4),
    littleHex(record.offset, 8),
    timestampMs === -1 ? null : littleHex(timestampMs, 8),
    record.key === null ? null : hex(record.key),
    record.value === null ? null : hex(record.value),
    record.headers.map(([name, value]) => [hex(new TextEncoder().encode(name)), value === null ? null : hex(value)]),
  ];
}

import type { Schema } from "@ingest-ts/core";
import { compress, crc32 } from "@ingest-ts/kernels/codecs";
import { CODEC_KEY, MAGIC, SCHEMA_KEY, SYNC_BYTES } from "@ingest-ts/readers/avro/spec";
import { keyValuesOf } from "../arrow-schema.ts";
import { ByteBuffer } from "../columns/byte-buffer.ts";
import { codecs, type ResolvedOptions } from "./options.ts";
import type { AvroJson } from "./schema.ts";

const utf8 = new TextEncoder();

/** A long that is a length or a count. */
function putLength(out: ByteBuffer, value: number): void {
  out.varint(value * 2);
}

function putText(out: ByteBuffer, text: string): void {
  const bytes = utf8.encode(text);
  putLength(out, bytes.length);
  out.append(bytes);
}

/** Of the same header always the same, of different ones hardly ever: what follows a block only has to be told apart. */
function syncOf(header: Uint8Array): Uint8Array {
  const sync = new DataView(new ArrayBuffer(SYNC_BYTES));
  for (let i = 0; i < SYNC_BYTES / 4; i++) sync.setUint32(4 * i, crc32(header, (i * 0x9e3779b9) >>> 0));
  return new Uint8Array(sync.buffer);
}

/** "Object Container Files": magic, metadata, sync marker. Keys that begin with "avro." are the format's own. */
export function fileHeader(
  schema: Schema,
  avro: AvroJson,
  { codec, sync }: ResolvedOptions,
): { bytes: Uint8Array; sync: Uint8Array } {
  const own = keyValuesOf(schema).filter(([key]) => !key.startsWith("avro."));
  const entries = [[SCHEMA_KEY, JSON.stringify(avro)], [CODEC_KEY, codec], ...own] as const;
  const out = new ByteBuffer();
  out.append(MAGIC);
  putLength(out, entries.length);
  for (const [key, value] of entries) {
    putText(out, key);
    putText(out, value);
  }
  putLength(out, 0);
  const marker = sync ?? syncOf(out.view());
  out.append(marker);
  return { bytes: out.view(), sync: marker };
}

/** One block: rows, bytes, the rows compressed, the sync marker. */
export function fileBlock(
  rows: number,
  content: Uint8Array,
  { codec, level }: ResolvedOptions,
  sync: Uint8Array,
): Uint8Array {
  const name = codecs[codec];
  const data = name === undefined ? content : compress(name, content, level);
  const withCrc = codec === "snappy";
  const out = new ByteBuffer(data.length + 64);
  putLength(out, rows);
  putLength(out, data.length + (withCrc ? 4 : 0));
  out.append(data);
  if (withCrc) {
    // Of the content, big endian ("snappy").
    const crc = new DataView(new ArrayBuffer(4));
    crc.setUint32(0, crc32(content));
    out.append(new Uint8Array(crc.buffer));
  }
  out.append(sync);
  return out.view();
}

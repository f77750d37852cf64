import { compress } from "@ingest-ts/kernels/codecs";
import { CHUNK_HEADER_BYTES } from "@ingest-ts/readers/orc/spec";
import { ByteBuffer } from "../columns/byte-buffer.ts";
import { codecs, type ResolvedOptions } from "./options.ts";
import type { Mark } from "./streams.ts";

/** A stream as it is stored, and the row index's positions of its marks. */
export interface StoredStream {
  readonly bytes: Uint8Array;
  readonly positions: readonly (readonly number[])[];
}

/** "Compression": chunks of at most blockBytes, each with its length and whether it is stored as it is. */
export function storeStream(
  content: Uint8Array,
  marks: readonly Mark[],
  { codec, level, blockBytes }: ResolvedOptions,
): StoredStream {
  const name = codecs[codec];
  if (name === undefined) return { bytes: content, positions: marks.map(({ offset, inside }) => [offset, ...inside]) };
  const out = new ByteBuffer(content.length + 64);
  const starts: number[] = [];
  for (let at = 0; at < content.length; at += blockBytes) {
    const chunk = content.subarray(at, at + blockBytes);
    const packed = compress(name, chunk, level);
    const isOriginal = packed.length >= chunk.length;
    const stored = isOriginal ? chunk : packed;
    starts.push(out.length);
    const header = stored.length * 2 + (isOriginal ? 1 : 0);
    for (let k = 0; k < CHUNK_HEADER_BYTES; k++) out.byte((header >> (8 * k)) & 255);
    out.append(stored);
  }
  const positions = marks.map(({ offset, inside }) => {
    const chunk = Math.floor(offset / blockBytes);
    return [starts[chunk] ?? out.length, chunk < starts.length ? offset - chunk * blockBytes : 0, ...inside];
  });
  return { bytes: out.view(), positions };
}

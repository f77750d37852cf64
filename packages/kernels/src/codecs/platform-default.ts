import { deflate, deflateRaw, gzip } from "pako";
import { createInflater } from "../inflate.ts";
import type { DeflateFormat, Platform } from "./platform.ts";

const deflaters = { gzip, zlib: deflate, deflateRaw } as const;

function inflate(format: DeflateFormat, bytes: Uint8Array, limit: number): Uint8Array {
  const inflater = createInflater(format, Math.min(Math.max(1, limit), 1024 * 1024));
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (const piece of inflater.push(bytes)) {
    length += piece.length;
    if (length > limit) throw new Error(`there are more than ${limit} bytes`);
    pieces.push(piece);
  }
  inflater.finish();
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** Runtimes without node:zlib: deflate in JavaScript, zstd in WebAssembly, no Brotli. */
export const platform: Platform = {
  inflate,
  deflate: (format, bytes, level) =>
    deflaters[format](bytes, level === undefined ? {} : { level: level as 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 }),
};

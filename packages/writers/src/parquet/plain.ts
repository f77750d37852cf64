import type { ByteBuffer } from "./byte-buffer.ts";
import type { Values, VaryingValues } from "./values.ts";

/** Values this long are copied by the engine, shorter ones byte by byte. */
const LONG_BYTES = 24;

/**
 * Appends values in PLAIN encoding (Encodings.md, "Plain"). Booleans are appended as one byte each: their bits are packed
 * when the page is complete, see `packBits`.
 */
export function appendPlain(values: Values, out: ByteBuffer): void {
  switch (values.form) {
    case "bool":
    case "fixed":
      out.append(values.bytes);
      break;
    case "words": {
      const { words } = values;
      out.append(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
      break;
    }
    case "varying":
      appendVarying(values, out);
  }
}

function appendVarying(values: VaryingValues, out: ByteBuffer): void {
  const { count, starts, ends, bytes: source } = values;
  let needed = 4 * count;
  for (let i = 0; i < count; i++) needed += (ends[i] as number) - (starts[i] as number);
  out.reserve(needed);
  const target = out.bytes;
  let at = out.length;
  for (let i = 0; i < count; i++) {
    const start = starts[i] as number;
    const end = ends[i] as number;
    const length = end - start;
    target[at] = length;
    target[at + 1] = length >>> 8;
    target[at + 2] = length >>> 16;
    target[at + 3] = length >>> 24;
    at += 4;
    if (length >= LONG_BYTES) {
      target.set(source.subarray(start, end), at);
      at += length;
    } else for (let k = start; k < end; k++) target[at++] = source[k] as number;
  }
  out.length = at;
}

/** Bytes of 0 and 1 as bits, the least significant first. */
export function packBits(flags: Uint8Array, out: ByteBuffer): void {
  const size = Math.ceil(flags.length / 8);
  out.reserve(size);
  for (let i = 0, at = out.length; i < flags.length; at++) {
    let byte = 0;
    for (let bit = 0; bit < 8 && i < flags.length; bit++, i++) byte |= (flags[i] as number) << bit;
    out.bytes[at] = byte;
  }
  out.length += size;
}

import type { ByteBuffer } from "./byte-buffer.ts";

/** Bits that hold every number from 0 to `max`. */
export function bitWidthOf(max: number): number {
  return 32 - Math.clz32(max);
}

/**
 * Appends `values` in the RLE / bit-packed hybrid (Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"), without
 * length and bit width: eight or more equal values from a group's start on become a run, groups of eight between are
 * bit-packed.
 *
 * @param values [length], each from 0 to 2^bitWidth - 1
 * @param bitWidth 0..32
 */
export function encodeHybrid(values: Uint8Array | Int32Array, length: number, bitWidth: number, out: ByteBuffer): void {
  let i = 0;
  while (i < length) {
    const run = runLength(values, i, length);
    if (run >= 8 || run === length - i) {
      appendRun(values[i] as number, run, bitWidth, out);
      i += run;
      continue;
    }
    let end = i;
    do end += 8;
    while (end < length && runLength(values, end, Math.min(length, end + 8)) < 8);
    appendPacked(values, i, Math.min(end, length), bitWidth, out);
    i = end;
  }
}

function runLength(values: Uint8Array | Int32Array, from: number, to: number): number {
  const value = values[from];
  let i = from + 1;
  while (i < to && values[i] === value) i++;
  return i - from;
}

function appendRun(value: number, run: number, bitWidth: number, out: ByteBuffer): void {
  out.varint(run * 2);
  for (let bits = 0; bits < bitWidth; bits += 8) out.byte(value >>> bits);
}

/** Values [from, to), the last group filled up with zeros. */
function appendPacked(
  values: Uint8Array | Int32Array,
  from: number,
  to: number,
  bitWidth: number,
  out: ByteBuffer,
): void {
  const groups = Math.ceil((to - from) / 8);
  out.varint(groups * 2 + 1);
  const size = groups * bitWidth;
  out.reserve(size + 4);
  const { bytes } = out;
  let at = out.length;
  let word = 0;
  let filled = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    word |= value << filled;
    filled += bitWidth;
    if (filled < 32) continue;
    bytes[at] = word;
    bytes[at + 1] = word >>> 8;
    bytes[at + 2] = word >>> 16;
    bytes[at + 3] = word >>> 24;
    at += 4;
    filled -= 32;
    word = filled === 0 ? 0 : value >>> (bitWidth - filled);
  }
  const end = out.length + size;
  for (; filled > 0 && at < end; filled -= 8, word >>>= 8) bytes[at++] = word;
  bytes.fill(0, at, end);
  out.length = end;
}

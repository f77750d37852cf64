import { FormatError } from "@ingest-ts/core";
import type { GrowingBytes } from "./buffers.ts";
import type { WriteValue } from "./builders.ts";
import type { Cursor } from "./cursor.ts";

/** int, date, time-millis: 4 bytes. */
export const writeInt: WriteValue = (cursor, out, at) => {
  out.words[at >> 2] = cursor.int();
};

/** long and everything on it: 8 bytes, exact. */
export const writeLong: WriteValue = (cursor, out, at) => {
  cursor.long();
  out.words[at >> 2] = cursor.low;
  out.words[(at >> 2) + 1] = cursor.high;
};

/** `width` bytes as they are: float, double, fixed. */
export function writeRaw(width: number): WriteValue {
  return (cursor, out, at) => {
    const start = cursor.take(width);
    for (let i = 0; i < width; i++) out.bytes[at + i] = cursor.bytes[start + i] as number;
  };
}

/** Big-endian two's complement [start, start + length) → `width` bytes, little endian. */
function putDecimal(cursor: Cursor, start: number, length: number, out: GrowingBytes, at: number, width: number): void {
  const { bytes } = cursor;
  if (length === 0) throw new FormatError(`a decimal has no bytes at byte ${cursor.at}`);
  const sign = (bytes[start] as number) & 128 ? 255 : 0;
  const target = out.bytes;
  for (let i = 0; i < width; i++) target[at + i] = i < length ? (bytes[start + length - 1 - i] as number) : sign;
  for (let i = start; i < start + length - width; i++) {
    const top = (target[at + width - 1] as number) & 128 ? 255 : 0;
    if (bytes[i] !== sign || top !== sign) throw new FormatError(`a decimal passes ${width * 8} bits at byte ${start}`);
  }
}

/** decimal on bytes (`size` undefined) or on fixed. */
export function writeDecimal(width: number, size: number | undefined): WriteValue {
  return (cursor, out, at) => {
    const length = size ?? cursor.length();
    putDecimal(cursor, cursor.take(length), length, out, at, width);
  };
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** uuid on string: 36 characters of RFC 9562 → 16 bytes. */
export const writeUuid: WriteValue = (cursor, out, at) => {
  const length = cursor.length();
  const start = cursor.take(length);
  let digits = 0;
  for (let i = 0; i < length; i++) {
    const code = cursor.bytes[start + i] as number;
    const isDash = i === 8 || i === 13 || i === 18 || i === 23;
    const digit = isDash ? (code === 45 ? 0 : -1) : hexDigit(code);
    if (digit < 0 || length !== 36)
      throw new FormatError(`a uuid is not 8-4-4-4-12 hexadecimal digits at byte ${start}`);
    if (isDash) continue;
    const place = at + (digits >> 1);
    out.bytes[place] = digits & 1 ? (out.bytes[place] as number) | digit : digit << 4;
    digits++;
  }
  if (digits !== 32) throw new FormatError(`a uuid of ${length} characters at byte ${start}`);
};

/** duration: months, days and milliseconds → Arrow's months, days (int32) and nanoseconds (int64). */
export const writeDuration: WriteValue = (cursor, out, at) => {
  const start = cursor.take(12);
  const months = cursor.uint32(start);
  const days = cursor.uint32(start + 4);
  const millis = cursor.uint32(start + 8);
  if (months > 0x7fffffff || days > 0x7fffffff) {
    throw new FormatError(`a duration of ${months} months and ${days} days passes 32 bits at byte ${start}`);
  }
  const word = at >> 2;
  out.words[word] = months;
  out.words[word + 1] = days;
  // millis × 10^6 < 2^52, exact.
  const nanos = millis * 1_000_000;
  out.words[word + 2] = (nanos % 2 ** 32) | 0;
  out.words[word + 3] = Math.floor(nanos / 2 ** 32);
};

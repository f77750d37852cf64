import { type Column, type DataType, FormatError } from "@ingest-ts/core";
import { float16Bits } from "../tfrecord/float16.ts";

/** What a stored schema that is not the data's leads to. */
function misfit(index: number, what: string): FormatError {
  return new FormatError(`value ${index} of a slab ${what}, which the stored Arrow schema rules out`, {
    remedy: "The file was changed after it was written; write it again.",
  });
}

function words(data: Uint8Array, count: number): Int32Array {
  return new Int32Array(data.buffer, data.byteOffset, count);
}

/** Integers of `bits`, signed, as a type of as many bits or fewer. */
export function narrowIntegers(column: Column, bits: number, to: Extract<DataType, { kind: "int" }>): Uint8Array {
  const data = column.data as Uint8Array;
  const { length } = column;
  if (bits === 64) return narrow64(words(data, length * 2), length, to);
  const source =
    bits === 32
      ? words(data, length)
      : bits === 16
        ? new Int16Array(data.buffer, data.byteOffset, length)
        : new Int8Array(data.buffer, data.byteOffset, length);
  const out = newIntegers(to, length);
  for (let i = 0; i < length; i++) {
    const value = source[i] as number;
    out[i] = value;
    if (out[i] !== value) throw misfit(i, `is ${value}`);
  }
  return new Uint8Array(out.buffer);
}

function newIntegers({ bits, signed }: { bits: number; signed: boolean }, length: number) {
  if (bits === 32) return signed ? new Int32Array(length) : new Uint32Array(length);
  if (bits === 16) return signed ? new Int16Array(length) : new Uint16Array(length);
  return signed ? new Int8Array(length) : new Uint8Array(length);
}

function narrow64(source: Int32Array, length: number, to: Extract<DataType, { kind: "int" }>): Uint8Array {
  if (to.bits === 64) {
    // Only the sign differs: what was written is below 2^63.
    for (let i = 0; i < length; i++) if ((source[2 * i + 1] as number) < 0) throw misfit(i, "is negative");
    return new Uint8Array(source.buffer, source.byteOffset, length * 8);
  }
  const out = newIntegers(to, length);
  for (let i = 0; i < length; i++) {
    const value = (source[2 * i + 1] as number) * 2 ** 32 + ((source[2 * i] as number) >>> 0);
    out[i] = value;
    if (out[i] !== value) throw misfit(i, `is ${value}`);
  }
  return new Uint8Array(out.buffer);
}

/** float32 as float16. */
export function halvesOf(column: Column): Uint8Array {
  const data = column.data as Uint8Array;
  const source = new Float32Array(data.buffer, data.byteOffset, column.length);
  const out = new Uint16Array(column.length);
  for (let i = 0; i < out.length; i++) {
    const bits = float16Bits(source[i] as number);
    if (bits === undefined) throw misfit(i, `is ${source[i]}, no 16-bit float`);
    out[i] = bits;
  }
  return new Uint8Array(out.buffer);
}

/** 128-bit decimals as 256-bit ones. */
export function widenDecimals(data: Uint8Array, length: number): Uint8Array {
  const source = words(data, length * 4);
  const out = new Int32Array(length * 8);
  for (let i = 0; i < length; i++) {
    for (let k = 0; k < 4; k++) out[8 * i + k] = source[4 * i + k] as number;
    out.fill((source[4 * i + 3] as number) >> 31, 8 * i + 4, 8 * i + 8);
  }
  return new Uint8Array(out.buffer);
}

/** Days as milliseconds: 32-bit days never pass 64 bits. */
export function multiplyDays(data: Uint8Array, length: number): Uint8Array {
  const source = words(data, length);
  const out = new Int32Array(length * 2);
  for (let i = 0; i < length; i++) {
    const value = (source[i] as number) * 86_400_000;
    // Below 2^58, where the product of a whole number and 86,400,000 = 2^10 · 84,375 is exact.
    const high = Math.floor(value / 2 ** 32);
    out[2 * i] = (value - high * 2 ** 32) | 0;
    out[2 * i + 1] = high;
  }
  return new Uint8Array(out.buffer);
}

/** Times in milliseconds as seconds. */
export function secondsOf(data: Uint8Array, length: number): Uint8Array {
  const source = words(data, length);
  const out = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const value = source[i] as number;
    if (value % 1000 !== 0) throw misfit(i, `is ${value} ms`);
    out[i] = value / 1000;
  }
  return new Uint8Array(out.buffer);
}

/** 64-bit values, `times` times divided by 1000. */
export function divideByThousands(column: Column, times: number): Uint8Array {
  const source = words(column.data as Uint8Array, column.length * 2);
  const out = new Int32Array(column.length * 2);
  for (let i = 0; i < column.length; i++) {
    let low = (source[2 * i] as number) >>> 0;
    let high = source[2 * i + 1] as number;
    for (let k = 0; k < times; k++) {
      // Long division: the remainder of the upper word stays below 1000 · 2^32, which a number holds exactly.
      const quotient = Math.floor(high / 1000);
      const rest = (high - quotient * 1000) * 2 ** 32 + low;
      low = Math.floor(rest / 1000);
      if (low * 1000 !== rest) throw misfit(i, "is no whole number of its unit");
      high = quotient;
    }
    out[2 * i] = low | 0;
    out[2 * i + 1] = high;
  }
  return new Uint8Array(out.buffer);
}

import { byteWidthOf, type DataType } from "@ingest-ts/core";
import { float16Bits } from "./float16.ts";

/** A value that the column's stored type cannot hold. Plain: the caller adds column and place. */
export class RestoreError extends Error {
  /** Which of the values. */
  readonly index: number;

  constructor(index: number, what: string) {
    super(`value ${index} ${what}`);
    this.name = "RestoreError";
    this.index = index;
  }
}

/** Whether int64 values are kept as they are. */
function isWide(type: DataType): boolean {
  if (type.kind === "int") return type.bits === 64 && type.signed;
  return type.kind !== "bool" && byteWidthOf(type) === 8;
}

/**
 * int64 values (as words, low before high) as `type`: narrower integers, booleans, dates, times, timestamps, durations,
 * and float64, which is kept by its bits.
 *
 * @throws RestoreError for a value outside of the type
 */
export function restoreIntegers(words: Int32Array, count: number, type: DataType): Uint8Array {
  if (isWide(type) && !(type.kind === "int" && !type.signed)) return new Uint8Array(words.slice(0, count * 2).buffer);
  if (type.kind === "bool") return restoreBooleans(words, count);
  if (type.kind === "int" && !type.signed) return restoreUnsigned(words, count, type.bits);
  const bits = byteWidthOf(type) * 8;
  const out = bits === 32 ? new Int32Array(count) : bits === 16 ? new Int16Array(count) : new Int8Array(count);
  const shift = 32 - bits;
  for (let i = 0; i < count; i++) {
    const low = words[2 * i] as number;
    if ((low << shift) >> shift !== low || words[2 * i + 1] !== low >> 31) throw outside(i, words, type);
    out[i] = low;
  }
  return new Uint8Array(out.buffer);
}

function restoreUnsigned(words: Int32Array, count: number, bits: number): Uint8Array {
  if (bits === 64) {
    for (let i = 0; i < count; i++) {
      if ((words[2 * i + 1] as number) < 0) throw new RestoreError(i, "is negative, in an unsigned column");
    }
    return new Uint8Array(words.slice(0, count * 2).buffer);
  }
  const out = bits === 32 ? new Uint32Array(count) : bits === 16 ? new Uint16Array(count) : new Uint8Array(count);
  const rest = bits === 32 ? 0 : -1 << bits;
  for (let i = 0; i < count; i++) {
    const low = words[2 * i] as number;
    if ((low & rest) !== 0 || words[2 * i + 1] !== 0)
      throw new RestoreError(i, `does not fit ${bits} bits without sign`);
    out[i] = low;
  }
  return new Uint8Array(out.buffer);
}

function restoreBooleans(words: Int32Array, count: number): Uint8Array {
  const out = new Uint8Array((count + 7) >> 3);
  for (let i = 0; i < count; i++) {
    const low = words[2 * i] as number;
    if (low >>> 0 > 1 || words[2 * i + 1] !== 0) throw new RestoreError(i, "is neither 0 nor 1, in a boolean column");
    out[i >> 3] = (out[i >> 3] as number) | (low << (i & 7));
  }
  return out;
}

function outside(index: number, words: Int32Array, type: DataType): RestoreError {
  const value = new BigInt64Array(words.slice(2 * index, 2 * index + 2).buffer)[0];
  return new RestoreError(index, `is ${value}, which does not fit the column's ${type.kind}`);
}

/** float32 values as float16. @throws RestoreError for a value between two of them */
export function restoreHalves(values: Float32Array, count: number): Uint8Array {
  const out = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const bits = float16Bits(values[i] as number);
    if (bits === undefined) throw new RestoreError(i, `is ${values[i]}, which is no 16-bit float`);
    out[i] = bits;
  }
  return new Uint8Array(out.buffer);
}

/** Byte strings as values of `width` bytes; empty ones are zeros where `isNull` says so. @throws RestoreError */
export function restoreFixed(
  ends: Int32Array,
  data: Uint8Array,
  count: number,
  width: number,
  isNull: (index: number) => boolean,
): Uint8Array {
  const out = new Uint8Array(count * width);
  for (let i = 0; i < count; i++) {
    const start = ends[i] as number;
    const end = ends[i + 1] as number;
    if (end - start === width) out.set(data.subarray(start, end), i * width);
    else if (!isNull(i)) throw new RestoreError(i, `has ${end - start} bytes, not ${width}`);
  }
  return out;
}

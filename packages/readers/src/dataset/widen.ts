import { type Column, type DataType, FormatError, getBit, halfToNumber, type TimeUnit } from "@ingest-ts/core";

type Numbers = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;
type IntType = Extract<DataType, { kind: "int" }>;
type DecimalType = Extract<DataType, { kind: "decimal" }>;

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}

/** The values of an integer column of up to 32 bits, in place. */
function numbersOf(data: Uint8Array, { bits, signed }: IntType): Numbers {
  const { buffer, byteOffset } = data;
  const count = (data.byteLength * 8) / bits;
  if (bits === 8) return signed ? new Int8Array(buffer, byteOffset, count) : data;
  if (bits === 16) {
    return signed ? new Int16Array(buffer, byteOffset, count) : new Uint16Array(buffer, byteOffset, count);
  }
  return signed ? new Int32Array(buffer, byteOffset, count) : new Uint32Array(buffer, byteOffset, count);
}

/** Integers of more bits with the same values. */
export function widenInts(data: Uint8Array, from: IntType, to: IntType): Uint8Array {
  const numbers = numbersOf(data, from);
  if (to.bits === 16) return bytesOf(to.signed ? Int16Array.from(numbers) : Uint16Array.from(numbers));
  if (to.bits === 32) return bytesOf(to.signed ? Int32Array.from(numbers) : Uint32Array.from(numbers));
  return bytesOf(words64(numbers));
}

/** Each number as two 32-bit words, the lower first: without a bigint per value. */
function words64(numbers: Numbers): Int32Array {
  const words = new Int32Array(numbers.length * 2);
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    words[2 * i] = number;
    words[2 * i + 1] = number < 0 ? -1 : 0;
  }
  return words;
}

/** 32-bit offsets as 64-bit ones. */
export function widenOffsets(offsets: Column["offsets"]): BigInt64Array {
  if (offsets instanceof BigInt64Array) return offsets;
  return new BigInt64Array(words64(offsets ?? new Int32Array(1)).buffer);
}

/** Floats of more bits with the same values. */
export function widenFloats(data: Uint8Array, from: 16 | 32 | 64, to: 16 | 32 | 64): Uint8Array {
  const { buffer, byteOffset } = data;
  if (from === 32) return bytesOf(Float64Array.from(new Float32Array(buffer, byteOffset, data.byteLength / 4)));
  const halves = new Uint16Array(buffer, byteOffset, data.byteLength / 2);
  const out = to === 64 ? new Float64Array(halves.length) : new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halfToNumber(halves[i] as number);
  return bytesOf(out);
}

const perSecond = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 } as const;

/**
 * The same instants or wall clocks in a finer unit.
 *
 * @throws FormatError for one that 64 bits cannot hold in that unit
 */
export function refineTimestamps({ data: bytes, validity }: Column, from: TimeUnit, to: TimeUnit): Uint8Array {
  const data = bytes as Uint8Array;
  const words = new Int32Array(data.slice().buffer);
  for (let left = perSecond[to] / perSecond[from]; left > 1; left /= 1000) {
    for (let i = 0; i < words.length; i += 2) {
      // What lies below a null may be anything.
      if (validity !== null && !getBit(validity, i >> 1)) continue;
      const low = ((words[i] as number) >>> 0) * 1000;
      const high = (words[i + 1] as number) * 1000 + Math.floor(low / 2 ** 32);
      if (high !== (high | 0)) throw tooFar(i >> 1, to);
      words[i] = low % 2 ** 32;
      words[i + 1] = high;
    }
  }
  return bytesOf(words);
}

function tooFar(index: number, unit: TimeUnit): FormatError {
  const name = { s: "seconds", ms: "milliseconds", us: "microseconds", ns: "nanoseconds" }[unit];
  return new FormatError(`timestamp ${index} of a batch does not fit 64 bits of ${name}, which other files have`, {
    remedy: 'Read with timestampUnit "us" (--timestamp-unit us), or the files apart.',
  });
}

/**
 * Decimals with more digits, before or after the point, in 128 or 256 bits.
 *
 * @throws FormatError for a value that has more digits than its type allows, so that it would not fit
 */
export function widenDecimals({ data: bytes, validity }: Column, from: DecimalType, to: DecimalType): Uint8Array {
  const data = bytes as Uint8Array;
  const narrow = from.bits / 16;
  const wide = to.bits / 16;
  const source = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  const count = source.length / narrow;
  const out = new Uint16Array(count * wide);
  const factors = powersOfTen(to.scale - from.scale);
  for (let i = 0; i < count; i++) {
    // What lies below a null may be anything.
    if (validity !== null && !getBit(validity, i)) continue;
    const value = out.subarray(i * wide, (i + 1) * wide);
    value.set(source.subarray(i * narrow, (i + 1) * narrow));
    const negative = (value[narrow - 1] as number) >= 0x8000;
    if (negative) value.fill(0xffff, narrow);
    if (factors.length === 0) continue;
    if (negative) negate(value);
    for (const factor of factors) multiply(value, factor);
    if ((value[wide - 1] as number) >= 0x8000) throw tooLong();
    if (negative) negate(value);
  }
  return bytesOf(out);
}

/** Factors of at most 10^9 each, whose product is 10^exponent. */
function powersOfTen(exponent: number): number[] {
  const factors: number[] = [];
  for (let left = exponent; left > 0; left -= 9) factors.push(10 ** Math.min(9, left));
  return factors;
}

function negate(limbs: Uint16Array): void {
  let carry = 1;
  for (let i = 0; i < limbs.length; i++) {
    const sum = (~(limbs[i] as number) & 0xffff) + carry;
    limbs[i] = sum;
    carry = sum >>> 16;
  }
}

function multiply(limbs: Uint16Array, factor: number): void {
  let carry = 0;
  for (let i = 0; i < limbs.length; i++) {
    // Below 2^47: exact in a double.
    const product = (limbs[i] as number) * factor + carry;
    carry = Math.floor(product / 0x10000);
    limbs[i] = product % 0x10000;
  }
  if (carry !== 0) throw tooLong();
}

function tooLong(): FormatError {
  return new FormatError("a decimal has more digits than its type allows", {
    remedy: "The file is corrupt, or its writer declared too few digits.",
  });
}

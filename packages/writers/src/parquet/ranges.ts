import type { BoolValues, FixedValues, Values, VaryingValues, WordValues } from "../columns/values.ts";

/** The least and the greatest of the values seen, as PLAIN bytes (without a length). */
export interface Range {
  /** @param values at least one. */
  update(values: Values): void;
  finish(): { min: Uint8Array; max: Uint8Array } | undefined;
}

/** INT32 and, with `sizeBytes` 1, BOOLEAN. */
export class Int32Range implements Range {
  readonly #signed: boolean;
  readonly #sizeBytes: 1 | 4;
  #min = Infinity;
  #max = -Infinity;

  constructor(signed: boolean, sizeBytes: 1 | 4) {
    this.#signed = signed;
    this.#sizeBytes = sizeBytes;
  }

  update(values: Values): void {
    const numbers =
      values.form === "words" ? this.#numbersOf(values) : (values as BoolValues).bytes.subarray(0, values.count);
    let min = numbers[0] as number;
    let max = min;
    for (let i = 1; i < numbers.length; i++) {
      const value = numbers[i] as number;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (min < this.#min) this.#min = min;
    if (max > this.#max) this.#max = max;
  }

  #numbersOf({ words }: WordValues): Int32Array | Uint32Array {
    return this.#signed ? words : new Uint32Array(words.buffer, words.byteOffset, words.length);
  }

  finish(): { min: Uint8Array; max: Uint8Array } | undefined {
    if (this.#min > this.#max) return undefined;
    const bytes = (value: number): Uint8Array => {
      const out = new Uint8Array(4);
      new DataView(out.buffer).setInt32(0, value, true);
      return out.subarray(0, this.#sizeBytes);
    };
    return { min: bytes(this.#min), max: bytes(this.#max) };
  }
}

/** INT64, compared by halves: no BigInt per value. */
export class Int64Range implements Range {
  /** Turns the order of unsigned high words into that of signed ones. */
  readonly #flip: number;
  #minHigh = 0;
  #minLow = 0;
  #maxHigh = 0;
  #maxLow = 0;
  #empty = true;

  constructor(signed: boolean) {
    this.#flip = signed ? 0 : -0x80000000;
  }

  update(values: Values): void {
    const { words, count } = values as WordValues;
    const flip = this.#flip;
    if (this.#empty) {
      this.#minLow = this.#maxLow = (words[0] as number) >>> 0;
      this.#minHigh = this.#maxHigh = (words[1] as number) ^ flip;
      this.#empty = false;
    }
    let minHigh = this.#minHigh;
    let minLow = this.#minLow;
    let maxHigh = this.#maxHigh;
    let maxLow = this.#maxLow;
    for (let i = 0; i < count; i++) {
      const low = (words[2 * i] as number) >>> 0;
      const high = (words[2 * i + 1] as number) ^ flip;
      if (high < minHigh || (high === minHigh && low < minLow)) {
        minHigh = high;
        minLow = low;
      }
      if (high > maxHigh || (high === maxHigh && low > maxLow)) {
        maxHigh = high;
        maxLow = low;
      }
    }
    this.#minHigh = minHigh;
    this.#minLow = minLow;
    this.#maxHigh = maxHigh;
    this.#maxLow = maxLow;
  }

  finish(): { min: Uint8Array; max: Uint8Array } | undefined {
    if (this.#empty) return undefined;
    const bytes = (low: number, high: number): Uint8Array => {
      const view = new DataView(new ArrayBuffer(8));
      view.setUint32(0, low, true);
      view.setInt32(4, high ^ this.#flip, true);
      return new Uint8Array(view.buffer);
    };
    return { min: bytes(this.#minLow, this.#minHigh), max: bytes(this.#maxLow, this.#maxHigh) };
  }
}

/** Least and greatest number, NaN left out; a zero bound counts for both zeros. */
abstract class NumberRange implements Range {
  #min = Infinity;
  #max = -Infinity;
  #seen = false;

  abstract update(values: Values): void;

  protected abstract encode(value: number): Uint8Array;

  protected add(value: number): void {
    if (value !== value) return;
    this.#seen = true;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  finish(): { min: Uint8Array; max: Uint8Array } | undefined {
    if (!this.#seen) return undefined;
    // parquet.thrift, `TypeDefinedOrder`: a min of +0 is written as -0, a max of -0 as +0.
    return { min: this.encode(this.#min === 0 ? -0 : this.#min), max: this.encode(this.#max === 0 ? 0 : this.#max) };
  }
}

/** FLOAT and DOUBLE. */
export class FloatRange extends NumberRange {
  readonly #sizeBytes: 4 | 8;

  constructor(sizeBytes: 4 | 8) {
    super();
    this.#sizeBytes = sizeBytes;
  }

  override update(values: Values): void {
    const { words, count } = values as WordValues;
    const numbers = this.#sizeBytes === 4 ? new Float32Array(words.buffer, words.byteOffset, count) : doublesOf(words);
    let min = NaN;
    let max = NaN;
    for (let i = 0; i < numbers.length; i++) {
      const value = numbers[i] as number;
      // Written so that the first number replaces NaN, and NaN never replaces a number.
      if (!(value >= min) && value === value) min = value;
      if (!(value <= max) && value === value) max = value;
    }
    this.add(min);
    this.add(max);
  }

  protected override encode(value: number): Uint8Array {
    const view = new DataView(new ArrayBuffer(this.#sizeBytes));
    if (this.#sizeBytes === 4) view.setFloat32(0, value, true);
    else view.setFloat64(0, value, true);
    return new Uint8Array(view.buffer);
  }
}

function doublesOf(words: Int32Array): Float64Array {
  const aligned = words.byteOffset % 8 === 0 ? words : words.slice();
  return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1);
}

/** FIXED_LEN_BYTE_ARRAY(2) with FLOAT16, ordered by the numbers' bits: sign and magnitude. */
export class Float16Range implements Range {
  #min = 0x8000;
  #max = -0x8000;

  update(values: Values): void {
    const { bytes, count } = values as FixedValues;
    for (let i = 0; i < count; i++) {
      const bits = (bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8);
      const magnitude = bits & 0x7fff;
      if (magnitude > 0x7c00) continue;
      const key = bits === magnitude ? magnitude : -magnitude;
      if (key < this.#min) this.#min = key;
      if (key > this.#max) this.#max = key;
    }
  }

  finish(): { min: Uint8Array; max: Uint8Array } | undefined {
    if (this.#min > this.#max) return undefined;
    const bytes = (bits: number): Uint8Array => Uint8Array.of(bits & 0xff, bits >> 8);
    const min = this.#min <= 0 ? 0x8000 | -this.#min : this.#min;
    const max = this.#max < 0 ? 0x8000 | -this.#max : this.#max;
    return { min: bytes(min), max: bytes(max) };
  }
}

/** FIXED_LEN_BYTE_ARRAY, as unsigned bytes or, for decimals, as big-endian two's complement. */
export class FixedRange implements Range {
  readonly signed: boolean;
  #min: Uint8Array | undefined;
  #max: Uint8Array | undefined;

  constructor(signed: boolean) {
    this.signed = signed;
  }

  update(values: Values): void {
    const { bytes, width, count } = values as FixedValues;
    let min = this.#min ?? bytes.slice(0, width);
    let max = this.#max ?? bytes.slice(0, width);
    const flip = this.signed ? 0x80 : 0;
    for (let i = 0; i < count; i++) {
      const at = i * width;
      if (compareFixed(bytes, at, min, flip) < 0) min = bytes.slice(at, at + width);
      else if (compareFixed(bytes, at, max, flip) > 0) max = bytes.slice(at, at + width);
    }
    this.#min = min;
    this.#max = max;
  }

  finish(): { min: Uint8Array; max: Uint8Array } | undefined {
    return this.#min === undefined || this.#max === undefined ? undefined : { min: this.#min, max: this.#max };
  }
}

/** @param flip 0x80 when the first byte carries a sign. */
function compareFixed(bytes: Uint8Array, at: number, other: Uint8Array, flip: number): number {
  const first = ((bytes[at] as number) ^ flip) - ((other[0] as number) ^ flip);
  if (first !== 0) return first;
  for (let k = 1; k < other.length; k++) {
    const difference = (bytes[at + k] as number) - (other[k] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** BYTE_ARRAY, as unsigned bytes; a prefix comes before what it begins. */
export class VaryingRange implements Range {
  #min: Uint8Array | undefined;
  #max: Uint8Array | undefined;

  update(values: Values): void {
    const { bytes, starts, ends, count } = values as VaryingValues;
    const slice = (i: number): Uint8Array => bytes.slice(starts[i], ends[i]);
    let min = this.#min ?? slice(0);
    let max = this.#max ?? slice(0);
    for (let i = 0; i < count; i++) {
      const start = starts[i] as number;
      const end = ends[i] as number;
      if (compareVarying(bytes, start, end, min) < 0) min = slice(i);
      else if (compareVarying(bytes, start, end, max) > 0) max = slice(i);
    }
    this.#min = min;
    this.#max = max;
  }

  finish(): { min: Uint8Array; max: Uint8Array } | undefined {
    return this.#min === undefined || this.#max === undefined ? undefined : { min: this.#min, max: this.#max };
  }
}

function compareVarying(bytes: Uint8Array, start: number, end: number, other: Uint8Array): number {
  const shared = Math.min(end - start, other.length);
  for (let k = 0; k < shared; k++) {
    const difference = (bytes[start + k] as number) - (other[k] as number);
    if (difference !== 0) return difference;
  }
  return end - start - other.length;
}

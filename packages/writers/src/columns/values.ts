/**
 * Values of one leaf in the shape of their physical type, without nulls and without gaps. They may share memory with the
 * column they come from, and are valid until the next extraction.
 */
export type Values = BoolValues | WordValues | FixedValues | VaryingValues;

/** BOOLEAN: one byte each, 0 or 1. */
export interface BoolValues {
  readonly form: "bool";
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** INT32 and FLOAT (one word each), INT64 and DOUBLE (two, the low one first). */
export interface WordValues {
  readonly form: "words";
  readonly count: number;
  readonly perValue: 1 | 2;
  /** [count × perValue] */
  readonly words: Int32Array;
}

/** FIXED_LEN_BYTE_ARRAY. */
export interface FixedValues {
  readonly form: "fixed";
  readonly count: number;
  readonly width: number;
  /** [count × width] */
  readonly bytes: Uint8Array;
}

/** BYTE_ARRAY: value i is bytes [starts[i], ends[i]). */
export interface VaryingValues {
  readonly form: "varying";
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Bytes of the values in PLAIN encoding (Encodings.md, "Plain"). */
export function plainBytes(values: Values): number {
  switch (values.form) {
    case "bool":
      return Math.ceil(values.count / 8);
    case "words":
      return values.words.byteLength;
    case "fixed":
      return values.bytes.length;
    case "varying":
      return varyingBytes(values) + 4 * values.count;
  }
}

/** Bytes of the values themselves, without lengths. */
export function varyingBytes(values: VaryingValues): number {
  const { starts, ends, count } = values;
  let total = 0;
  for (let i = 0; i < count; i++) total += (ends[i] as number) - (starts[i] as number);
  return total;
}

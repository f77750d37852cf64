import { getBit } from "../bits.ts";
import type { Column } from "../columns.ts";
import type { Key } from "./literals.ts";
import { halfToNumber } from "./numbers.ts";

/** Negative, 0 or positive as the value at `row` is below, equal to or above key `k`. Null rows give anything. */
export type RowOrder = (row: number, k: number) => number;

/** Values of at most 32 bits and floats, as an indexable array of numbers. */
export function numbersOf(column: Column): ArrayLike<number> | undefined {
  const { type, length } = column;
  const data = column.data as Uint8Array;
  switch (type.kind) {
    case "bool":
      return Uint8Array.from({ length }, (_, i) => Number(getBit(data, i)));
    case "int":
      if (type.bits === 64) return undefined;
      if (type.bits === 8) return type.signed ? view(Int8Array, data, length) : view(Uint8Array, data, length);
      if (type.bits === 16) return type.signed ? view(Int16Array, data, length) : view(Uint16Array, data, length);
      return type.signed ? view(Int32Array, data, length) : view(Uint32Array, data, length);
    case "float":
      if (type.bits === 64) return view(Float64Array, data, length);
      if (type.bits === 32) return view(Float32Array, data, length);
      return Float32Array.from(view(Uint16Array, data, length), halfToNumber);
    case "date":
      return type.unit === "day" ? view(Int32Array, data, length) : undefined;
    case "time":
      return type.unit === "s" || type.unit === "ms" ? view(Int32Array, data, length) : undefined;
    default:
      return undefined;
  }
}

type View<T> = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => T;

function view<T>(View: View<T>, data: Uint8Array, length: number): T {
  return new View(data.buffer, data.byteOffset, length);
}

function signOf(difference: number): number {
  return difference < 0 ? -1 : difference > 0 ? 1 : 0;
}

/** Little-endian integers of `words` 32-bit words each; no BigInt is made per row. */
function wideOrder(column: Column, words: number, signed: boolean, keys: readonly bigint[]): RowOrder {
  const data = column.data as Uint8Array;
  const low = view(Uint32Array, data, column.length * words);
  const high = signed ? view(Int32Array, data, column.length * words) : low;
  const keyWords = keys.map((key) =>
    Array.from({ length: words }, (_, word) => {
      const bits = key >> BigInt(32 * word);
      return Number(signed && word === words - 1 ? BigInt.asIntN(32, bits) : BigInt.asUintN(32, bits));
    }),
  );
  return (row, k) => {
    const key = keyWords[k] as number[];
    let word = words - 1;
    let difference = (high[row * words + word] as number) - (key[word] as number);
    while (difference === 0 && word > 0) {
      word--;
      difference = (low[row * words + word] as number) - (key[word] as number);
    }
    return signOf(difference);
  };
}

function compareBytes(data: Uint8Array, start: number, end: number, key: Uint8Array): number {
  const length = Math.min(end - start, key.length);
  for (let i = 0; i < length; i++) {
    const difference = (data[start + i] as number) - (key[i] as number);
    if (difference !== 0) return difference;
  }
  return end - start - key.length;
}

function bytesOrder(column: Column, keys: readonly Uint8Array[]): RowOrder {
  const data = column.data as Uint8Array;
  if (column.type.kind === "fixedSizeBinary") {
    const width = column.type.byteWidth;
    return (row, k) => compareBytes(data, row * width, (row + 1) * width, keys[k] as Uint8Array);
  }
  if (column.offsets instanceof Int32Array) {
    const offsets = column.offsets;
    return (row, k) => compareBytes(data, offsets[row] as number, offsets[row + 1] as number, keys[k] as Uint8Array);
  }
  const wide = column.offsets as BigInt64Array;
  const offsets = Float64Array.from(wide, Number);
  return (row, k) => compareBytes(data, offsets[row] as number, offsets[row + 1] as number, keys[k] as Uint8Array);
}

/** How the rows of a column that is not in `numbersOf`, nor a dictionary, compare with `keys`. */
export function rowOrder(column: Column, keys: readonly Key[]): RowOrder {
  const { type } = column;
  switch (type.kind) {
    case "int":
      return wideOrder(column, 2, type.signed, keys as readonly bigint[]);
    case "decimal":
      return wideOrder(column, type.bits / 32, true, keys as readonly bigint[]);
    case "date":
    case "time":
    case "timestamp":
    case "duration":
      return wideOrder(column, 2, true, keys as readonly bigint[]);
    default:
      return bytesOrder(column, keys as readonly Uint8Array[]);
  }
}

import {
  byteWidthOf,
  type Column,
  type DataType,
  getBit,
  halfToNumber,
  typeName,
  UnsupportedError,
} from "@ingest-ts/core";
import { bytesAt } from "../output/text-values.ts";

/** Compares two rows by their places. */
export type Compare = (a: number, b: number) => number;

/** Whether `compareOf` knows an order of values of this type. */
export function isOrdered({ kind }: DataType): boolean {
  return compares[kind] !== undefined;
}

/**
 * The order of a column's values: NaN above every number, text and bytes by their bytes. Nulls are last, also when the
 * order is descending.
 *
 * @throws UnsupportedError for types without order
 */
export function compareOf(column: Column, descending: boolean): Compare {
  const compare = compares[column.type.kind]?.(column);
  if (compare === undefined) throw new UnsupportedError(`sorting values of type ${typeName(column.type)}`);
  const directed: Compare = descending ? (a, b) => compare(b, a) : compare;
  const { validity, nullCount } = column;
  if (nullCount === 0 || validity === null) return directed;
  return (a, b) => {
    const left = getBit(validity, a);
    const right = getBit(validity, b);
    return left && right ? directed(a, b) : Number(right) - Number(left);
  };
}

/** The first that tells two rows apart decides; rows that are equal in all keep their order. */
export function inTurn(all: readonly Compare[]): Compare {
  return (a, b) => {
    for (const compare of all) {
      const result = compare(a, b);
      if (result !== 0) return result;
    }
    return a - b;
  };
}

/** Numbers in order, NaN above them all. */
function numbers(at: (row: number) => number): Compare {
  return (a, b) => {
    const left = at(a);
    const right = at(b);
    if (left < right) return -1;
    if (left > right) return 1;
    return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
  };
}

/** Little-endian integers of any whole number of 32-bit words, from the highest word down. */
function words(column: Column, width: number, signed: boolean): Compare {
  const data = column.data as Uint8Array;
  const all = new Uint32Array(data.buffer, data.byteOffset, (column.length * width) / 4);
  const count = width / 4;
  const flip = signed ? 0x8000_0000 : 0;
  return (a, b) => {
    for (let word = count - 1; word >= 0; word--) {
      const turn = word === count - 1 ? flip : 0;
      const left = ((all[a * count + word] as number) ^ turn) >>> 0;
      const right = ((all[b * count + word] as number) ^ turn) >>> 0;
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  };
}

function integers(column: Column): Compare {
  const type = column.type as Extract<DataType, { kind: "int" }>;
  const data = column.data as Uint8Array;
  if (type.bits >= 32) return words(column, type.bits / 8, type.signed);
  const { length } = column;
  const narrow = narrowValues(data, length, type);
  return (a, b) => (narrow[a] as number) - (narrow[b] as number);
}

function narrowValues(
  { buffer, byteOffset }: Uint8Array,
  length: number,
  { bits, signed }: Extract<DataType, { kind: "int" }>,
): Int8Array | Uint8Array | Int16Array | Uint16Array {
  if (bits === 8)
    return signed ? new Int8Array(buffer, byteOffset, length) : new Uint8Array(buffer, byteOffset, length);
  return signed ? new Int16Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length);
}

function floats(column: Column): Compare {
  const { buffer, byteOffset } = column.data as Uint8Array;
  const { length } = column;
  const { bits } = column.type as Extract<DataType, { kind: "float" }>;
  if (bits === 16) {
    const half = new Uint16Array(buffer, byteOffset, length);
    return numbers((row) => halfToNumber(half[row] as number));
  }
  const values =
    bits === 32 ? new Float32Array(buffer, byteOffset, length) : new Float64Array(buffer, byteOffset, length);
  return numbers((row) => values[row] as number);
}

function fixedWords(column: Column): Compare {
  return words(column, byteWidthOf(column.type), true);
}

/** Bytes of a value that fit a double exactly. */
const PREFIX_BYTES = 6;

/** Byte strings. Most differ in their first bytes, which are compared as one number. */
function bytes(column: Column): Compare {
  const at = bytesAt(column);
  const { length } = column;
  const prefixes = new Float64Array(length);
  const lengths = new Uint32Array(length);
  for (let row = 0; row < length; row++) {
    const value = at(row);
    let prefix = 0;
    for (let i = 0; i < PREFIX_BYTES; i++) prefix = prefix * 256 + (value[i] ?? 0);
    prefixes[row] = prefix;
    lengths[row] = value.length;
  }
  return (a, b) => {
    const order = (prefixes[a] as number) - (prefixes[b] as number);
    if (order !== 0) return order;
    const [left, right] = [lengths[a] as number, lengths[b] as number];
    // The prefix is filled up with zeros: of two that agree so far, the one that ends is before the other.
    return Math.min(left, right) <= PREFIX_BYTES ? left - right : at(a).compare(at(b));
  };
}

const compares: Readonly<Partial<Record<DataType["kind"], (column: Column) => Compare>>> = {
  bool:
    ({ data }) =>
    (a, b) =>
      Number(getBit(data as Uint8Array, a)) - Number(getBit(data as Uint8Array, b)),
  int: integers,
  float: floats,
  decimal: (column) => words(column, (column.type as Extract<DataType, { kind: "decimal" }>).bits / 8, true),
  date: fixedWords,
  time: fixedWords,
  timestamp: fixedWords,
  duration: fixedWords,
  utf8: bytes,
  largeUtf8: bytes,
  binary: bytes,
  largeBinary: bytes,
  fixedSizeBinary: bytes,
};

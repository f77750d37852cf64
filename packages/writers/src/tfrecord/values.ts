import {
  type Column,
  countBits,
  type DataType,
  getBit,
  OptionsError,
  takeColumn,
  UnsupportedError,
} from "@ingest-ts/core";
import { integerElements } from "@ingest-ts/kernels";
import { float16Value } from "@ingest-ts/readers/tfrecord/example";
import type { FeaturePlan } from "./features.ts";

const noBytes = new Uint8Array(0);

/** The values of a column without the lists around them, in a layout that the encoder takes. */
interface FlatValues {
  /** Bytes of one value; 0 for bits; byte strings have `ends` instead. */
  readonly width: number;
  /** One of `integerElements`. */
  readonly element: number;
  readonly data: Uint8Array;
  /** Of byte strings: one more than values, in any base. */
  readonly ends: Int32Array | undefined;
}

/** One column of a batch, ready to be cut into pieces and encoded. */
export interface FlatColumn {
  readonly plan: FeaturePlan;
  /** null: every row is valid. */
  readonly validity: Uint8Array | null;
  /** Of lists: rows + 1 places in `values`. */
  readonly offsets: Int32Array | undefined;
  /** Values a row, −1 for lists. */
  readonly fixed: number;
  readonly values: FlatValues;
}

const elementsByBits = {
  8: [integerElements.uint8, integerElements.int8],
  16: [integerElements.uint16, integerElements.int16],
  32: [integerElements.uint32, integerElements.int32],
  64: [integerElements.int64, integerElements.int64],
} as const;

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Offsets as 32-bit numbers from the first on, which keeps them small whatever they were cut from. */
function int32Offsets(offsets: Int32Array | BigInt64Array, count: number, name: string): [Int32Array, number] {
  if (offsets instanceof Int32Array) return [offsets.subarray(0, count + 1), 0];
  const first = Number(offsets[0]);
  if (Number(offsets[count]) - first > 2 ** 31 - 1) {
    throw new UnsupportedError("a batch of 2 GiB in one column", {
      where: { column: name },
      remedy: "Write smaller ones.",
    });
  }
  // Within 2 GiB of the first, differences of the low words are exact, and no value becomes a BigInt.
  const words = new Int32Array(offsets.buffer, offsets.byteOffset, (count + 1) * 2);
  const low = words[0] as number;
  const ends = new Int32Array(count + 1);
  for (let i = 0; i <= count; i++) ends[i] = (words[2 * i] as number) - low;
  return [ends, first];
}

function flatStrings(column: Column, type: DataType, name: string): FlatValues {
  const base = { width: 4, element: 0 };
  const data = column.data ?? noBytes;
  if (type.kind === "fixedSizeBinary") {
    const ends = Int32Array.from({ length: column.length + 1 }, (_, i) => i * type.byteWidth);
    return { ...base, data, ends };
  }
  const offsets = column.offsets ?? new Int32Array(1);
  const [ends, first] = int32Offsets(offsets, column.length, name);
  return { ...base, data: data.subarray(first), ends };
}

function flatFloats(column: Column, bits: number): FlatValues {
  const data = column.data ?? noBytes;
  if (bits === 32) return { width: 4, element: 0, data, ends: undefined };
  const halves = new Uint16Array(data.buffer, data.byteOffset, column.length);
  return { width: 4, element: 0, data: bytesOf(Float32Array.from(halves, float16Value)), ends: undefined };
}

function flatIntegers(column: Column, type: DataType): FlatValues {
  const data = column.data ?? noBytes;
  if (type.kind === "bool") return { width: 0, element: integerElements.bits, data, ends: undefined };
  if (type.kind === "int") {
    return { width: type.bits / 8, element: elementsByBits[type.bits][type.signed ? 1 : 0], data, ends: undefined };
  }
  // Dates, times, timestamps, durations and the bits of floats: signed, of 4 or 8 bytes.
  const narrow = (type.kind === "date" && type.unit === "day") || (type.kind === "time" && "s ms".includes(type.unit));
  return {
    width: narrow ? 4 : 8,
    element: narrow ? integerElements.int32 : integerElements.int64,
    data,
    ends: undefined,
  };
}

/** The values that a dictionary column's indices stand for. */
function decoded(column: Column): Column {
  const { type, dictionary } = column;
  if (type.kind !== "dictionary" || dictionary === null) return column;
  const data = column.data ?? noBytes;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = type.index.bits / 8;
  const indices = new Int32Array(column.length);
  if (dictionary.length > 0) {
    for (let i = 0; i < column.length; i++) {
      if (column.validity !== null && column.nullCount > 0 && !getBit(column.validity, i)) continue;
      const low =
        width === 1 ? view.getUint8(i) : width === 2 ? view.getUint16(i * 2, true) : view.getInt32(i * width, true);
      if (low < 0 || low >= dictionary.length) {
        throw new OptionsError(`index ${low} is outside of a dictionary of ${dictionary.length}`);
      }
      indices[i] = low;
    }
  } else if (column.nullCount < column.length) {
    throw new OptionsError("the dictionary is empty, and not every row is null");
  } else return nothingOf(type.value, column.length);
  return masked(takeColumn(dictionary, indices), column);
}

/** A column of nulls. */
function nothingOf(type: DataType, length: number): Column {
  const ends = new Int32Array(length + 1);
  const base = { type, length, nullCount: length, validity: new Uint8Array((length + 7) >> 3) };
  return { ...base, offsets: ends, data: new Uint8Array(length * 16), children: [], dictionary: null };
}

/** `values` with the nulls of `column` added. */
function masked(values: Column, column: Column): Column {
  if (column.validity === null || column.nullCount === 0) return values;
  if (values.validity === null || values.nullCount === 0) {
    return { ...values, validity: column.validity, nullCount: column.nullCount };
  }
  const own = values.validity;
  const validity = Uint8Array.from({ length: (column.length + 7) >> 3 }, (_, i) => {
    return (own[i] as number) & ((column.validity as Uint8Array)[i] as number);
  });
  return { ...values, validity, nullCount: column.length - countBits(validity, column.length) };
}

/** Whether value `i` is null. */
function isNull({ validity, nullCount }: Column, i: number): boolean {
  return nullCount > 0 && validity !== null && !getBit(validity, i);
}

/** @throws UnsupportedError for a value in a used place that cannot be written */
function checkValues(column: Column, type: DataType, name: string, used: (visit: (i: number) => void) => void): void {
  const where = { column: name };
  const view = new DataView((column.data ?? noBytes).buffer, (column.data ?? noBytes).byteOffset);
  if (type.kind === "int" && type.bits === 64 && !type.signed) {
    used((i) => {
      if (isNull(column, i) || view.getInt32(i * 8 + 4, true) >= 0) return;
      const value = view.getBigUint64(i * 8, true);
      throw new UnsupportedError(`the value ${value} is above what TFRecord's int64 holds`, { where });
    });
  }
}

function checkItems(column: Column, name: string, kind: string, used: (visit: (i: number) => void) => void): void {
  if (column.nullCount === 0) return;
  used((i) => {
    if (!isNull(column, i)) return;
    throw new UnsupportedError(`TFRecord cannot hold a null inside a column of type ${kind}`, {
      where: { column: name },
      remedy: "Replace nulls inside lists.",
    });
  });
}

function validityOf(column: Column): Uint8Array | null {
  return column.nullCount === 0 ? null : column.validity;
}

function flatValues(column: Column, plan: FeaturePlan): FlatValues {
  const { element, name } = plan;
  if (plan.dtype === "bytes") return flatStrings(column, element, name);
  if (plan.dtype === "float32") return flatFloats(column, element.kind === "float" ? element.bits : 32);
  return flatIntegers(column, element);
}

function flatList(column: Column, plan: FeaturePlan): FlatColumn {
  const offsets = column.offsets ?? new Int32Array(1);
  const length = offsets.length === 0 ? 0 : column.length;
  const [ends, first] = int32Offsets(offsets, length, plan.name);
  const values = decoded(column.children[0] as Column);
  const used = (visit: (i: number) => void): void => {
    for (let row = 0; row < length; row++) {
      if (isNull(column, row)) continue;
      for (let i = ends[row] as number; i < (ends[row + 1] as number); i++) visit(i + first);
    }
  };
  checkItems(values, plan.name, column.type.kind, used);
  checkValues(values, plan.element, plan.name, used);
  const flat = flatValues(values, plan);
  const shifted = first === 0 ? flat : skipped(flat, first);
  return { plan, validity: validityOf(column), offsets: ends, fixed: -1, values: shifted };
}

/** The values from `first` on. */
function skipped(values: FlatValues, first: number): FlatValues {
  if (values.ends !== undefined) return { ...values, ends: values.ends.subarray(first) };
  if (values.width > 0) return { ...values, data: values.data.subarray(first * values.width) };
  const bits = new Uint8Array(Math.max(0, values.data.length - (first >> 3)));
  for (let i = 0; i < bits.length * 8 && first + i < values.data.length * 8; i++) {
    if (getBit(values.data, first + i)) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
  }
  return { ...values, data: bits };
}

function flatFixed(column: Column, plan: FeaturePlan): FlatColumn {
  let perRow = 1;
  let inner = column;
  const used =
    (count: number) =>
    (visit: (i: number) => void): void => {
      for (let row = 0; row < column.length; row++) {
        if (isNull(column, row)) continue;
        for (let i = row * count; i < (row + 1) * count; i++) visit(i);
      }
    };
  while (inner.type.kind === "fixedSizeList") {
    perRow *= inner.type.size;
    inner = inner.children[0] as Column;
    checkItems(inner, plan.name, column.type.kind, used(perRow));
  }
  const values = decoded(inner);
  if (values !== inner && column !== inner) checkItems(values, plan.name, column.type.kind, used(perRow));
  checkValues(values, plan.element, plan.name, used(perRow));
  const validity = column === inner ? validityOf(values) : validityOf(column);
  return { plan, validity, offsets: undefined, fixed: perRow, values: flatValues(values, plan) };
}

/**
 * A column as the encoder takes it: dictionaries decoded, half floats widened, offsets 32-bit.
 *
 * @throws UnsupportedError for a null inside a list and for unsigned integers above int64
 */
export function flattenColumn(column: Column, plan: FeaturePlan): FlatColumn {
  return plan.shape === null ? flatList(column, plan) : flatFixed(column, plan);
}

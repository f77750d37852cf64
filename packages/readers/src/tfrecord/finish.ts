import { type Column, countBits, type DataType, FormatError, getBit } from "@ingest-ts/core";
import { checked, decodeColumn as column, KernelError } from "@ingest-ts/kernels";
import type { ColumnTable, HeldValue } from "./column-table.ts";
import type { FeatureSpec } from "./feature.ts";
import { RestoreError, restoreFixed, restoreHalves, restoreIntegers } from "./restore.ts";

const noChildren: readonly Column[] = [];

interface Validity {
  readonly validity: Uint8Array | null;
  readonly nullCount: number;
}

const allValid: Validity = { validity: null, nullCount: 0 };

function validityOf(table: ColumnTable, i: number, rows: number): Validity {
  const address = table.address(i, column.validity);
  const validity = table.bytes.slice(address, address + ((rows + 7) >> 3));
  const rest = rows & 7;
  if (rest !== 0) validity[rows >> 3] = (validity[rows >> 3] as number) & ((1 << rest) - 1);
  const nullCount = rows - countBits(validity, rows);
  return nullCount === 0 ? allValid : { validity, nullCount };
}

/**
 * Values that all lie in `window`, in their order, moved together there; undefined when they do not, or fill too little
 * of it. Nothing else may be wanted of the window.
 */
function compacted(held: readonly HeldValue[], total: number, window: Uint8Array): Uint8Array | undefined {
  if (total * 2 < window.length) return undefined;
  let length = 0;
  for (const { bytes } of held) {
    if (bytes.buffer !== window.buffer) return undefined;
    length += bytes.length;
  }
  if (length !== total) return undefined;
  const base = window.byteOffset;
  let at = 0;
  for (const { bytes } of held) {
    window.copyWithin(at, bytes.byteOffset - base, bytes.byteOffset - base + bytes.length);
    at += bytes.length;
  }
  return window.subarray(0, total);
}

/** The values' bytes: what lies in the arena and what was held, in their order. */
function stringBytes(table: ColumnTable, i: number, total: number, window: Uint8Array | undefined): Uint8Array {
  const data = table.address(i, column.data);
  const held = table.held[i] as HeldValue[];
  if (held.length === 0) return table.bytes.slice(data, data + total);
  const inPlace = window === undefined ? undefined : compacted(held, total, window);
  if (inPlace !== undefined) return inPlace;
  const out = new Uint8Array(total);
  const memory = table.bytes;
  let at = 0;
  let taken = 0;
  for (const value of held) {
    out.set(memory.subarray(data + taken, data + taken + value.at - at), at);
    taken += value.at - at;
    out.set(value.bytes, value.at);
    at = value.at + value.bytes.length;
  }
  out.set(memory.subarray(data + taken, data + taken + total - at), at);
  return out;
}

function checkText(table: ColumnTable, i: number, ends: Int32Array, data: Uint8Array, count: number): void {
  if ((table.held[i] as HeldValue[]).length === 0) {
    const { exports } = table.kernels;
    const address = table.address(i, column.values);
    checked(exports, exports.validateUtf8(table.address(i, column.data), address, count));
    return;
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let k = 0; k < count; k++) {
    try {
      decoder.decode(data.subarray(ends[k], ends[k + 1]));
    } catch {
      throw new RestoreError(k, "is not UTF-8, in a text column");
    }
  }
}

function stringsLeaf(
  table: ColumnTable,
  i: number,
  type: DataType,
  count: number,
  valid: Validity,
  isNull: (index: number) => boolean,
  window: Uint8Array | undefined,
): Column {
  const address = table.address(i, column.values) >>> 2;
  const ends = table.words.slice(address, address + count + 1);
  const data = stringBytes(table, i, ends[count] as number, window);
  const base = { type, length: count, ...valid, children: noChildren, dictionary: null };
  if (type.kind === "fixedSizeBinary") {
    return { ...base, offsets: null, data: restoreFixed(ends, data, count, type.byteWidth, isNull) };
  }
  if (type.kind === "utf8" || type.kind === "largeUtf8") checkText(table, i, ends, data, count);
  return { ...base, offsets: widened(ends, type), data };
}

function widened(offsets: Int32Array, type: DataType): Int32Array | BigInt64Array {
  const large = type.kind === "largeUtf8" || type.kind === "largeBinary" || type.kind === "largeList";
  if (!large) return offsets;
  // Offsets of one slab are below 2^31, so the high words stay 0; a BigInt per value would take ten times as long.
  const wide = new BigInt64Array(offsets.length);
  const words = new Int32Array(wide.buffer);
  for (let i = 0; i < offsets.length; i++) words[2 * i] = offsets[i] as number;
  return wide;
}

const never = (): boolean => false;

/** The values of a column, without lists around them; `isNull` tells which only fill the place of a null. */
function leaf(
  table: ColumnTable,
  i: number,
  type: DataType,
  count: number,
  valid: Validity,
  window: Uint8Array | undefined,
  isNull: (index: number) => boolean = never,
): Column {
  const { dtype } = table.columns[i] as FeatureSpec;
  if (dtype === "bytes") return stringsLeaf(table, i, type, count, valid, isNull, window);
  const address = table.address(i, column.values);
  let data: Uint8Array;
  if (dtype === "int64") data = restoreIntegers(table.words.subarray(address >>> 2), count, type);
  else if (type.kind === "float" && type.bits === 16) {
    data = restoreHalves(new Float32Array(table.bytes.buffer, address, count), count);
  } else data = table.bytes.slice(address, address + count * 4);
  return { type, length: count, ...valid, offsets: null, data, children: noChildren, dictionary: null };
}

function finishList(
  table: ColumnTable,
  i: number,
  type: DataType,
  rows: number,
  window: Uint8Array | undefined,
): Column {
  const address = table.address(i, column.offsets) >>> 2;
  const offsets = table.words.slice(address, address + rows + 1);
  const item = (type as Extract<DataType, { kind: "list" | "largeList" }>).child.type;
  return {
    type,
    length: rows,
    ...validityOf(table, i, rows),
    offsets: widened(offsets, type),
    data: null,
    children: [leaf(table, i, item, offsets[rows] as number, allValid, window)],
    dictionary: null,
  };
}

/** Values or (nested) fixed-size lists of them; only the outermost can be null. */
function finishFixed(
  table: ColumnTable,
  i: number,
  type: DataType,
  rows: number,
  window: Uint8Array | undefined,
): Column {
  const outer = validityOf(table, i, rows);
  const perRow = Math.max(1, table.word(i, column.fixed));
  const isNull = (index: number): boolean =>
    outer.validity !== null && !getBit(outer.validity, Math.floor(index / perRow));
  const wrap = (inner: DataType, length: number, valid: Validity): Column => {
    if (inner.kind !== "fixedSizeList") return leaf(table, i, inner, length, valid, window, isNull);
    const child = wrap(inner.child.type, length * inner.size, allValid);
    return { type: inner, length, ...valid, offsets: null, data: null, children: [child], dictionary: null };
  };
  return wrap(type, rows, outer);
}

function finishUnchecked(table: ColumnTable, i: number, spec: FeatureSpec, window: Uint8Array | undefined): Column {
  const { rows } = table;
  const { type } = spec;
  if (spec.dtype === null) {
    const nothing = { offsets: null, data: null, children: noChildren, dictionary: null };
    return { type, length: rows, nullCount: rows, validity: null, ...nothing };
  }
  if (spec.shape === null) return finishList(table, i, type, rows, window);
  return finishFixed(table, i, type, rows, window);
}

/**
 * Column `i` of the rows since `begin`, copied out of the arena, as the type it is known to have.
 *
 * @param window bytes that nobody else wants any more, in which the values held may become the column
 * @throws FormatError when a value does not fit that type
 */
export function finishColumn(table: ColumnTable, i: number, window?: Uint8Array): Column {
  const spec = table.columns[i] as FeatureSpec;
  try {
    return finishUnchecked(table, i, spec, window);
  } catch (error) {
    if (!(error instanceof RestoreError || error instanceof KernelError)) throw error;
    throw new FormatError(`a value does not fit the stored schema: ${error.message}`, {
      where: { column: spec.name },
      remedy: "The schema beside the file is not that of its rows.",
      cause: error,
    });
  }
}

import { UnsupportedError } from "@ingest-ts/core";
import { decodeColumn as column } from "@ingest-ts/kernels";
import type { ColumnTable, HeldValue } from "./column-table.ts";
import { countValues, eachRun, type FeatureValue, readVarints } from "./example.ts";
import { type FeatureKind, featureKinds, kindName } from "./spec.ts";

/** Values of this size stay where they were fetched until the slab is finished. */
const HELD_BYTES = 1024;
/** Packed runs of this size are worth a kernel call. */
const KERNEL_RUN_BYTES = 256;
const MOST_BYTES = 2 ** 31 - 1;

/** A record that does not fit a column. Plain: the decoder adds the place. */
export class ColumnError extends Error {
  readonly column: string;
  /** The file is right, but its columns were made from too few records. */
  readonly late: boolean;

  constructor(name: string, what: string, late = false) {
    super(what);
    this.name = "ColumnError";
    this.column = name;
    this.late = late;
  }
}

/** How `appendValue` may work; what it gives is always the same. */
export interface AppendOptions {
  /** Large values may be kept as views of the record's bytes. */
  readonly hold: boolean;
  readonly kernels: boolean;
}

/**
 * Appends one feature of a record, in any form, as the current row of column `i`: what the kernel does for the common
 * form. undefined: absent.
 *
 * @throws ColumnError, WireError, UnsupportedError
 */
export function appendValue(
  table: ColumnTable,
  i: number,
  bytes: Uint8Array,
  value: FeatureValue | undefined,
  options: AppendOptions,
): void {
  if (value === undefined || value.kind === 0) {
    appendMissing(table, i);
    return;
  }
  const name = (table.columns[i] as { name: string }).name;
  const kind = table.word(i, column.kind) as FeatureKind;
  if (kind !== value.kind) {
    throw new ColumnError(
      name,
      kind === 0
        ? `feature "${name}" is a ${kindName(value.kind)}, but has no kind in the records that the columns were made from`
        : `feature "${name}" is a ${kindName(value.kind)}, not a ${kindName(kind)}`,
      kind === 0,
    );
  }
  const fixed = table.word(i, column.fixed);
  const count = countValues(bytes, value);
  if (fixed >= 0 && count !== fixed) {
    throw new ColumnError(name, `feature "${name}" has ${count} values, not ${fixed}`);
  }
  const start = beginRow(table, i, fixed, count);
  if (kind === featureKinds.bytes) appendStrings(table, i, bytes, value, start, options);
  else if (kind === featureKinds.float32) appendFloats(table, i, bytes, value, start, count);
  else appendIntegers(table, i, bytes, value, start, count, options);
  const { rows } = table;
  const validity = table.address(i, column.validity) + (rows >> 3);
  table.bytes[validity] = (table.bytes[validity] as number) | (1 << (rows & 7));
}

/** Makes room for the row's values and ends its list; answers the number of its first value. */
function beginRow(table: ColumnTable, i: number, fixed: number, count: number): number {
  const { rows } = table;
  let start = rows * fixed;
  if (fixed < 0) {
    const offsets = (table.address(i, column.offsets) >>> 2) + rows;
    start = table.words[offsets] as number;
    if (start + count > MOST_BYTES) throw tooLarge(table, i);
    table.words[offsets + 1] = start + count;
  }
  table.ensureValues(i, start + count);
  return start;
}

function tooLarge(table: ColumnTable, i: number): UnsupportedError {
  return new UnsupportedError("a batch of 2 GiB in one column", {
    where: { column: (table.columns[i] as { name: string }).name },
    remedy: "Read smaller batches.",
  });
}

function appendFloats(
  table: ColumnTable,
  i: number,
  bytes: Uint8Array,
  value: FeatureValue,
  start: number,
  count: number,
): void {
  const out = table.bytes;
  let at = table.address(i, column.values) + start * 4;
  eachRun(bytes, value, (from, to) => {
    out.set(bytes.subarray(from, to), at);
    at += to - from;
  });
  table.addOutBytes(count * 4);
}

function appendIntegers(
  table: ColumnTable,
  i: number,
  bytes: Uint8Array,
  value: FeatureValue,
  start: number,
  count: number,
  options: AppendOptions,
): void {
  let word = (table.address(i, column.values) >>> 2) + start * 2;
  eachRun(bytes, value, (from, to) => {
    if (options.kernels && to - from >= KERNEL_RUN_BYTES) {
      // `value` was counted, so each of its varints ends: the kernel can only find one that is too long.
      const scratch = table.scratch(to - from);
      table.bytes.set(bytes.subarray(from, to), scratch);
      const read = table.kernels.exports.varints(scratch, scratch + to - from, word * 4);
      if (read >= 0) {
        word += read * 2;
        return;
      }
    }
    word = readVarints(bytes, from, to, table.words, word);
  });
  table.addOutBytes(count * 8);
}

function appendStrings(
  table: ColumnTable,
  i: number,
  bytes: Uint8Array,
  value: FeatureValue,
  start: number,
  options: AppendOptions,
): void {
  let index = start;
  eachRun(bytes, value, (from, to) => {
    appendBytes(table, i, index, bytes.subarray(from, to), options.hold);
    index++;
  });
  let listBytes = 0;
  for (let k = 0; k < value.spans.length; k += 2) {
    listBytes += (value.spans[k + 1] as number) - (value.spans[k] as number);
  }
  table.addOutBytes(listBytes);
}

/** Appends one byte string as value `index`, for which there is room. */
export function appendBytes(table: ColumnTable, i: number, index: number, bytes: Uint8Array, hold: boolean): void {
  const ends = (table.address(i, column.values) >>> 2) + index;
  const at = table.words[ends] as number;
  if (at + bytes.length > MOST_BYTES) throw tooLarge(table, i);
  const base = table.word(i, column.dataBase);
  if (hold && bytes.length >= HELD_BYTES) {
    (table.held[i] as HeldValue[]).push({ at, bytes });
    table.heldBytes += bytes.length;
    table.setWord(i, column.dataBase, base + bytes.length);
  } else {
    const place = at - base;
    if (place + bytes.length > table.address(i, column.dataCapacity)) table.grow(i, true, place + bytes.length);
    table.bytes.set(bytes, table.address(i, column.data) + place);
  }
  table.words[ends + 1] = at + bytes.length;
}

function appendMissing(table: ColumnTable, i: number): void {
  const spec = table.columns[i] as { name: string };
  const missing = table.word(i, column.missing);
  if (missing === 2) throw new ColumnError(spec.name, `feature "${spec.name}" is missing and has no default`);
  const { rows } = table;
  if (missing === 0) {
    const validity = table.address(i, column.validity) + (rows >> 3);
    table.bytes[validity] = (table.bytes[validity] as number) & ~(1 << (rows & 7));
  }
  const fixed = table.word(i, column.fixed);
  const start = beginRow(table, i, fixed, Math.max(fixed, 0));
  const kind = table.word(i, column.kind);
  if (fixed < 0 || kind === 0) return;
  const defaults = missing === 0 ? 0 : table.address(i, column.defaults);
  if (kind === featureKinds.bytes) appendDefaultStrings(table, i, start, fixed, defaults);
  else {
    const width = kind === featureKinds.float32 ? 4 : 8;
    const out = table.address(i, column.values) + start * width;
    if (defaults === 0) table.bytes.fill(0, out, out + fixed * width);
    else table.bytes.copyWithin(out, defaults, defaults + fixed * width);
    table.addOutBytes(fixed * width);
  }
}

function appendDefaultStrings(table: ColumnTable, i: number, start: number, fixed: number, defaults: number): void {
  for (let k = 0; k < fixed; k++) {
    const text = defaults + (fixed + 1) * 4;
    const from = defaults === 0 ? 0 : text + (table.words[(defaults >>> 2) + k] as number);
    const to = defaults === 0 ? 0 : text + (table.words[(defaults >>> 2) + k + 1] as number);
    appendBytes(table, i, start + k, table.bytes.slice(from, to), false);
  }
}

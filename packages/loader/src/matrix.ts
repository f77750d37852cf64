import {
  type Column,
  type ColumnPath,
  type Columns,
  type DataType,
  getBit,
  halfToNumber,
  OptionsError,
  resolveColumn,
  type Schema,
} from "@ingest-ts/core";

export type MatrixConstructor = Float32ArrayConstructor | Float64ArrayConstructor;
export type Matrix = Float32Array | Float64Array;

type NumberArray = Exclude<ArrayLike<number>, string>;

/** Rows converted at a time: a tile of the output stays in the processor's first cache. */
const TILE_ROWS = 64;
const WORD = 2 ** 32;

/** One column of numbers: element i · step + offset is value i. */
interface NumberColumn {
  readonly values: NumberArray;
  readonly step: number;
  readonly offset: number;
  /** Validity by element; null without nulls. */
  readonly validity: Uint8Array | null;
}

function wideValues(column: Column, bytes: Uint8Array, signed: boolean): Float64Array {
  const words = new Uint32Array(bytes.slice().buffer);
  const out = new Float64Array(column.length);
  for (let i = 0; i < out.length; i++) {
    const high = words[2 * i + 1] as number;
    out[i] = (signed ? high | 0 : high) * WORD + (words[2 * i] as number);
  }
  return out;
}

function bitValues(column: Column, bits: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: column.length }, (_, i) => (getBit(bits, i) ? 1 : 0));
}

function valuesOf(column: Column): NumberArray {
  const { type, length } = column;
  const bytes = column.data ?? new Uint8Array(0);
  const { buffer, byteOffset } = bytes;
  if (type.kind === "bool") return bitValues(column, bytes);
  if (type.kind === "float") {
    if (type.bits === 64) return new Float64Array(buffer, byteOffset, length);
    if (type.bits === 32) return new Float32Array(buffer, byteOffset, length);
    return Float32Array.from(new Uint16Array(buffer, byteOffset, length), halfToNumber);
  }
  if (type.kind !== "int") throw new TypeError(`numbers of ${type.kind}`);
  if (type.bits === 64) return wideValues(column, bytes, type.signed);
  switch (type.bits) {
    case 8:
      return type.signed ? new Int8Array(buffer, byteOffset, length) : new Uint8Array(buffer, byteOffset, length);
    case 16:
      return type.signed ? new Int16Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length);
    case 32:
      return type.signed ? new Int32Array(buffer, byteOffset, length) : new Uint32Array(buffer, byteOffset, length);
  }
}

function isNumber(type: DataType): boolean {
  return type.kind === "int" || type.kind === "float" || type.kind === "bool";
}

/** How many columns of a matrix a type gives; 0 when it gives none. */
function widthOf(type: DataType): number {
  if (isNumber(type)) return 1;
  return type.kind === "fixedSizeList" && isNumber(type.child.type) ? type.size : 0;
}

/** Which columns of a batch become which columns of a matrix. */
export interface MatrixPlan {
  readonly paths: readonly { readonly indices: readonly number[]; readonly width: number }[];
  readonly width: number;
}

/** @throws OptionsError for a column that does not exist or holds no numbers. */
export function matrixPlan(columns: readonly ColumnPath[], schema: Schema): MatrixPlan {
  const paths = columns.map((path) => {
    const { indices, field } = resolveColumn(path, schema);
    const width = widthOf(field.type);
    if (width > 0) return { indices, width };
    throw new OptionsError(`a matrix holds numbers, and the column is ${field.type.kind}`, {
      where: { column: typeof path === "string" ? path : path.join(".") },
      remedy: "Select columns of integers, floats, booleans, or fixed-size lists of these.",
    });
  });
  return { paths, width: paths.reduce((sum, { width }) => sum + width, 0) };
}

/** A struct's null hides its fields, so both must be looked at. */
function jointValidity(a: Uint8Array | null, b: Uint8Array | null, length: number): Uint8Array | null {
  if (a === null || b === null) return a ?? b;
  return Uint8Array.from({ length: (length + 7) >> 3 }, (_, i) => (a[i] as number) & (b[i] as number));
}

function numberColumns(rows: Columns, plan: MatrixPlan): NumberColumn[] {
  return plan.paths.flatMap(({ indices, width }): NumberColumn[] => {
    let column = rows.columns[indices[0] as number] as Column;
    let validity = column.validity;
    for (const index of indices.slice(1)) {
      column = column.children[index] as Column;
      validity = jointValidity(validity, column.validity, column.length);
    }
    if (column.type.kind !== "fixedSizeList") return [{ values: valuesOf(column), step: 1, offset: 0, validity }];
    const items = column.children[0] as Column;
    const values = valuesOf(items);
    const expanded = validity === null ? null : spreadBits(validity, column.length, width);
    const both = jointValidity(expanded, items.validity, items.length);
    return Array.from({ length: width }, (_, offset) => ({ values, step: width, offset, validity: both }));
  });
}

function spreadBits(bits: Uint8Array, length: number, times: number): Uint8Array {
  const out = new Uint8Array((length * times + 7) >> 3);
  for (let i = 0; i < length * times; i++) {
    if (getBit(bits, Math.floor(i / times))) out[i >> 3] = (out[i >> 3] as number) | (1 << (i & 7));
  }
  return out;
}

function fillTile(column: NumberColumn, from: number, to: number, out: Matrix, at: number, width: number): void {
  const { values, step, offset, validity } = column;
  let place = at;
  if (step === 1) for (let i = from; i < to; i++, place += width) out[place] = values[i] as number;
  else for (let i = from; i < to; i++, place += width) out[place] = values[i * step + offset] as number;
  if (validity === null) return;
  for (let i = from, p = at; i < to; i++, p += width) if (!getBit(validity, i * step + offset)) out[p] = Number.NaN;
}

/** The numbers of one block, prepared once for all of its batches. */
export class BlockMatrix {
  readonly #columns: readonly NumberColumn[];

  constructor(block: Columns, plan: MatrixPlan) {
    this.#columns = numberColumns(block, plan);
  }

  /** Rows [from, to) as a new row-major matrix; null is NaN, and numbers are rounded to what `Type` holds. */
  rows(from: number, to: number, Type: MatrixConstructor): Matrix {
    const width = this.#columns.length;
    const out = new Type((to - from) * width);
    for (let start = from; start < to; start += TILE_ROWS) {
      const stop = Math.min(to, start + TILE_ROWS);
      for (let c = 0; c < width; c++) {
        fillTile(this.#columns[c] as NumberColumn, start, stop, out, (start - from) * width + c, width);
      }
    }
    return out;
  }
}

import {
  byteWidthOf,
  type Column,
  type Columns,
  countBits,
  type DataType,
  type Field,
  FormatError,
  getBit,
  withWhere,
} from "@ingest-ts/core";
import { type BatchLayout, UNKNOWN_NULLS } from "./spec.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });
const MAX_LENGTH = 2 ** 31 - 1;

function fail(what: string): never {
  throw new FormatError(what);
}

/**
 * Makes columns of the buffers of one batch. Everything that a later loop relies on is checked here once: lengths,
 * offsets, validity counts, UTF-8, dictionary indices, union branches.
 */
class Loader {
  readonly #layout: BatchLayout;
  readonly #body: Uint8Array;
  readonly #dictionary: () => Column;
  #node = 0;
  #buffer = 0;

  constructor(layout: BatchLayout, body: Uint8Array, dictionary: () => Column) {
    this.#layout = layout;
    this.#body = body;
    this.#dictionary = dictionary;
  }

  column(type: DataType): Column {
    const length = this.#layout.nodes[this.#node] ?? fail("the batch has too few arrays");
    const nullCount = this.#layout.nodes[this.#node + 1] as number;
    this.#node += 2;
    if (length < 0 || length > MAX_LENGTH) fail(`an array of ${length} values`);
    if (nullCount > length) fail(`${nullCount} nulls among ${length} values`);
    const flat = {
      type,
      length,
      nullCount: 0,
      validity: null,
      offsets: null,
      data: null,
      children: [],
      dictionary: null,
    };
    if (type.kind === "null") return { ...flat, nullCount: length };
    if (type.kind === "union") return this.#union(type, flat);
    return this.#values(type, { ...flat, ...this.#validity(length, nullCount) });
  }

  /** All buffers and arrays must have been used: anything left means that the schema is another. */
  finish(): void {
    if (this.#node !== this.#layout.nodes.length || this.#buffer !== this.#layout.buffers.length)
      fail("the batch has more arrays or buffers than the schema");
  }

  #values(type: DataType, base: Column): Column {
    switch (type.kind) {
      case "bool":
        return { ...base, data: this.#bytes((base.length + 7) >> 3) };
      case "utf8":
      case "binary":
      case "largeUtf8":
      case "largeBinary": {
        const offsets = this.#offsets(base.length, type.kind.startsWith("large"));
        const data = this.#bytes(0);
        checkOffsets(offsets, data.length);
        if (type.kind === "utf8" || type.kind === "largeUtf8") checkText(offsets, data);
        return { ...base, offsets, data };
      }
      case "list":
      case "map":
      case "largeList": {
        const offsets = this.#offsets(base.length, type.kind === "largeList");
        const child = this.#child(type.child);
        checkOffsets(offsets, child.length);
        return { ...base, offsets, children: [child] };
      }
      case "fixedSizeList": {
        const child = this.#child(type.child);
        if (child.length !== type.size * base.length)
          fail(`${child.length} items in ${base.length} lists of ${type.size}`);
        return { ...base, children: [child] };
      }
      case "struct":
        return { ...base, children: this.#children(type.children, base.length) };
      case "dictionary": {
        const data = this.#bytes(byteWidthOf(type) * base.length);
        const dictionary = this.#dictionary();
        const column = { ...base, data, dictionary };
        checkIndices(column, type.index, dictionary.length);
        return column;
      }
      default:
        return { ...base, data: this.#bytes(byteWidthOf(type) * base.length) };
    }
  }

  #union(type: Extract<DataType, { kind: "union" }>, base: Column): Column {
    const data = this.#bytes(base.length);
    const offsets = type.mode === "dense" ? this.#int32s(base.length) : null;
    const children = type.children.map((field) => this.#child(field));
    const lengths = new Map(type.typeIds.map((id, i) => [id, (children[i] as Column).length]));
    for (let i = 0; i < base.length; i++) {
      const length = lengths.get(data[i] as number) ?? fail(`union branch ${data[i]} does not exist`);
      const at = offsets === null ? i : (offsets[i] as number);
      if (at < 0 || at >= length) fail(`value ${at} of a union branch of ${length}`);
    }
    if (offsets === null && children.some((child) => child.length !== base.length))
      fail("branches of a sparse union of different lengths");
    return { ...base, offsets, data, children };
  }

  #child(field: Field): Column {
    return withWhere({ column: field.name }, () => this.column(field.type));
  }

  #children(fields: readonly Field[], length: number): Column[] {
    const children = fields.map((field) => this.#child(field));
    for (const child of children) if (child.length !== length) fail(`${child.length} values in a struct of ${length}`);
    return children;
  }

  /** The next buffer, of at least `sizeBytes`, at an address fit for any element type. */
  #bytes(sizeBytes: number): Uint8Array {
    const offset = this.#layout.buffers[this.#buffer] ?? fail("the batch has too few buffers");
    const length = this.#layout.buffers[this.#buffer + 1] as number;
    this.#buffer += 2;
    if (offset + length > this.#body.length) fail(`a buffer of ${length} bytes at ${offset} of ${this.#body.length}`);
    if (length < sizeBytes) fail(`a buffer of ${length} bytes where ${sizeBytes} are needed`);
    const bytes = this.#body.subarray(offset, offset + (sizeBytes === 0 ? length : sizeBytes));
    return bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  }

  #validity(length: number, nullCount: number): Pick<Column, "nullCount" | "validity"> {
    const none = { nullCount: 0, validity: null };
    const bits = this.#bytes(nullCount > 0 ? (length + 7) >> 3 : 0);
    if (nullCount === 0 || (nullCount === UNKNOWN_NULLS && bits.length === 0)) return none;
    if (bits.length < (length + 7) >> 3) fail(`a validity bitmap of ${bits.length} bytes for ${length} values`);
    const nulls = length - countBits(bits, length);
    if (nullCount === UNKNOWN_NULLS) return nulls === 0 ? none : { nullCount: nulls, validity: bits };
    if (nulls !== nullCount) fail(`${nulls} nulls where the batch says ${nullCount}`);
    return { nullCount, validity: bits };
  }

  #int32s(length: number): Int32Array {
    const bytes = this.#bytes(length * 4);
    return new Int32Array(bytes.buffer, bytes.byteOffset, length);
  }

  /** An array of no values may leave its offsets out. */
  #offsets(length: number, large: boolean): Int32Array | BigInt64Array {
    if (length === 0) {
      this.#bytes(0);
      return large ? new BigInt64Array(1) : new Int32Array(1);
    }
    if (!large) return this.#int32s(length + 1);
    const bytes = this.#bytes((length + 1) * 8);
    return new BigInt64Array(bytes.buffer, bytes.byteOffset, length + 1);
  }
}

function checkOffsets(offsets: Int32Array | BigInt64Array, end: number): void {
  let last = Number(offsets[0]);
  if (last < 0) fail(`offset ${last}`);
  for (let i = 1; i < offsets.length; i++) {
    const next = Number(offsets[i]);
    if (next < last) fail(`offset ${next} after ${last}`);
    last = next;
  }
  if (last > end) fail(`offset ${last} in ${end}`);
}

/** The run of all values must be UTF-8, and no value may begin inside a character. */
function checkText(offsets: Int32Array | BigInt64Array, data: Uint8Array): void {
  try {
    utf8.decode(data.subarray(Number(offsets[0]), Number(offsets.at(-1))));
  } catch (cause) {
    throw new FormatError("text that is not UTF-8", { cause });
  }
  const last = Number(offsets.at(-1));
  for (const offset of offsets) {
    const at = Number(offset);
    if (at < last && ((data[at] as number) & 0xc0) === 0x80) fail(`text that begins inside a character`);
  }
}

/** The index that valid values have. Rows that are null may hold anything, and give 0. */
export function indicesOf(column: Column, index: Extract<DataType, { kind: "int" }>): Float64Array {
  const { data, length, validity } = column;
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  const view = new DataView(buffer, byteOffset, byteLength);
  const out = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    if (validity !== null && !getBit(validity, i)) continue;
    out[i] = indexAt(view, i, index);
  }
  return out;
}

function indexAt(view: DataView, i: number, { bits, signed }: Extract<DataType, { kind: "int" }>): number {
  switch (bits) {
    case 8:
      return signed ? view.getInt8(i) : view.getUint8(i);
    case 16:
      return signed ? view.getInt16(i * 2, true) : view.getUint16(i * 2, true);
    case 32:
      return signed ? view.getInt32(i * 4, true) : view.getUint32(i * 4, true);
    case 64:
      return Number(signed ? view.getBigInt64(i * 8, true) : view.getBigUint64(i * 8, true));
  }
}

function checkIndices(column: Column, index: Extract<DataType, { kind: "int" }>, entries: number): void {
  if (column.nullCount === column.length) return;
  for (const at of indicesOf(column, index)) {
    if (at >= 0 && at < entries) continue;
    // A null row gives 0, which an empty dictionary lacks too: then no valid row can be right either.
    fail(`index ${at} into a dictionary of ${entries}`);
  }
}

/** The columns of one batch. `dictionaries` are those of the dictionary-encoded fields, depth first. */
export function loadBatch(
  layout: BatchLayout,
  body: Uint8Array,
  fields: readonly Field[],
  dictionaries: readonly Column[],
): Columns {
  let next = 0;
  const loader = new Loader(layout, body, () => dictionaries[next++] as Column);
  const columns = fields.map((field) => withWhere({ column: field.name }, () => loader.column(field.type)));
  loader.finish();
  for (const [i, column] of columns.entries()) {
    if (column.length === layout.rows) continue;
    throw new FormatError(`${column.length} values in a batch of ${layout.rows} rows`, {
      where: { column: fields[i]?.name },
    });
  }
  return { rows: layout.rows, columns };
}

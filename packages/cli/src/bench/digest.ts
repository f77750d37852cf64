import { createHash, type Hash } from "node:crypto";
import {
  byteWidthOf,
  childFields,
  type Column,
  type Columns,
  type DataType,
  getBit,
  type Schema,
} from "@ingest-ts/core";
import { hasNaN, makeNaNsEqual } from "./digest-floats.ts";
import { BitStream, LengthStream } from "./digest-streams.ts";

/**
 * Digest of a table's values, row order included.
 *
 * Every column, nested ones at every level, is up to three streams, each hashed with SHA-256 as it comes: the validity
 * bits, the lengths of its variable-sized values, and its value bytes. A stream holds only what a reader must return:
 * nothing under a null (a null has length 0, its bytes are left out or zero), no offsets, one spelling of NaN, the same
 * lengths for Int32 and Int64 offsets, indices replaced by their dictionary's values. Because streams are hashed
 * incrementally and bits are repacked without gaps, neither batch boundaries nor buffer layout reach the digest; two
 * rows swapped, one bit flipped or a null moved do. The table's digest is the SHA-256 over the names, the types and the
 * digests of all streams.
 */
export class TableDigest {
  readonly #schema: Schema;
  readonly #columns: readonly ColumnDigest[];
  #rows = 0;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#columns = schema.fields.map((field) => digestOf(field.type));
  }

  /** Adds rows below those added before; their columns must have the types of the schema. */
  add(columns: Columns): void {
    for (let i = 0; i < this.#columns.length; i++) {
      const column = columns.columns[i];
      if (column === undefined) throw new Error(`bench: column ${i} is missing`);
      (this.#columns[i] as ColumnDigest).add(column, 0, column.length);
    }
    this.#rows += columns.rows;
  }

  /** @returns 64 hexadecimal digits. Nothing may be added afterwards. */
  finish(): string {
    const columns = this.#schema.fields.map((field, i) => [field.name, (this.#columns[i] as ColumnDigest).finish()]);
    return createHash("sha256")
      .update(JSON.stringify({ rows: this.#rows, columns }))
      .digest("hex");
  }
}

/** What is comparable between formats of a type: widths of offsets, names of list items and nullability are not. */
type TypeName = string;

interface ColumnDigest {
  /** Adds values [from, to) of the column. */
  add(column: Column, from: number, to: number): void;
  finish(): unknown;
}

function digestOf(type: DataType): ColumnDigest {
  switch (type.kind) {
    case "null":
      return new NullDigest();
    case "bool":
      return new BoolDigest();
    case "utf8":
    case "largeUtf8":
      return new BytesDigest("utf8");
    case "binary":
    case "largeBinary":
      return new BytesDigest("binary");
    case "list":
    case "largeList":
    case "map":
      return new ListDigest(type.kind === "map" ? "map" : "list", type.child.type);
    case "fixedSizeList":
      return new FixedSizeListDigest(type.size, type.child.type);
    case "struct":
      return new StructDigest(type);
    case "union":
      return new UnionDigest(type);
    case "dictionary":
      return new DictionaryDigest(type.value);
    default:
      return new FixedWidthDigest(type);
  }
}

function isValid(column: Column, i: number): boolean {
  return column.nullCount === 0 || column.validity === null || getBit(column.validity, i);
}

/** Calls `use` with the longest runs of valid values in [from, to). */
function eachValidRun(column: Column, from: number, to: number, use: (from: number, to: number) => void): void {
  if (column.nullCount === 0 || column.validity === null) {
    if (to > from) use(from, to);
    return;
  }
  let start = from;
  for (let i = from; i < to; i++) {
    if (getBit(column.validity, i)) continue;
    if (i > start) use(start, i);
    start = i + 1;
  }
  if (to > start) use(start, to);
}

class NullDigest implements ColumnDigest {
  add(): void {
    // A column of nulls has no bytes; the table's digest holds the number of rows.
  }

  finish(): unknown {
    return ["null"];
  }
}

class BoolDigest implements ColumnDigest {
  readonly #validity = new BitStream();
  readonly #values = new BitStream();

  add(column: Column, from: number, to: number): void {
    this.#validity.addValidity(column, from, to);
    const data = column.data as Uint8Array;
    if (column.nullCount === 0) {
      this.#values.addBits(data, from, to);
      return;
    }
    for (let i = from; i < to; i++) this.#values.addBit(isValid(column, i) && getBit(data, i));
  }

  finish(): unknown {
    return ["bool", this.#validity.finish(), this.#values.finish()];
  }
}

/** Values without nulls are hashed where they lie; others go through a copy of so many bytes. */
const SCRATCH_BYTES = 256 * 1024;

class FixedWidthDigest implements ColumnDigest {
  readonly #name: TypeName;
  readonly #width: number;
  readonly #floatBits: number;
  readonly #validity = new BitStream();
  readonly #values: Hash = createHash("sha256");
  #scratch: Uint8Array | undefined;

  constructor(type: DataType) {
    this.#name = JSON.stringify(type.kind === "timestamp" ? { ...type, timezone: zoneName(type.timezone) } : type);
    this.#width = byteWidthOf(type);
    this.#floatBits = type.kind === "float" ? type.bits : 0;
  }

  add(column: Column, from: number, to: number): void {
    this.#validity.addValidity(column, from, to);
    const width = this.#width;
    const data = (column.data as Uint8Array).subarray(from * width, to * width);
    if (column.nullCount === 0 && !hasNaN(data, this.#floatBits)) {
      this.#values.update(data);
      return;
    }
    this.#scratch ??= new Uint8Array(SCRATCH_BYTES);
    const step = Math.max(1, Math.floor(SCRATCH_BYTES / Math.max(1, width)));
    for (let start = from; start < to; start += step) {
      const end = Math.min(to, start + step);
      const bytes =
        (end - start) * width <= SCRATCH_BYTES
          ? this.#scratch.subarray(0, (end - start) * width)
          : new Uint8Array(width);
      bytes.set((column.data as Uint8Array).subarray(start * width, end * width));
      for (let i = start; i < end; i++) {
        if (!isValid(column, i)) bytes.fill(0, (i - start) * width, (i - start + 1) * width);
      }
      makeNaNsEqual(bytes, this.#floatBits);
      this.#values.update(bytes);
    }
  }

  finish(): unknown {
    return [this.#name, this.#validity.finish(), this.#values.digest("hex")];
  }
}

/** Two spellings of one zone. */
function zoneName(zone: string | null): string | null {
  return zone === "+00:00" ? "UTC" : zone;
}

class BytesDigest implements ColumnDigest {
  readonly #name: TypeName;
  readonly #validity = new BitStream();
  readonly #lengths = new LengthStream();
  readonly #bytes: Hash = createHash("sha256");

  constructor(name: TypeName) {
    this.#name = name;
  }

  add(column: Column, from: number, to: number): void {
    this.#validity.addValidity(column, from, to);
    this.#lengths.addLengths(column, from, to);
    const offsets = column.offsets as Int32Array | BigInt64Array;
    const data = column.data as Uint8Array;
    eachValidRun(column, from, to, (start, end) => {
      const first = Number(offsets[start]);
      const last = Number(offsets[end]);
      if (last > first) this.#bytes.update(data.subarray(first, last));
    });
  }

  finish(): unknown {
    return [this.#name, this.#validity.finish(), this.#lengths.finish(), this.#bytes.digest("hex")];
  }
}

class ListDigest implements ColumnDigest {
  readonly #name: TypeName;
  readonly #validity = new BitStream();
  readonly #lengths = new LengthStream();
  readonly #items: ColumnDigest;

  constructor(name: TypeName, item: DataType) {
    this.#name = name;
    this.#items = digestOf(item);
  }

  add(column: Column, from: number, to: number): void {
    this.#validity.addValidity(column, from, to);
    this.#lengths.addLengths(column, from, to);
    const offsets = column.offsets as Int32Array | BigInt64Array;
    const items = column.children[0] as Column;
    eachValidRun(column, from, to, (start, end) => {
      const first = Number(offsets[start]);
      const last = Number(offsets[end]);
      if (last > first) this.#items.add(items, first, last);
    });
  }

  finish(): unknown {
    return [this.#name, this.#validity.finish(), this.#lengths.finish(), this.#items.finish()];
  }
}

class FixedSizeListDigest implements ColumnDigest {
  readonly #size: number;
  readonly #validity = new BitStream();
  readonly #items: ColumnDigest;

  constructor(size: number, item: DataType) {
    this.#size = size;
    this.#items = digestOf(item);
  }

  add(column: Column, from: number, to: number): void {
    this.#validity.addValidity(column, from, to);
    const items = column.children[0] as Column;
    eachValidRun(column, from, to, (start, end) => {
      if (this.#size > 0) this.#items.add(items, start * this.#size, end * this.#size);
    });
  }

  finish(): unknown {
    return ["fixedSizeList", this.#size, this.#validity.finish(), this.#items.finish()];
  }
}

class StructDigest implements ColumnDigest {
  readonly #names: readonly string[];
  readonly #validity = new BitStream();
  readonly #children: readonly ColumnDigest[];

  constructor(type: DataType) {
    const fields = childFields(type);
    this.#names = fields.map((field) => field.name);
    this.#children = fields.map((field) => digestOf(field.type));
  }

  add(column: Column, from: number, to: number): void {
    this.#validity.addValidity(column, from, to);
    eachValidRun(column, from, to, (start, end) => {
      this.#children.forEach((child, i) => {
        child.add(column.children[i] as Column, start, end);
      });
    });
  }

  finish(): unknown {
    return ["struct", this.#names, this.#validity.finish(), this.#children.map((child) => child.finish())];
  }
}

/** Dense and sparse unions of the same values agree: which child each row takes, then each child's values in use. */
class UnionDigest implements ColumnDigest {
  readonly #typeIds: readonly number[];
  readonly #branches: Hash = createHash("sha256");
  readonly #children: readonly ColumnDigest[];

  constructor(type: Extract<DataType, { kind: "union" }>) {
    this.#typeIds = type.typeIds;
    this.#children = type.children.map((field) => digestOf(field.type));
  }

  add(column: Column, from: number, to: number): void {
    const ids = column.data as Uint8Array;
    for (let i = from; i < to; i++) {
      // Type ids are 0 to 127, so that unsigned bytes do.
      const branch = this.#typeIds.indexOf(ids[i] as number);
      this.#branches.update(Uint8Array.of(branch));
      const at = column.offsets === null ? i : Number(column.offsets[i]);
      (this.#children[branch] as ColumnDigest).add(column.children[branch] as Column, at, at + 1);
    }
  }

  finish(): unknown {
    return ["union", this.#branches.digest("hex"), this.#children.map((child) => child.finish())];
  }
}

/** The values that the indices point to; a null index or a null value are the same null. */
class DictionaryDigest implements ColumnDigest {
  readonly #values: ColumnDigest;

  constructor(value: DataType) {
    this.#values = digestOf(value);
  }

  add(column: Column, from: number, to: number): void {
    const dictionary = column.dictionary as Column;
    const data = column.data as Uint8Array;
    const width = byteWidthOf(column.type);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const nothing = nullOf(dictionary);
    for (let i = from; i < to; i++) {
      if (!isValid(column, i)) {
        this.#values.add(nothing, 0, 1);
        continue;
      }
      const index =
        width === 1 ? view.getUint8(i) : width === 2 ? view.getUint16(2 * i, true) : view.getUint32(width * i, true);
      this.#values.add(dictionary, index, index + 1);
    }
  }

  finish(): unknown {
    return this.#values.finish();
  }
}

/** One null of a column's type. */
function nullOf(column: Column): Column {
  const width = Math.max(1, byteWidthOf(column.type));
  return {
    ...column,
    length: 1,
    nullCount: 1,
    validity: new Uint8Array(1),
    offsets: column.offsets === null ? null : new Int32Array(2),
    data: column.data === null ? null : new Uint8Array(width),
  };
}

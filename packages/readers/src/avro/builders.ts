import { type Column, type DataType, FormatError, UnsupportedError } from "@ingest-ts/core";
import { acquireKernels, checked, KernelError } from "@ingest-ts/kernels";
import { GrowingBytes, GrowingValidity } from "./buffers.ts";
import type { Cursor } from "./cursor.ts";

/** Collects the values of one column, datum by datum, straight into Arrow's buffers. */
export interface Builder {
  /** Reads one value. */
  append(cursor: Cursor): void;
  appendNull(): void;
  /** Everything so far as a column; the builder is empty again. */
  take(): Column;
}

/** Writes one value at byte `at` of `out`. */
export type WriteValue = (cursor: Cursor, out: GrowingBytes, at: number) => void;

const noParts = { offsets: null, children: [], dictionary: null } as const;

/** null: nothing but a count. */
export class NullBuilder implements Builder {
  #length = 0;

  append(): void {
    this.#length++;
  }

  appendNull(): void {
    this.#length++;
  }

  take(): Column {
    const length = this.#length;
    this.#length = 0;
    return { type: { kind: "null" }, length, nullCount: length, validity: null, data: null, ...noParts };
  }
}

/** boolean: one byte in the file, one bit in Arrow. */
export class BooleanBuilder implements Builder {
  readonly #bits = new GrowingBytes();
  readonly #validity = new GrowingValidity();
  #length = 0;

  append(cursor: Cursor): void {
    const value = cursor.byte();
    if (value > 1) throw new FormatError(`a boolean is ${value} at byte ${cursor.at - 1}`);
    this.#put(value);
    this.#validity.valid(this.#length++);
  }

  appendNull(): void {
    this.#put(0);
    this.#validity.null(this.#length++);
  }

  #put(bit: number): void {
    const bits = this.#bits;
    const at = this.#length >> 3;
    if ((this.#length & 7) === 0) {
      // `bytes` is another array once the bits have grown.
      bits.extend(1);
      bits.bytes[at] = bit;
    } else bits.bytes[at] = (bits.bytes[at] as number) | (bit << (this.#length & 7));
  }

  take(): Column {
    const length = this.#length;
    this.#length = 0;
    return { type: { kind: "bool" }, length, ...this.#validity.take(), data: this.#bits.take(), ...noParts };
  }
}

/** Values of one width in Arrow, whatever they take in the file. */
export class FixedBuilder implements Builder {
  readonly #type: DataType;
  readonly #width: number;
  readonly #write: WriteValue;
  readonly #data = new GrowingBytes();
  readonly #validity = new GrowingValidity();
  #length = 0;

  constructor(type: DataType, width: number, write: WriteValue) {
    this.#type = type;
    this.#width = width;
    this.#write = write;
  }

  append(cursor: Cursor): void {
    const at = this.#data.extend(this.#width);
    this.#write(cursor, this.#data, at);
    this.#validity.valid(this.#length++);
  }

  appendNull(): void {
    const at = this.#data.extend(this.#width);
    this.#data.bytes.fill(0, at, at + this.#width);
    this.#validity.null(this.#length++);
  }

  take(): Column {
    const length = this.#length;
    this.#length = 0;
    return { type: this.#type, length, ...this.#validity.take(), data: this.#data.take(), ...noParts };
  }
}

/** Arrow's int32 offsets, one more than there are values. */
class OffsetsBuilder {
  readonly #bytes = new GrowingBytes();

  constructor() {
    this.push(0);
  }

  /** @throws UnsupportedError past 2^31: such slabs are cut by batchBytes long before. */
  push(offset: number): void {
    if (offset > 0x7fffffff) {
      throw new UnsupportedError(`a slab of ${offset} bytes or items in one column`, {
        remedy: "Read with a smaller batchRows.",
      });
    }
    const at = this.#bytes.extend(4);
    this.#bytes.words[at >> 2] = offset;
  }

  take(): Int32Array {
    const bytes = this.#bytes.take();
    this.push(0);
    return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  }
}

/** Reads the bytes of one value into `out`. */
type WriteBytes = (cursor: Cursor, out: GrowingBytes) => void;

/** bytes and string as they are: a length and so many bytes. */
export const writeBytes: WriteBytes = (cursor, out) => {
  const length = cursor.length();
  const start = cursor.take(length);
  const at = out.extend(length);
  const { bytes } = cursor;
  const target = out.bytes;
  // A call costs more than copying a few bytes.
  if (length > 24) target.set(bytes.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) target[at + i] = bytes[start + i] as number;
};

/** Values of any length: offsets and bytes. */
export class BytesBuilder implements Builder {
  readonly #type: DataType;
  readonly #write: WriteBytes;
  readonly #data = new GrowingBytes(16_384);
  readonly #offsets = new OffsetsBuilder();
  readonly #validity = new GrowingValidity();
  readonly #column: string;
  #length = 0;

  constructor(type: DataType, column: string, write: WriteBytes) {
    this.#type = type;
    this.#column = column;
    this.#write = write;
  }

  append(cursor: Cursor): void {
    this.#write(cursor, this.#data);
    this.#offsets.push(this.#data.length);
    this.#validity.valid(this.#length++);
  }

  appendNull(): void {
    this.#offsets.push(this.#data.length);
    this.#validity.null(this.#length++);
  }

  take(): Column {
    const length = this.#length;
    this.#length = 0;
    const data = this.#data.take();
    const offsets = this.#offsets.take();
    if (this.#type.kind === "utf8") checkUtf8(data, offsets, this.#column);
    return { type: this.#type, length, ...this.#validity.take(), offsets, data, children: [], dictionary: null };
  }
}

/** @throws FormatError when a value is not UTF-8. */
function checkUtf8(data: Uint8Array, offsets: Int32Array, column: string): void {
  const kernels = acquireKernels();
  const { arena, exports } = kernels;
  const bytesAt = arena.allocate(data.length);
  const offsetsAt = arena.allocate(offsets.byteLength);
  try {
    kernels.bytes.set(data, bytesAt);
    kernels.bytes.set(new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength), offsetsAt);
    checked(exports, exports.validateUtf8(bytesAt, offsetsAt, offsets.length - 1));
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    throw new FormatError("a string is not UTF-8", { where: { column }, cause: error });
  } finally {
    arena.release(offsetsAt);
    arena.release(bytesAt);
  }
}

/** record: a builder for each field that is selected. */
export class StructBuilder implements Builder {
  readonly #type: DataType;
  readonly #children: readonly Builder[];
  /** Reads the fields in the order of the file, selected or not. */
  readonly #steps: readonly ((cursor: Cursor) => void)[];
  readonly #validity = new GrowingValidity();
  #length = 0;

  constructor(type: DataType, children: readonly Builder[], steps: readonly ((cursor: Cursor) => void)[]) {
    this.#type = type;
    this.#children = children;
    this.#steps = steps;
  }

  append(cursor: Cursor): void {
    const steps = this.#steps;
    for (let i = 0; i < steps.length; i++) (steps[i] as (cursor: Cursor) => void)(cursor);
    this.#validity.valid(this.#length++);
  }

  appendNull(): void {
    for (const child of this.#children) child.appendNull();
    this.#validity.null(this.#length++);
  }

  take(): Column {
    const length = this.#length;
    this.#length = 0;
    const children = this.#children.map((child) => child.take());
    return {
      type: this.#type,
      length,
      ...this.#validity.take(),
      offsets: null,
      data: null,
      children,
      dictionary: null,
    };
  }
}

/** Arrays and maps: `read` appends the items of one value and answers how many. */
export class ListBuilder implements Builder {
  readonly #type: DataType;
  readonly #items: Builder;
  readonly #read: (cursor: Cursor) => number;
  readonly #offsets = new OffsetsBuilder();
  readonly #validity = new GrowingValidity();
  #itemCount = 0;
  #length = 0;

  constructor(type: DataType, items: Builder, read: (cursor: Cursor) => number) {
    this.#type = type;
    this.#items = items;
    this.#read = read;
  }

  append(cursor: Cursor): void {
    this.#itemCount += this.#read(cursor);
    this.#offsets.push(this.#itemCount);
    this.#validity.valid(this.#length++);
  }

  appendNull(): void {
    this.#offsets.push(this.#itemCount);
    this.#validity.null(this.#length++);
  }

  take(): Column {
    const length = this.#length;
    this.#length = 0;
    this.#itemCount = 0;
    const children = [this.#items.take()];
    const offsets = this.#offsets.take();
    return { type: this.#type, length, ...this.#validity.take(), offsets, data: null, children, dictionary: null };
  }
}

/** A dense union; a null that stands where a union is absent becomes a null of its first branch. */
export class UnionBuilder implements Builder {
  readonly #type: DataType;
  readonly #branches: readonly Builder[];
  readonly #counts: Int32Array;
  readonly #ids = new GrowingBytes();
  readonly #offsets = new GrowingBytes();
  #length = 0;

  constructor(type: DataType, branches: readonly Builder[]) {
    this.#type = type;
    this.#branches = branches;
    this.#counts = new Int32Array(branches.length);
  }

  #place(branch: number): void {
    // First the room, then `bytes`: growing makes it another array.
    const id = this.#ids.extend(1);
    this.#ids.bytes[id] = branch;
    const at = this.#offsets.extend(4);
    this.#offsets.words[at >> 2] = this.#counts[branch] as number;
    this.#counts[branch] = (this.#counts[branch] as number) + 1;
    this.#length++;
  }

  append(cursor: Cursor): void {
    const branch = cursor.count();
    const builder = this.#branches[branch];
    if (builder === undefined) {
      throw new FormatError(`a union of ${this.#branches.length} types has branch ${branch} at byte ${cursor.at}`);
    }
    builder.append(cursor);
    this.#place(branch);
  }

  appendNull(): void {
    (this.#branches[0] as Builder).appendNull();
    this.#place(0);
  }

  take(): Column {
    const length = this.#length;
    this.#length = 0;
    this.#counts.fill(0);
    const bytes = this.#offsets.take();
    const offsets = new Int32Array(bytes.buffer, bytes.byteOffset, length);
    const children = this.#branches.map((branch) => branch.take());
    const data = this.#ids.take();
    return { type: this.#type, length, nullCount: 0, validity: null, offsets, data, children, dictionary: null };
  }
}

/** An enum kept as indices into its symbols. */
export class DictionaryBuilder implements Builder {
  readonly #indices: FixedBuilder;
  readonly #dictionary: Column;

  constructor(type: DataType, dictionary: Column, write: WriteValue) {
    this.#indices = new FixedBuilder(type, 4, write);
    this.#dictionary = dictionary;
  }

  append(cursor: Cursor): void {
    this.#indices.append(cursor);
  }

  appendNull(): void {
    this.#indices.appendNull();
  }

  take(): Column {
    return { ...this.#indices.take(), dictionary: this.#dictionary };
  }
}

/** A union of null and one other type. */
export class NullableBuilder implements Builder {
  readonly #inner: Builder;
  readonly #nullBranch: 0 | 1;

  constructor(inner: Builder, nullBranch: 0 | 1) {
    this.#inner = inner;
    this.#nullBranch = nullBranch;
  }

  append(cursor: Cursor): void {
    const branch = cursor.count();
    if (branch === this.#nullBranch) this.#inner.appendNull();
    else if (branch === 1 - this.#nullBranch) this.#inner.append(cursor);
    else throw new FormatError(`a union of 2 types has branch ${branch} at byte ${cursor.at}`);
  }

  appendNull(): void {
    this.#inner.appendNull();
  }

  take(): Column {
    return this.#inner.take();
  }
}

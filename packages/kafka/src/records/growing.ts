import type { Column } from "@ingest-ts/core";
import { type RecordPlace, unsupported } from "./errors.ts";

/** Larger than this the data of one column cannot be addressed by Arrow's 32-bit offsets. */
const MOST_BYTES = 0x7fffffff;
/** Shorter values are copied in a loop: the call would cost more. */
const SHORT_BYTES = 48;

function grown(array: Int32Array, length: number): Int32Array {
  if (length <= array.length) return array;
  const larger = new Int32Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
}

/** A column without children whose values are all valid. */
export function plainColumn(type: Column["type"], length: number, data: Uint8Array): Column {
  return { type, length, nullCount: 0, validity: null, offsets: null, data, children: [], dictionary: null };
}

/** Without the spare room, unless that is little: what is delivered should not hold memory that nobody uses. */
function trimmed<T extends Uint8Array | Int32Array>(array: T, length: number): T {
  const keep = length >= array.length * 0.75;
  return (keep ? array.subarray(0, length) : array.slice(0, length)) as T;
}

/** Which values are valid; costs nothing until one is not. */
class Validity {
  #bits: Uint8Array | null = null;
  #invalid = 0;

  setNull(index: number): void {
    const byte = index >> 3;
    let bits = this.#bits;
    if (bits === null || byte >= bits.length) {
      const larger = new Uint8Array(Math.max(128, byte + 1, (bits?.length ?? 0) * 2)).fill(255);
      if (bits !== null) larger.set(bits);
      this.#bits = bits = larger;
    }
    bits[byte] = (bits[byte] as number) & ~(1 << (index & 7));
    this.#invalid++;
  }

  setNulls(start: number, end: number): void {
    for (let index = start; index < end; index++) this.setNull(index);
  }

  apply(column: Column): Column {
    if (this.#bits === null) return column;
    const validity = new Uint8Array((column.length + 7) >> 3).fill(255);
    validity.set(this.#bits.subarray(0, validity.length));
    return { ...column, nullCount: this.#invalid, validity };
  }
}

/** 64-bit integers as pairs of words, so that no value needs a BigInt. */
export class Words {
  #pairs: Int32Array;
  readonly #validity = new Validity();
  length = 0;

  /** @param rows how many there may be: a guess that saves growing */
  constructor(rows: number) {
    this.#pairs = new Int32Array(2 * rows + 2);
  }

  /** An exact integer. */
  push(value: number): void {
    const at = this.length++ * 2;
    if (at + 2 > this.#pairs.length) this.#pairs = grown(this.#pairs, at + 2);
    this.#pairs[at] = value;
    this.#pairs[at + 1] = Math.floor(value / 2 ** 32);
  }

  /** Values as pairs of words. */
  append(pairs: Int32Array): void {
    const at = this.length * 2;
    this.#pairs = grown(this.#pairs, at + pairs.length);
    this.#pairs.set(pairs, at);
    this.length += pairs.length / 2;
  }

  pushNull(): void {
    this.#validity.setNull(this.length);
    this.push(0);
  }

  finish(type: Column["type"]): Column {
    const pairs = trimmed(this.#pairs, this.length * 2);
    return this.#validity.apply(
      plainColumn(type, this.length, new Uint8Array(pairs.buffer, pairs.byteOffset, pairs.byteLength)),
    );
  }
}

/** Values of varying length. */
export class Blobs {
  #offsets: Int32Array;
  #data: Uint8Array;
  #size = 0;
  readonly #validity = new Validity();
  length = 0;

  /** @param rows and bytes: guesses that save growing */
  constructor(rows: number, sizeBytes: number = 0) {
    this.#offsets = new Int32Array(rows + 2);
    this.#data = new Uint8Array(sizeBytes);
  }

  get sizeBytes(): number {
    return this.#size;
  }

  /** `size` bytes from `start`; -1 is null. */
  push(bytes: Uint8Array, start: number, size: number, place: RecordPlace): void {
    const index = this.length++;
    if (index + 2 > this.#offsets.length) this.#offsets = grown(this.#offsets, index + 2);
    if (size > 0) this.#append(bytes, start, size, place);
    else if (size < 0) this.#validity.setNull(index);
    this.#offsets[index + 1] = this.#size;
  }

  /** Makes room for `sizeBytes`, which saves growing. Only before the first value. */
  reserve(sizeBytes: number): void {
    if (this.#size === 0 && sizeBytes > this.#data.length) this.#data = new Uint8Array(sizeBytes);
  }

  /** Whether `sizeBytes` more can be addressed. */
  hasRoom(sizeBytes: number): boolean {
    return this.#size + sizeBytes <= MOST_BYTES;
  }

  /** Values that lie together; `ends` count from the column's first byte on. There must be room for them. */
  append(ends: Int32Array, bytes: Uint8Array, nulls: boolean): void {
    const index = this.length;
    this.length += ends.length;
    this.#offsets = grown(this.#offsets, this.length + 1);
    this.#offsets.set(ends, index + 1);
    if (nulls) this.#validity.setNulls(index, this.length);
    const from = this.#size;
    const end = ends.at(-1) ?? from;
    if (end > this.#data.length) this.#enlarge(end);
    this.#data.set(bytes.subarray(0, end - from), from);
    this.#size = end;
  }

  #append(bytes: Uint8Array, start: number, size: number, place: RecordPlace): void {
    const from = this.#size;
    const end = from + size;
    if (end > this.#data.length) this.#grow(end, place);
    const data = this.#data;
    if (size < SHORT_BYTES) for (let k = 0; k < size; k++) data[from + k] = bytes[start + k] as number;
    else data.set(bytes.subarray(start, start + size), from);
    this.#size = end;
  }

  #grow(least: number, place: RecordPlace): void {
    if (least > MOST_BYTES) {
      throw unsupported("one slab holds 2 GiB of keys or values", place, "Ask for smaller slabs (slabBytes).");
    }
    this.#enlarge(least);
  }

  #enlarge(least: number): void {
    const larger = new Uint8Array(Math.min(MOST_BYTES, Math.max(4096, least, this.#data.length * 2)));
    larger.set(this.#data.subarray(0, this.#size));
    this.#data = larger;
  }

  /** Offsets and data. */
  finish(type: Column["type"]): Column {
    const column = plainColumn(type, this.length, trimmed(this.#data, this.#size));
    return this.#validity.apply({ ...column, offsets: trimmed(this.#offsets, this.length + 1) });
  }
}

/** Ends of lists. */
export class Ends {
  #ends: Int32Array;
  length = 0;

  constructor(rows: number) {
    this.#ends = new Int32Array(rows + 2);
  }

  push(end: number): void {
    const at = ++this.length;
    if (at >= this.#ends.length) this.#ends = grown(this.#ends, at + 1);
    this.#ends[at] = end;
  }

  /** Lists without values behind one that ends at `end`. */
  pushMany(count: number, end: number): void {
    const at = this.length + 1;
    this.length += count;
    this.#ends = grown(this.#ends, this.length + 1);
    this.#ends.fill(end, at, at + count);
  }

  finish(): Int32Array {
    return trimmed(this.#ends, this.length + 1);
  }
}

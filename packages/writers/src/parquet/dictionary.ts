import { ByteBuffer } from "./byte-buffer.ts";
import type { FixedValues, Values, VaryingValues, WordValues } from "./values.ts";

/** The distinct values of one column chunk, in order of first appearance. */
export interface ValueDictionary {
  readonly count: number;
  /** Of the distinct values in PLAIN encoding. */
  readonly sizeBytes: number;
  /** Writes the index of every value to out[at …], adding values that are new. */
  encode(values: Values, out: Int32Array, at: number): void;
  /** The distinct values; stale after the next `encode`. */
  values(): Values;
  /** The values behind `indices`. */
  gather(indices: Int32Array): Values;
}

const FIRST_SLOTS = 1024;

/** An open-addressing table from hash to index + 1, half full at most. */
abstract class HashTable {
  protected slots = new Int32Array(FIRST_SLOTS);
  /** The hash of each distinct value, so that growing needs no rehash. */
  protected hashes = new Int32Array(FIRST_SLOTS / 2);
  count = 0;

  /** Called before a value is added: keeps the table half empty. */
  protected add(slot: number, hash: number): number {
    const index = this.count++;
    this.hashes[index] = hash;
    this.slots[slot] = this.count;
    if (this.count === this.hashes.length) this.#grow();
    return index;
  }

  #grow(): void {
    const hashes = new Int32Array(this.hashes.length * 2);
    hashes.set(this.hashes);
    const slots = new Int32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.count; index++) {
      let slot = (hashes[index] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.hashes = hashes;
    this.slots = slots;
    this.grown(hashes.length);
  }

  /** The table now has room for so many values. */
  protected abstract grown(capacity: number): void;
}

function mix(hash: number): number {
  const folded = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return folded ^ (folded >>> 15);
}

/** INT32, FLOAT: equal when their bits are. */
class WordDictionary extends HashTable implements ValueDictionary {
  #words = new Int32Array(FIRST_SLOTS / 2);

  get sizeBytes(): number {
    return 4 * this.count;
  }

  protected override grown(capacity: number): void {
    const words = new Int32Array(capacity);
    words.set(this.#words);
    this.#words = words;
  }

  encode(values: Values, out: Int32Array, at: number): void {
    const { words, count } = values as WordValues;
    for (let i = 0; i < count; i++) out[at + i] = this.#indexOf(words[i] as number);
  }

  #indexOf(word: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    const hash = mix(word);
    let slot = hash & mask;
    for (let found = slots[slot] as number; found !== 0; found = slots[slot] as number) {
      if (this.#words[found - 1] === word) return found - 1;
      slot = (slot + 1) & mask;
    }
    this.#words[this.count] = word;
    return this.add(slot, hash);
  }

  values(): WordValues {
    return { form: "words", count: this.count, perValue: 1, words: this.#words.subarray(0, this.count) };
  }

  gather(indices: Int32Array): WordValues {
    const words = new Int32Array(indices.length);
    for (let i = 0; i < indices.length; i++) words[i] = this.#words[indices[i] as number] as number;
    return { form: "words", count: indices.length, perValue: 1, words };
  }
}

/** INT64, DOUBLE: equal when their bits are. */
class DoubleWordDictionary extends HashTable implements ValueDictionary {
  #words = new Int32Array(FIRST_SLOTS);

  get sizeBytes(): number {
    return 8 * this.count;
  }

  protected override grown(capacity: number): void {
    const words = new Int32Array(2 * capacity);
    words.set(this.#words);
    this.#words = words;
  }

  encode(values: Values, out: Int32Array, at: number): void {
    const { words, count } = values as WordValues;
    for (let i = 0; i < count; i++) out[at + i] = this.#indexOf(words[2 * i] as number, words[2 * i + 1] as number);
  }

  #indexOf(low: number, high: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    const hash = mix(low ^ Math.imul(high, 0x9e3779b1));
    let slot = hash & mask;
    for (let found = slots[slot] as number; found !== 0; found = slots[slot] as number) {
      if (this.#words[2 * found - 2] === low && this.#words[2 * found - 1] === high) return found - 1;
      slot = (slot + 1) & mask;
    }
    this.#words[2 * this.count] = low;
    this.#words[2 * this.count + 1] = high;
    return this.add(slot, hash);
  }

  values(): WordValues {
    return { form: "words", count: this.count, perValue: 2, words: this.#words.subarray(0, 2 * this.count) };
  }

  gather(indices: Int32Array): WordValues {
    const words = new Int32Array(2 * indices.length);
    for (let i = 0; i < indices.length; i++) {
      const at = 2 * (indices[i] as number);
      words[2 * i] = this.#words[at] as number;
      words[2 * i + 1] = this.#words[at + 1] as number;
    }
    return { form: "words", count: indices.length, perValue: 2, words };
  }
}

/** BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY. */
class BytesDictionary extends HashTable implements ValueDictionary {
  /** 0 for BYTE_ARRAY. */
  readonly #width: number;
  readonly #bytes = new ByteBuffer(4096);
  /** Value i is bytes [#ends[i], #ends[i + 1]). */
  #ends = new Int32Array(FIRST_SLOTS / 2 + 1);

  constructor(width: number) {
    super();
    this.#width = width;
  }

  get sizeBytes(): number {
    return this.#bytes.length + (this.#width === 0 ? 4 * this.count : 0);
  }

  protected override grown(capacity: number): void {
    const ends = new Int32Array(capacity + 1);
    ends.set(this.#ends);
    this.#ends = ends;
  }

  encode(values: Values, out: Int32Array, at: number): void {
    if (values.form === "varying") {
      const { bytes, starts, ends, count } = values;
      for (let i = 0; i < count; i++) out[at + i] = this.#indexOf(bytes, starts[i] as number, ends[i] as number);
    } else {
      const { bytes, width, count } = values as FixedValues;
      for (let i = 0; i < count; i++) out[at + i] = this.#indexOf(bytes, i * width, (i + 1) * width);
    }
  }

  #indexOf(source: Uint8Array, start: number, end: number): number {
    let hash = end - start;
    for (let k = start; k < end; k++) hash = Math.imul(hash ^ (source[k] as number), 0x01000193);
    hash = mix(hash);
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let found = slots[slot] as number; found !== 0; found = slots[slot] as number) {
      if (this.hashes[found - 1] === hash && this.#equals(found - 1, source, start, end)) return found - 1;
      slot = (slot + 1) & mask;
    }
    this.#bytes.append(source.subarray(start, end));
    this.#ends[this.count + 1] = this.#bytes.length;
    return this.add(slot, hash);
  }

  #equals(index: number, source: Uint8Array, start: number, end: number): boolean {
    let at = this.#ends[index] as number;
    if ((this.#ends[index + 1] as number) - at !== end - start) return false;
    const { bytes } = this.#bytes;
    for (let k = start; k < end; k++) if (bytes[at++] !== source[k]) return false;
    return true;
  }

  values(): FixedValues | VaryingValues {
    const { count } = this;
    if (this.#width > 0) return { form: "fixed", count, width: this.#width, bytes: this.#bytes.view() };
    const starts = this.#ends.subarray(0, count);
    return { form: "varying", count, bytes: this.#bytes.view(), starts, ends: this.#ends.subarray(1, count + 1) };
  }

  gather(indices: Int32Array): FixedValues | VaryingValues {
    const count = indices.length;
    if (this.#width > 0) return this.#gatherFixed(indices);
    const starts = new Int32Array(count);
    const ends = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      starts[i] = this.#ends[indices[i] as number] as number;
      ends[i] = this.#ends[(indices[i] as number) + 1] as number;
    }
    return { form: "varying", count, bytes: this.#bytes.view(), starts, ends };
  }

  #gatherFixed(indices: Int32Array): FixedValues {
    const width = this.#width;
    const bytes = new Uint8Array(indices.length * width);
    const source = this.#bytes.bytes;
    for (let i = 0, to = 0; i < indices.length; i++) {
      const from = (indices[i] as number) * width;
      for (let k = 0; k < width; k++) bytes[to++] = source[from + k] as number;
    }
    return { form: "fixed", count: indices.length, width, bytes };
  }
}

/** @param width bytes of a FIXED_LEN_BYTE_ARRAY value, 0 for BYTE_ARRAY; unused for words. */
export function createDictionary(form: "word" | "doubleWord" | "bytes", width: number): ValueDictionary {
  if (form === "word") return new WordDictionary();
  return form === "doubleWord" ? new DoubleWordDictionary() : new BytesDictionary(width);
}

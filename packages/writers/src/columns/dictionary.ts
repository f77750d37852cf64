import { checked } from "@ingest-ts/kernels";
import type { FixedValues, Values, VaryingValues, WordValues } from "./values.ts";
import type { WorkMemory } from "./work-memory.ts";

/** The distinct values of one column chunk, in order of first appearance. */
export interface ValueDictionary {
  readonly count: number;
  /** Of the distinct values in PLAIN encoding. */
  readonly sizeBytes: number;
  /** Writes the index of every value to out[at …], adding values that are new. */
  encode(values: Values, out: Int32Array, at: number): void;
  /** A copy of the distinct values. */
  values(): Values;
  /** The values behind `indices`. */
  gather(indices: Int32Array): Values;
  /** Gives its memory back; nothing may be called afterwards. */
  release(): void;
}

/** Distinct values that the first table has room for, and how much larger the next ones are. */
const FIRST_LIMIT = 512;
const GROWTH = 4;

/** The table of one of the `dictionary…` kernels: slots, and room for `limit` distinct values. */
abstract class KernelDictionary implements ValueDictionary {
  protected readonly memory: WorkMemory;
  protected slots: number;
  protected limit = FIRST_LIMIT;
  count = 0;

  constructor(memory: WorkMemory) {
    this.memory = memory;
    this.slots = this.#emptySlots();
  }

  abstract readonly sizeBytes: number;
  abstract values(): Values;
  abstract gather(indices: Int32Array): Values;

  /** Brings values into the memory; `take` works on them. */
  protected abstract load(values: Values): void;
  /** Indices of values [from, count) to `out`. @returns how many were taken before the table was full. */
  protected abstract take(from: number, count: number, out: number): number;
  /** Makes room: for `this.limit` values, and for the one that `take` stopped at. */
  protected abstract makeRoom(stoppedAt: number): void;
  protected abstract rehash(): void;

  protected get mask(): number {
    return 2 * this.limit - 1;
  }

  #emptySlots(): number {
    const address = this.memory.allocate(8 * this.limit);
    this.memory.bytes.fill(0, address, address + 8 * this.limit);
    return address;
  }

  encode(values: Values, out: Int32Array, at: number): void {
    const { count } = values;
    this.load(values);
    const indices = this.memory.scratch("out", 4 * count);
    for (let done = 0; ; ) {
      done += checked(this.memory.exports, this.take(done, count, indices + 4 * done));
      this.count = this.memory.exports.validCount();
      if (done === count) break;
      if (this.count === this.limit) {
        this.limit *= GROWTH;
        this.memory.release(this.slots);
        this.slots = this.#emptySlots();
        this.makeRoom(done);
        this.rehash();
      } else this.makeRoom(done);
    }
    out.set(new Int32Array(this.memory.bytes.buffer, indices, count), at);
  }

  release(): void {
    this.memory.release(this.slots);
  }

  /** A block of `sizeBytes` that begins with the first `kept` bytes of `address`, which is given back. */
  protected moved(address: number, kept: number, sizeBytes: number): number {
    const target = this.memory.allocate(sizeBytes);
    this.memory.bytes.copyWithin(target, address, address + kept);
    this.memory.release(address);
    return target;
  }
}

/** INT32 and FLOAT, INT64 and DOUBLE: equal when their bits are. */
class WordDictionary extends KernelDictionary {
  readonly #perValue: 1 | 2;
  #words: number;
  #source = 0;

  constructor(memory: WorkMemory, perValue: 1 | 2) {
    super(memory);
    this.#perValue = perValue;
    this.#words = memory.allocate(4 * perValue * this.limit);
  }

  override get sizeBytes(): number {
    return 4 * this.#perValue * this.count;
  }

  protected override load(values: Values): void {
    this.#source = this.memory.load("source", (values as WordValues).words);
  }

  protected override take(from: number, count: number, out: number): number {
    const kernel = this.#perValue === 1 ? "dictionary4" : "dictionary8";
    const source = this.#source + 4 * this.#perValue * from;
    return this.memory.exports[kernel](
      source,
      count - from,
      this.slots,
      this.mask,
      this.#words,
      this.count,
      this.limit,
      out,
    );
  }

  protected override makeRoom(): void {
    this.#words = this.moved(this.#words, this.sizeBytes, 4 * this.#perValue * this.limit);
  }

  protected override rehash(): void {
    const kernel = this.#perValue === 1 ? "dictionaryRehash4" : "dictionaryRehash8";
    this.memory.exports[kernel](this.#words, this.count, this.slots, this.mask);
  }

  override values(): WordValues {
    const bytes = this.memory.bytes.slice(this.#words, this.#words + this.sizeBytes);
    return { form: "words", count: this.count, perValue: this.#perValue, words: new Int32Array(bytes.buffer) };
  }

  override gather(indices: Int32Array): WordValues {
    const perValue = this.#perValue;
    const distinct = this.values().words;
    const words = new Int32Array(perValue * indices.length);
    for (let i = 0; i < indices.length; i++) {
      const at = perValue * (indices[i] as number);
      words[perValue * i] = distinct[at] as number;
      if (perValue === 2) words[2 * i + 1] = distinct[at + 1] as number;
    }
    return { form: "words", count: indices.length, perValue, words };
  }

  override release(): void {
    super.release();
    this.memory.release(this.#words);
  }
}

/** BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY. */
class BytesDictionary extends KernelDictionary {
  /** 0 for BYTE_ARRAY. */
  readonly #width: number;
  #capacity = 16 * FIRST_LIMIT;
  #bytes: number;
  #hashes: number;
  /** Value i is bytes [offsets[i], offsets[i + 1]). */
  #offsets: number;
  #source: VaryingValues = { form: "varying", count: 0, bytes: noBytes, starts: noOffsets, ends: noOffsets };
  #loaded = { data: 0, dataLength: 0, starts: 0, ends: 0 };

  constructor(memory: WorkMemory, width: number) {
    super(memory);
    this.#width = width;
    this.#bytes = memory.allocate(this.#capacity);
    this.#hashes = memory.allocate(4 * this.limit);
    this.#offsets = memory.allocate(4 * (this.limit + 1));
    memory.bytes.fill(0, this.#offsets, this.#offsets + 4);
  }

  #end(): number {
    return new DataView(this.memory.bytes.buffer).getInt32(this.#offsets + 4 * this.count, true);
  }

  override get sizeBytes(): number {
    return this.#end() + (this.#width === 0 ? 4 * this.count : 0);
  }

  protected override load(values: Values): void {
    this.#source = values.form === "varying" ? values : varyingOf(values as FixedValues);
    this.#loaded = this.memory.loadVarying(this.#source);
  }

  protected override take(from: number, count: number, out: number): number {
    const { data, dataLength, starts, ends } = this.#loaded;
    return this.memory.exports.dictionaryBytes(
      data,
      dataLength,
      starts + 4 * from,
      ends + 4 * from,
      count - from,
      this.slots,
      this.mask,
      this.#hashes,
      this.#offsets,
      this.#bytes,
      this.#capacity,
      this.count,
      this.limit,
      out,
    );
  }

  protected override makeRoom(stoppedAt: number): void {
    const { starts, ends } = this.#source;
    const used = this.#end();
    const needed = used + (ends[stoppedAt] as number) - (starts[stoppedAt] as number);
    if (needed > this.#capacity) {
      this.#capacity = Math.max(needed, 2 * this.#capacity);
      this.#bytes = this.moved(this.#bytes, used, this.#capacity);
    }
    this.#hashes = this.moved(this.#hashes, 4 * this.count, 4 * this.limit);
    this.#offsets = this.moved(this.#offsets, 4 * (this.count + 1), 4 * (this.limit + 1));
  }

  protected override rehash(): void {
    this.memory.exports.dictionaryRehashBytes(this.#hashes, this.count, this.slots, this.mask);
  }

  #varying(): VaryingValues {
    const { count } = this;
    const offsets = new Int32Array(this.memory.bytes.slice(this.#offsets, this.#offsets + 4 * (count + 1)).buffer);
    const bytes = this.memory.bytes.slice(this.#bytes, this.#bytes + this.#end());
    return { form: "varying", count, bytes, starts: offsets.subarray(0, count), ends: offsets.subarray(1) };
  }

  override values(): FixedValues | VaryingValues {
    const values = this.#varying();
    if (this.#width === 0) return values;
    return { form: "fixed", count: values.count, width: this.#width, bytes: values.bytes };
  }

  override gather(indices: Int32Array): FixedValues | VaryingValues {
    const { bytes, starts, ends } = this.#varying();
    if (this.#width > 0) return gatherFixed(bytes, this.#width, indices);
    const chosen = { starts: new Int32Array(indices.length), ends: new Int32Array(indices.length) };
    for (let i = 0; i < indices.length; i++) {
      chosen.starts[i] = starts[indices[i] as number] as number;
      chosen.ends[i] = ends[indices[i] as number] as number;
    }
    return { form: "varying", count: indices.length, bytes, ...chosen };
  }

  override release(): void {
    super.release();
    for (const address of [this.#bytes, this.#hashes, this.#offsets]) this.memory.release(address);
  }
}

const noBytes = new Uint8Array(0);
const noOffsets = new Int32Array(0);

function varyingOf({ count, width, bytes }: FixedValues): VaryingValues {
  const offsets = Int32Array.from({ length: count + 1 }, (_, i) => i * width);
  return { form: "varying", count, bytes, starts: offsets.subarray(0, count), ends: offsets.subarray(1) };
}

function gatherFixed(source: Uint8Array, width: number, indices: Int32Array): FixedValues {
  const bytes = new Uint8Array(indices.length * width);
  for (let i = 0, to = 0; i < indices.length; i++) {
    const from = (indices[i] as number) * width;
    for (let k = 0; k < width; k++) bytes[to++] = source[from + k] as number;
  }
  return { form: "fixed", count: indices.length, width, bytes };
}

/** @param width bytes of a FIXED_LEN_BYTE_ARRAY value, 0 for BYTE_ARRAY; unused for words. */
export function createDictionary(
  memory: WorkMemory,
  form: "word" | "doubleWord" | "bytes",
  width: number,
): ValueDictionary {
  if (form === "bytes") return new BytesDictionary(memory, width);
  return new WordDictionary(memory, form === "word" ? 1 : 2);
}

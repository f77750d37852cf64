import { UnsupportedError } from "@ingest-ts/core";
import {
  decodeColumn as column,
  decodeContext as context,
  decodeKey as key,
  type Kernels,
  keyHash,
  recordStops,
} from "@ingest-ts/kernels";
import { type FeatureSpec, fixedCount, kindOf } from "./feature.ts";

/** Rows that offsets and bitmaps have room for at first. */
const FIRST_ROWS = 1024;
/** Values or bytes that a column has room for at first. */
const FIRST_CAPACITY = 1024;
/** Values of one row: kernels count them in 32 bits. */
const MOST_VALUES = 2 ** 27;

const missingCodes = { null: 0, default: 1, error: 2 } as const;

/** A feature that the decoder must know by name, and the column it goes to (−1: none). */
export interface TableKey {
  readonly name: string;
  readonly column: number;
}

export interface TableOptions {
  /** Records with features that are no keys are left to the caller. */
  readonly strict: boolean;
  /** Each record is one value of the only column. */
  readonly raw: boolean;
  /** Records of so many bytes are left to the caller. */
  readonly largeRecordBytes: number;
}

/** A value that is kept where it was fetched until the slab is finished. */
export interface HeldValue {
  /** Bytes of the column's values before it. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * Columns in filling, in the arena, laid out as the kernel `decodeRecords` wants them. Owned until `release`. All views
 * of the memory are taken anew when it grew.
 */
export class ColumnTable {
  readonly kernels: Kernels;
  readonly columns: readonly FeatureSpec[];
  /** Values fetched and not copied yet, by column. */
  readonly held: HeldValue[][];
  /** Bytes of all of them. */
  heldBytes = 0;
  /** Bytes that the last `decodeWindow` used up. */
  consumed = 0;
  readonly #blocks = new Set<number>();
  readonly #context: number;
  readonly #columns: number;
  #words: Int32Array = new Int32Array(0);
  #bytes: Uint8Array = new Uint8Array(0);
  #rowCapacity = 0;
  #window = 0;
  #windowBytes = 0;

  constructor(kernels: Kernels, columns: readonly FeatureSpec[], keys: readonly TableKey[], options: TableOptions) {
    this.kernels = kernels;
    this.columns = columns;
    this.held = columns.map(() => []);
    this.#context = this.allocate(context.words * 4);
    this.#columns = this.allocate(columns.length * column.words * 4);
    try {
      const { words } = this;
      words.fill(0, this.#context >> 2, (this.#context >>> 2) + context.words);
      words.fill(0, this.#columns >> 2, (this.#columns >>> 2) + columns.length * column.words);
      this.#set(context.columns, this.#columns);
      this.#set(context.columnCount, columns.length);
      this.#set(context.strict, options.strict ? 1 : 0);
      this.#set(context.raw, options.raw ? 1 : 0);
      this.#set(context.large, options.largeRecordBytes);
      this.#set(context.firstKey, -1);
      this.#addKeys(keys);
      columns.forEach((spec, i) => this.#addColumn(spec, i));
      this.#growRows(FIRST_ROWS);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** The memory as 32-bit words; stale after the next `allocate`. */
  get words(): Int32Array {
    const { buffer } = this.kernels.exports.memory;
    if (this.#words.buffer !== buffer) this.#words = new Int32Array(buffer);
    return this.#words;
  }

  /** The memory as bytes; stale after the next `allocate`. */
  get bytes(): Uint8Array {
    const { buffer } = this.kernels.exports.memory;
    if (this.#bytes.buffer !== buffer) this.#bytes = new Uint8Array(buffer);
    return this.#bytes;
  }

  /** A block of the arena that `release` gives back. */
  allocate(sizeBytes: number): number {
    let block: number;
    try {
      block = this.kernels.arena.allocate(sizeBytes);
    } catch (error) {
      throw new UnsupportedError(`${sizeBytes} bytes more do not fit the memory of the kernels`, {
        remedy: "Read fewer columns, or smaller batches.",
        cause: error,
      });
    }
    this.#blocks.add(block);
    return block;
  }

  #free(block: number): void {
    if (this.#blocks.delete(block)) this.kernels.arena.release(block);
  }

  /** Gives all memory back. */
  release(): void {
    for (const block of this.#blocks) this.kernels.arena.release(block);
    this.#blocks.clear();
  }

  #get(word: number): number {
    return this.words[(this.#context >>> 2) + word] as number;
  }

  #set(word: number, value: number): void {
    this.words[(this.#context >>> 2) + word] = value;
  }

  /** A word of column `i`, see `decodeColumn`; addresses are unsigned. */
  word(i: number, word: number): number {
    return this.words[(this.#columns >>> 2) + i * column.words + word] as number;
  }

  setWord(i: number, word: number, value: number): void {
    this.words[(this.#columns >>> 2) + i * column.words + word] = value;
  }

  /** An address kept in a word of column `i`. */
  address(i: number, word: number): number {
    return this.word(i, word) >>> 0;
  }

  /** Rows committed since `begin`. */
  get rows(): number {
    return this.#get(context.row);
  }

  /** Bytes of values since `begin`, by which slabs are cut. */
  get outBytes(): number {
    return this.#get(context.outBytes) >>> 0;
  }

  addOutBytes(sizeBytes: number): void {
    this.#set(context.outBytes, this.outBytes + sizeBytes);
  }

  #addColumn(spec: FeatureSpec, i: number): void {
    const fixed = fixedCount(spec.shape);
    if (fixed > MOST_VALUES) {
      throw new UnsupportedError(`a shape of ${fixed} values is over ${MOST_VALUES}`, { where: { column: spec.name } });
    }
    this.setWord(i, column.kind, kindOf(spec.dtype));
    this.setWord(i, column.fixed, fixed);
    this.setWord(i, column.missing, missingCodes[spec.missing]);
    if (spec.dtype === "bytes") this.grow(i, false, 0);
    if (spec.defaults === null) return;
    const block = this.allocate(spec.defaults.length);
    this.bytes.set(spec.defaults, block);
    this.setWord(i, column.defaults, block);
  }

  #addKeys(keys: readonly TableKey[]): void {
    const encoder = new TextEncoder();
    const texts = keys.map(({ name }) => encoder.encode(name));
    let slots = 16;
    while (slots < keys.length * 2) slots *= 2;
    const entries = this.allocate(keys.length * key.words * 4);
    const hash = this.allocate(slots * 4);
    // Eight more: the kernel compares names eight bytes at a time.
    let text = this.allocate(texts.reduce((sum, bytes) => sum + bytes.length, 0) + 8);
    const { words, bytes } = this;
    words.fill(0, hash >>> 2, (hash >>> 2) + slots);
    keys.forEach(({ column: target }, i) => {
      const name = texts[i] as Uint8Array;
      bytes.set(name, text);
      const entry = (entries >>> 2) + i * key.words;
      words[entry + key.text] = text;
      words[entry + key.length] = name.length;
      words[entry + key.column] = target;
      words[entry + key.next] = -1;
      text += name.length;
      let slot = keyHash(name) & (slots - 1);
      while (words[(hash >>> 2) + slot] !== 0) slot = (slot + 1) & (slots - 1);
      words[(hash >>> 2) + slot] = i + 1;
    });
    this.#set(context.keys, entries);
    this.#set(context.keyCount, keys.length);
    this.#set(context.hash, hash);
    this.#set(context.hashMask, slots - 1);
  }

  /** A larger block with what the one at `block` held in its first `used` bytes. */
  #moved(block: number, used: number, sizeBytes: number): number {
    const larger = this.allocate(sizeBytes);
    if (block !== 0) {
      this.bytes.copyWithin(larger, block, block + used);
      this.#free(block);
    }
    return larger;
  }

  #growRows(rows: number): void {
    const before = this.#rowCapacity;
    this.columns.forEach((_, i) => {
      if (this.word(i, column.fixed) < 0) {
        const offsets = this.#moved(this.address(i, column.offsets), (before + 1) * 4, (rows + 1) * 4);
        this.setWord(i, column.offsets, offsets);
        if (before === 0) this.words[offsets >>> 2] = 0;
      }
      const validity = this.#moved(this.address(i, column.validity), before >>> 3, rows >>> 3);
      this.setWord(i, column.validity, validity);
      this.bytes.fill(255, validity + (before >>> 3), validity + (rows >>> 3));
    });
    this.#rowCapacity = rows;
  }

  /** Makes room for one more row. */
  ensureRow(): void {
    if (this.rows === this.#rowCapacity) this.#growRows(this.#rowCapacity * 2);
  }

  /** Makes sure of room for `need` values of column `i`. */
  ensureValues(i: number, need: number): void {
    if (need > this.address(i, column.valueCapacity)) this.grow(i, false, need);
  }

  /** Makes room for `need` values, or bytes of `data`, of column `i`. */
  grow(i: number, data: boolean, need: number): void {
    const word = data ? column.data : column.values;
    const capacityWord = data ? column.dataCapacity : column.valueCapacity;
    const before = this.address(i, capacityWord);
    const capacity = Math.max(need, before * 2, FIRST_CAPACITY);
    const width = data ? 1 : this.word(i, column.kind) === 3 ? 8 : 4;
    // Byte strings have one end more than values.
    const extra = data ? 0 : width;
    const block = this.address(i, word);
    const moved = this.#moved(block, before * width + extra, capacity * width + extra);
    if (block === 0 && !data) this.words[moved >>> 2] = 0;
    this.setWord(i, word, moved);
    this.setWord(i, capacityWord, capacity);
  }

  /** Forgets all rows; the room stays. */
  begin(): void {
    this.#set(context.row, 0);
    this.#set(context.outBytes, 0);
    this.heldBytes = 0;
    this.columns.forEach((_, i) => {
      const validity = this.address(i, column.validity);
      this.bytes.fill(255, validity, validity + (this.#rowCapacity >>> 3));
      this.setWord(i, column.dataBase, 0);
      (this.held[i] as HeldValue[]).length = 0;
    });
  }

  commitRow(): void {
    this.#set(context.row, this.rows + 1);
  }

  /** The address of a scratch block of at least `sizeBytes`. */
  scratch(sizeBytes: number): number {
    if (this.#windowBytes < sizeBytes) {
      if (this.#window !== 0) this.#free(this.#window);
      this.#windowBytes = 0;
      this.#window = this.allocate(sizeBytes);
      this.#windowBytes = sizeBytes;
    }
    return this.#window;
  }

  /**
   * Decodes records of `window`, which begins at a record, up to `rowLimit` rows or `byteLimit` bytes since `begin`.
   * Answers one of `recordStops` but `grow`; `consumed` are the bytes of the records taken.
   */
  decodeWindow(window: Uint8Array, rowLimit: number, byteLimit: number): number {
    const block = this.scratch(window.length);
    this.bytes.set(window, block);
    this.consumed = 0;
    this.#set(context.byteLimit, byteLimit);
    for (;;) {
      this.#set(context.rowLimit, Math.min(rowLimit, this.#rowCapacity));
      const { exports } = this.kernels;
      const stop = exports.decodeRecords(this.#context, block + this.consumed, block + window.length);
      this.consumed += this.#get(context.consumed);
      if (stop === recordStops.grow) {
        const need = this.#get(context.growNeed) >>> 0;
        this.grow(this.#get(context.growColumn), this.#get(context.growData) === 1, need);
      } else if (stop === recordStops.rows && this.rows < rowLimit) this.ensureRow();
      else return stop;
    }
  }
}

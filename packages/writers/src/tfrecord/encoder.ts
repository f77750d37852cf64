import { UnsupportedError } from "@ingest-ts/core";
import { encodeColumn as column, encodeContext as context, type Kernels } from "@ingest-ts/kernels";
import { kindOf } from "@ingest-ts/readers/tfrecord/example";
import type { FeaturePlan } from "./features.ts";
import type { FlatColumn } from "./values.ts";

/** Column bytes that one kernel call works on. */
const PIECE_BYTES = 2 * 1024 * 1024;
/** Encoded bytes handed on at a time. */
const OUTPUT_BYTES = 4 * 1024 * 1024;

/** The key as it stands in a map entry: tag, length, text. */
function keyPrefix(name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  const head = [0x0a];
  let length = text.length;
  for (; length >= 128; length = Math.floor(length / 128)) head.push((length % 128) + 128);
  head.push(length);
  return Uint8Array.from([...head, ...text]);
}

/** A block of the arena that grows. */
interface Block {
  address: number;
  sizeBytes: number;
}

/** Rows to framed Examples, a piece at a time, in the arena. Owns its memory until `release`. */
export class ExampleEncoder {
  readonly #kernels: Kernels;
  readonly #blocks: Block[] = [];
  readonly #context: Block;
  readonly #output: Block;
  /** Four blocks a column: values, data, offsets, validity. */
  readonly #buffers: readonly Block[];

  constructor(kernels: Kernels, plans: readonly FeaturePlan[]) {
    this.#kernels = kernels;
    const prefixes = plans.map(({ name }) => keyPrefix(name));
    const columnsAt = context.words * 4;
    const prefixesAt = columnsAt + plans.length * column.words * 4;
    const prefixBytes = prefixes.reduce((sum, prefix) => sum + prefix.length, 0);
    this.#context = this.#block();
    this.#output = this.#block();
    this.#buffers = plans.flatMap(() => [this.#block(), this.#block(), this.#block(), this.#block()]);
    try {
      this.#reserve(this.#output, OUTPUT_BYTES);
      const address = this.#reserve(this.#context, prefixesAt + prefixBytes);
      this.#words.fill(0, address >>> 2, (address + prefixesAt) >>> 2);
      this.#setContext(context.columns, address + columnsAt);
      this.#setContext(context.columnCount, plans.length);
      let prefixAt = address + prefixesAt;
      prefixes.forEach((prefix, i) => {
        this.#kernels.bytes.set(prefix, prefixAt);
        this.#setColumn(i, column.prefix, prefixAt);
        this.#setColumn(i, column.prefixLength, prefix.length);
        this.#setColumn(i, column.kind, kindOf((plans[i] as FeaturePlan).dtype));
        prefixAt += prefix.length;
      });
    } catch (error) {
      this.release();
      throw error;
    }
  }

  get #words(): Int32Array {
    return new Int32Array(this.#kernels.exports.memory.buffer);
  }

  #setContext(word: number, value: number): void {
    this.#words[(this.#context.address >>> 2) + word] = value;
  }

  #setColumn(i: number, word: number, value: number): void {
    const columns = (this.#context.address >>> 2) + context.words;
    this.#words[columns + i * column.words + word] = value;
  }

  #block(): Block {
    const block = { address: 0, sizeBytes: 0 };
    this.#blocks.push(block);
    return block;
  }

  /** Makes a block at least so large; what it held may be lost. */
  #reserve(block: Block, sizeBytes: number): number {
    if (block.sizeBytes >= sizeBytes && block.address !== 0) return block.address;
    if (block.address !== 0) this.#kernels.arena.release(block.address);
    block.address = 0;
    try {
      block.address = this.#kernels.arena.allocate(sizeBytes);
    } catch (cause) {
      throw new UnsupportedError(`${sizeBytes} bytes more do not fit the memory of the kernels`, {
        remedy: "Write smaller batches.",
        cause,
      });
    }
    block.sizeBytes = sizeBytes;
    return block.address;
  }

  #put(block: Block, bytes: Uint8Array): number {
    const address = this.#reserve(block, bytes.length);
    this.#kernels.bytes.set(bytes, address);
    return address;
  }

  /** Gives all memory back. Harmless when repeated. */
  release(): void {
    for (const block of this.#blocks) {
      if (block.address !== 0) this.#kernels.arena.release(block.address);
      block.address = 0;
    }
  }

  /** Where the first row's values begin and the last row's end. */
  #span({ offsets, fixed }: FlatColumn, from: number, to: number): [number, number] {
    return offsets === undefined ? [from * fixed, to * fixed] : [offsets[from] as number, offsets[to] as number];
  }

  #bytesOf(flat: FlatColumn, from: number, to: number): number {
    const [first, end] = this.#span(flat, from, to);
    const { ends, width } = flat.values;
    const text = ends === undefined ? 0 : (ends[end] as number) - (ends[first] as number);
    return (to - from) * 4 + (end - first) * Math.max(1, width) + text;
  }

  /** The end of a piece that begins at `from`, a multiple of eight rows so that bits need no shifting. */
  #pieceEnd(columns: readonly FlatColumn[], from: number, rows: number): number {
    let step = rows - from;
    while (step > 8) {
      const to = from + step;
      const sizeBytes = columns.reduce((sum, flat) => sum + this.#bytesOf(flat, from, to), 0);
      if (sizeBytes <= PIECE_BYTES) break;
      step = Math.max(8, Math.floor(step / 2 / 8) * 8);
    }
    return from + step;
  }

  /** Copies rows [from, to) of one column into its blocks; rows count from `from` for the kernel. */
  #load(flat: FlatColumn, i: number, from: number, to: number): void {
    const [valuesBlock, dataBlock, offsetsBlock, validityBlock] = this.#buffers.slice(i * 4, i * 4 + 4) as [
      Block,
      Block,
      Block,
      Block,
    ];
    const { values, validity, offsets, fixed } = flat;
    const [first, end] = this.#span(flat, from, to);
    // Numbers of values start at 0 for fixed columns, and are the offsets' own for lists.
    const base = offsets === undefined ? 0 : first;
    this.#setColumn(i, column.fixed, fixed);
    this.#setColumn(i, column.element, values.element);
    if (values.ends !== undefined) {
      const ends = values.ends.subarray(first, end + 1);
      const start = ends[0] as number;
      const textAt = this.#put(dataBlock, values.data.subarray(start, ends[ends.length - 1]));
      const endsAt = this.#put(valuesBlock, new Uint8Array(ends.buffer, ends.byteOffset, ends.byteLength));
      this.#setColumn(i, column.values, endsAt - base * 4);
      this.#setColumn(i, column.data, textAt - start);
    } else if (values.width > 0) {
      const at = this.#put(valuesBlock, values.data.subarray(first * values.width, end * values.width));
      this.#setColumn(i, column.values, at - base * values.width);
    } else {
      const at = this.#put(valuesBlock, values.data.subarray(first >> 3, (end + 7) >> 3));
      this.#setColumn(i, column.values, at - (base >> 3));
    }
    if (offsets !== undefined) {
      const part = offsets.subarray(from, to + 1);
      const at = this.#put(offsetsBlock, new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
      this.#setColumn(i, column.offsets, at);
    }
    const bits = validity === null ? 0 : this.#put(validityBlock, validity.subarray(from >> 3, (to + 7) >> 3));
    this.#setColumn(i, column.validity, bits);
  }

  /** Yields the rows' records, in arrays of their own. `columns` are in the order of the plans. */
  *encode(columns: readonly FlatColumn[], rows: number): Generator<Uint8Array, void, void> {
    for (let from = 0; from < rows; ) {
      const to = this.#pieceEnd(columns, from, rows);
      columns.forEach((flat, i) => this.#load(flat, i, from, to));
      yield* this.#encodePiece(to - from);
      from = to;
    }
  }

  *#encodePiece(rows: number): Generator<Uint8Array, void, void> {
    const words = this.#context.address >>> 2;
    this.#setContext(context.rowLimit, rows);
    for (let row = 0; row < rows; ) {
      this.#setContext(context.row, row);
      const { address, sizeBytes } = this.#output;
      const written = this.#kernels.exports.encodeExamples(this.#context.address, address, address + sizeBytes) >>> 0;
      row = this.#words[words + context.row] as number;
      if (written > 0) yield this.#kernels.bytes.slice(address, address + written);
      else if (row < rows) this.#reserve(this.#output, (this.#words[words + context.need] as number) >>> 0);
    }
  }
}

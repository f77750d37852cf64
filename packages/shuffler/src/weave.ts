import { type Column, type Columns, concatColumns, type DataType, sliceColumn, takeColumn } from "@ingest-ts/core";
import { checked } from "@ingest-ts/kernels";
import { Layout, type ShuffleMemory } from "./memory.ts";
import { checkStringBytes, type Window, type WindowColumn } from "./window.ts";

/** Rows [from, from + count) of `window` go to places at, at + stride, at + 2·stride, … of the block. */
export interface Strand {
  readonly window: Window;
  readonly from: number;
  readonly count: number;
  readonly at: number;
}

/** One column of the block: where it lies in it, and what it becomes. */
interface Placed {
  readonly sources: readonly WindowColumn[];
  readonly type: DataType;
  readonly values: number;
  readonly valuesBytes: number;
  readonly offsets: number;
  readonly large: boolean;
  /** undefined: no nulls. */
  readonly validity: number | undefined;
  readonly children: readonly Placed[];
  nullCount: number;
}

class BlockWeaver {
  readonly #memory: ShuffleMemory;
  readonly #strands: readonly Strand[];
  readonly #rows: number;
  readonly #stride: number;
  readonly #layout = new Layout();
  #hasStrings = false;
  #base = 0;
  #table = 0;

  constructor(memory: ShuffleMemory, strands: readonly Strand[], rows: number, stride: number) {
    this.#memory = memory;
    this.#strands = strands;
    this.#rows = rows;
    this.#stride = stride;
  }

  weave(): Columns {
    const { columns } = (this.#strands[0] as Strand).window;
    const placed = columns.map((_, c) => this.#place(this.#strands.map((s) => s.window.columns[c] as WindowColumn)));
    const { sizeBytes } = this.#layout;
    // For each string its address and length, and behind them offsets that are yet to be widened.
    const tableBytes = this.#hasStrings ? this.#rows * 8 + (this.#rows + 1) * 4 : 0;
    const block = this.#memory.with(sizeBytes, (base) =>
      this.#memory.with(tableBytes, (table) => {
        this.#base = base;
        this.#table = table;
        for (const column of placed) this.#fill(column);
        return this.#memory.copy(base, sizeBytes);
      }),
    );
    return { rows: this.#rows, columns: placed.map((column) => this.#column(column, block)) };
  }

  #place(sources: readonly WindowColumn[]): Placed {
    const { kind, type, byteWidth, children } = sources[0] as WindowColumn;
    const base = {
      sources,
      type,
      values: 0,
      valuesBytes: 0,
      offsets: 0,
      large: false,
      validity: undefined,
      nullCount: 0,
    };
    if (kind === "any") return { ...base, children: [] };
    const rows = this.#rows;
    const bitBytes = (rows + 7) >> 3;
    const hasNulls = sources.some((source) => source.validity !== 0);
    let valuesBytes = 0;
    if (kind === "fixed") valuesBytes = rows * byteWidth;
    else if (kind === "bits") valuesBytes = bitBytes;
    else if (kind === "strings") {
      this.#hasStrings = true;
      valuesBytes = this.#stringBytes(sources);
    }
    const large = type.kind === "largeUtf8" || type.kind === "largeBinary";
    return {
      ...base,
      large,
      values: this.#layout.add(valuesBytes),
      valuesBytes,
      offsets: kind === "strings" ? this.#layout.add((rows + 1) * (large ? 8 : 4)) : 0,
      validity: hasNulls ? this.#layout.add(bitBytes) : undefined,
      children: children.map((_, c) => this.#place(sources.map((source) => source.children[c] as WindowColumn))),
    };
  }

  /** A window's strings lie end to end, so that those of a strand are one run. */
  #stringBytes(sources: readonly WindowColumn[]): number {
    const memory = new DataView(this.#memory.exports.memory.buffer);
    const sizeBytes = this.#strands.reduce((total, { from, count }, s) => {
      const { offsets } = sources[s] as WindowColumn;
      return total + memory.getInt32(offsets + (from + count) * 4, true) - memory.getInt32(offsets + from * 4, true);
    }, 0);
    checkStringBytes(sizeBytes, this.#rows);
    return sizeBytes;
  }

  #fill(placed: Placed): void {
    const { kind } = placed.sources[0] as WindowColumn;
    if (kind === "any") return;
    if (placed.validity !== undefined) {
      const ones = this.#fillBits(
        placed.sources.map((source) => source.validity),
        placed.validity,
      );
      placed.nullCount = this.#rows - ones;
    }
    if (kind === "fixed") this.#fillFixed(placed);
    else if (kind === "bits")
      this.#fillBits(
        placed.sources.map((source) => source.values),
        placed.values,
      );
    else if (kind === "strings") this.#fillStrings(placed);
    else for (const child of placed.children) this.#fill(child);
  }

  #fillBits(sources: readonly number[], at: number): number {
    const { exports } = this.#memory;
    this.#memory.view(this.#base + at, (this.#rows + 7) >> 3).fill(0);
    return this.#strands.reduce((ones, { from, count, at: first }, s) => {
      return ones + exports.weaveBits(sources[s] as number, from, count, this.#base + at, first, this.#stride);
    }, 0);
  }

  #fillFixed({ sources, values }: Placed): void {
    const { exports } = this.#memory;
    const { byteWidth } = sources[0] as WindowColumn;
    const weaves: Record<number, typeof exports.weave4> = {
      1: exports.weave1,
      2: exports.weave2,
      4: exports.weave4,
      8: exports.weave8,
      16: exports.weave16,
    };
    const weave = weaves[byteWidth];
    const base = this.#base + values;
    for (let s = 0; s < sources.length; s++) {
      const { from, count, at } = this.#strands[s] as Strand;
      const source = (sources[s] as WindowColumn).values + from * byteWidth;
      if (weave === undefined) exports.weaveFixed(source, count, byteWidth, base + at * byteWidth, this.#stride);
      else weave(source, count, base + at * byteWidth, this.#stride);
    }
  }

  #fillStrings({ sources, values, valuesBytes, offsets, large }: Placed): void {
    const { exports } = this.#memory;
    this.#strands.forEach(({ from, count, at }, s) => {
      const source = sources[s] as WindowColumn;
      const first = new DataView(exports.memory.buffer).getInt32(source.offsets + from * 4, true);
      const table = this.#table + at * 8;
      const status = exports.weaveStrings(
        source.offsets + from * 4,
        count,
        source.values + first,
        valuesBytes,
        table,
        this.#stride,
      );
      checked(exports, status);
    });
    const out = this.#base + offsets;
    const narrow = large ? this.#table + this.#rows * 8 : out;
    checked(exports, exports.concatStrings(this.#table, this.#rows, this.#base + values, valuesBytes, narrow));
    if (large) exports.widenOffsets(narrow, this.#rows + 1, out);
  }

  #column(placed: Placed, block: ArrayBuffer): Column {
    const { type, nullCount, validity, children } = placed;
    const { kind } = placed.sources[0] as WindowColumn;
    if (kind === "any") return this.#weaveAny(placed.sources);
    const data = kind === "struct" ? null : new Uint8Array(block, placed.values, placed.valuesBytes);
    return {
      type,
      length: this.#rows,
      nullCount,
      validity:
        nullCount === 0 || validity === undefined ? null : new Uint8Array(block, validity, (this.#rows + 7) >> 3),
      offsets: kind === "strings" ? this.#offsets(placed, block) : null,
      data,
      children: children.map((child) => this.#column(child, block)),
      dictionary: null,
    };
  }

  #offsets({ large, offsets }: Placed, block: ArrayBuffer): Int32Array | BigInt64Array {
    return large ? new BigInt64Array(block, offsets, this.#rows + 1) : new Int32Array(block, offsets, this.#rows + 1);
  }

  /** Nested and rare columns: the strands are joined and picked from. */
  #weaveAny(sources: readonly WindowColumn[]): Column {
    const indices = new Int32Array(this.#rows);
    let before = 0;
    for (const { count, at } of this.#strands) {
      for (let i = 0; i < count; i++) indices[at + i * this.#stride] = before + i;
      before += count;
    }
    const parts = this.#strands.map(({ from, count }, s) =>
      sliceColumn((sources[s] as WindowColumn).column as Column, from, from + count),
    );
    return takeColumn(concatColumns(parts), indices);
  }
}

/**
 * One block of `rows` rows out of strands that together fill every place once. The block shares nothing with the windows
 * (but dictionaries): their memory may be written again while batches of the block live on. All its flat columns lie in
 * one buffer, since a hundred small ones cost ten times as much.
 *
 * @throws UnsupportedError when strings of one column in one block exceed 2 GiB.
 */
export function weave(memory: ShuffleMemory, strands: readonly Strand[], rows: number, stride: number): Columns {
  return new BlockWeaver(memory, strands, rows, stride).weave();
}

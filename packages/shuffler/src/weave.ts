import { type Column, type Columns, concatColumns, sliceColumn, takeColumn } from "@ingest-ts/core";
import { checked, type KernelExports } from "@ingest-ts/kernels";
import { Layout, type ShuffleMemory } from "./memory.ts";
import { checkStringBytes, type Window, type WindowColumn } from "./window.ts";

/** Rows [from, from + count) of `window` go to places at, at + stride, at + 2·stride, … of the block. */
export interface Strand {
  readonly window: Window;
  readonly from: number;
  readonly count: number;
  readonly at: number;
}

/** Where one column lies in the block; nothing of it for kinds that are not laid out. */
interface Place {
  values: number;
  valuesBytes: number;
  offsets: number;
  /** −1: no nulls. */
  validity: number;
  nullCount: number;
}

/** Source, count, width, place: see the kernel `weaveRuns`. */
const RUN_WORDS = 4;

function isLarge({ type }: WindowColumn): boolean {
  return type.kind === "largeUtf8" || type.kind === "largeBinary";
}

/**
 * One block in the making. A block has hundreds of columns and strands, and there are many blocks: loops here make no
 * objects but the columns themselves.
 */
class BlockWeaver {
  readonly #memory: ShuffleMemory;
  readonly #exports: KernelExports;
  readonly #strands: readonly Strand[];
  /** Of the first window: all windows have the same columns. */
  readonly #columns: readonly WindowColumn[];
  readonly #rows: number;
  readonly #stride: number;
  readonly #layout = new Layout();
  readonly #places: Place[] = [];
  #hasStrings = false;
  #fixedColumns = 0;
  #base = 0;
  #table = 0;

  constructor(memory: ShuffleMemory, strands: readonly Strand[], rows: number, stride: number) {
    this.#memory = memory;
    this.#exports = memory.exports;
    this.#strands = strands;
    this.#columns = (strands[0] as Strand).window.columns;
    this.#rows = rows;
    this.#stride = stride;
  }

  weave(): Columns {
    for (let c = 0; c < this.#columns.length; c++) this.#places.push(this.#place(c));
    const { sizeBytes } = this.#layout;
    // For each string its address and length, and behind them offsets that are yet to be widened.
    const tableBytes = this.#hasStrings ? this.#rows * 8 + (this.#rows + 1) * 4 : 0;
    const runs = this.#fixedColumns * this.#strands.length;
    const block = this.#memory.with(sizeBytes, (base) =>
      this.#memory.with(Math.max(tableBytes, runs * RUN_WORDS * 4), (table) => {
        this.#base = base;
        this.#table = table;
        this.#fillFixed(runs);
        for (let c = 0; c < this.#columns.length; c++) this.#fill(c);
        return this.#memory.copy(base, sizeBytes);
      }),
    );
    const columns: Column[] = [];
    for (let c = 0; c < this.#columns.length; c = (this.#columns[c] as WindowColumn).end) {
      columns.push(this.#column(c, block));
    }
    return { rows: this.#rows, columns };
  }

  #place(c: number): Place {
    const { kind, byteWidth } = this.#columns[c] as WindowColumn;
    const place = { values: 0, valuesBytes: 0, offsets: 0, validity: -1, nullCount: 0 };
    if (kind === "any") return place;
    const bitBytes = (this.#rows + 7) >> 3;
    if (kind === "fixed") {
      this.#fixedColumns++;
      place.valuesBytes = this.#rows * byteWidth;
    } else if (kind === "bits") place.valuesBytes = bitBytes;
    else if (kind === "strings") {
      this.#hasStrings = true;
      place.valuesBytes = this.#stringBytes(c);
      const large = isLarge(this.#columns[c] as WindowColumn);
      place.offsets = this.#layout.add((this.#rows + 1) * (large ? 8 : 4));
    }
    if (kind !== "struct") place.values = this.#layout.add(place.valuesBytes);
    if (this.#hasNulls(c)) place.validity = this.#layout.add(bitBytes);
    return place;
  }

  #source(strand: number, c: number): WindowColumn {
    return (this.#strands[strand] as Strand).window.columns[c] as WindowColumn;
  }

  #hasNulls(c: number): boolean {
    for (let s = 0; s < this.#strands.length; s++) if (this.#source(s, c).validity !== 0) return true;
    return false;
  }

  /** A window's strings lie end to end, so that those of a strand are one run. */
  #stringBytes(c: number): number {
    const memory = new DataView(this.#exports.memory.buffer);
    let sizeBytes = 0;
    for (let s = 0; s < this.#strands.length; s++) {
      const { from, count } = this.#strands[s] as Strand;
      const first = this.#source(s, c).offsets + from * 4;
      sizeBytes += memory.getInt32(first + count * 4, true) - memory.getInt32(first, true);
    }
    checkStringBytes(sizeBytes, this.#rows);
    return sizeBytes;
  }

  #fill(c: number): void {
    const { kind } = this.#columns[c] as WindowColumn;
    const place = this.#places[c] as Place;
    if (place.validity >= 0) place.nullCount = this.#rows - this.#fillBits(c, "validity", place.validity);
    if (kind === "bits") this.#fillBits(c, "values", place.values);
    else if (kind === "strings") this.#fillStrings(c, place);
  }

  #fillBits(c: number, field: "values" | "validity", at: number): number {
    const out = this.#base + at;
    this.#memory.view(out, (this.#rows + 7) >> 3).fill(0);
    let ones = 0;
    for (let s = 0; s < this.#strands.length; s++) {
      const { from, count, at: first } = this.#strands[s] as Strand;
      ones += this.#exports.weaveBits(this.#source(s, c)[field], from, count, out, first, this.#stride);
    }
    return ones;
  }

  /** Values of fixed width of all columns, by one call. */
  #fillFixed(runCount: number): void {
    if (runCount === 0) return;
    const runs = new Int32Array(this.#exports.memory.buffer, this.#table, runCount * RUN_WORDS);
    let r = 0;
    for (let c = 0; c < this.#columns.length; c++) {
      const { kind, byteWidth } = this.#columns[c] as WindowColumn;
      if (kind !== "fixed") continue;
      const base = this.#base + (this.#places[c] as Place).values;
      for (let s = 0; s < this.#strands.length; s++) {
        const { from, count, at } = this.#strands[s] as Strand;
        runs[r++] = this.#source(s, c).values + from * byteWidth;
        runs[r++] = count;
        runs[r++] = byteWidth;
        runs[r++] = base + at * byteWidth;
      }
    }
    this.#exports.weaveRuns(this.#table, runCount, this.#stride);
  }

  #fillStrings(c: number, { values, valuesBytes, offsets }: Place): void {
    const exports = this.#exports;
    const memory = new DataView(exports.memory.buffer);
    for (let s = 0; s < this.#strands.length; s++) {
      const { from, count, at } = this.#strands[s] as Strand;
      const source = this.#source(s, c);
      const own = source.offsets + from * 4;
      const bytes = source.values + memory.getInt32(own, true);
      checked(exports, exports.weaveStrings(own, count, bytes, valuesBytes, this.#table + at * 8, this.#stride));
    }
    const out = this.#base + offsets;
    const large = isLarge(this.#columns[c] as WindowColumn);
    const narrow = large ? this.#table + this.#rows * 8 : out;
    checked(exports, exports.concatStrings(this.#table, this.#rows, this.#base + values, valuesBytes, narrow));
    if (large) exports.widenOffsets(narrow, this.#rows + 1, out);
  }

  #column(c: number, block: ArrayBuffer): Column {
    const column = this.#columns[c] as WindowColumn;
    const { kind, type } = column;
    if (kind === "any") return this.#weaveAny(c);
    const rows = this.#rows;
    const { values, valuesBytes, offsets, validity, nullCount } = this.#places[c] as Place;
    const children: Column[] = [];
    for (let child = c + 1; child < column.end; child = (this.#columns[child] as WindowColumn).end) {
      children.push(this.#column(child, block));
    }
    let own: Column["offsets"] = null;
    if (kind === "strings") {
      own = isLarge(column) ? new BigInt64Array(block, offsets, rows + 1) : new Int32Array(block, offsets, rows + 1);
    }
    return {
      type,
      length: rows,
      nullCount,
      validity: nullCount === 0 ? null : new Uint8Array(block, validity, (rows + 7) >> 3),
      offsets: own,
      data: kind === "struct" ? null : new Uint8Array(block, values, valuesBytes),
      children,
      dictionary: null,
    };
  }

  /** Nested and rare columns: the strands are joined and picked from. */
  #weaveAny(c: number): Column {
    const indices = new Int32Array(this.#rows);
    let before = 0;
    for (const { count, at } of this.#strands) {
      for (let i = 0; i < count; i++) indices[at + i * this.#stride] = before + i;
      before += count;
    }
    const parts = this.#strands.map(({ from, count }, s) =>
      sliceColumn(this.#source(s, c).column as Column, from, from + count),
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

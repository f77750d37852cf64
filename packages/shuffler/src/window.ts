import {
  type Column,
  type Columns,
  concatColumns,
  type DataType,
  layoutOf,
  takeColumn,
  UnsupportedError,
} from "@ingest-ts/core";
import { checked } from "@ingest-ts/kernels";
import { Layout, type ShuffleMemory } from "./memory.ts";

/** How a column is moved: flat ones by kernels, any other by the row operations of core. */
type WindowKind = "fixed" | "bits" | "strings" | "struct" | "any";

/** One column of a window. Addresses are in the shuffle memory; 0 is none. */
export interface WindowColumn {
  readonly kind: WindowKind;
  readonly type: DataType;
  readonly byteWidth: number;
  /** Values, bits, or the bytes of strings. */
  readonly values: number;
  /** Of strings: Int32, from 0, also for types with 64-bit offsets. */
  readonly offsets: number;
  /** 0: no nulls. */
  readonly validity: number;
  /** Where the columns below this one end: its children stand behind it. */
  readonly end: number;
  /** The rows themselves, for the kind "any". */
  readonly column: Column | null;
}

/** Rows of one lane in the order in which they are delivered. */
export interface Window {
  readonly rows: number;
  /** Each followed by those below it: a struct, its first field, what is below that, … */
  readonly columns: readonly WindowColumn[];
  /** Gives the memory back: the rows are gone. Harmless when repeated. */
  release(): void;
}

function kindOf(type: DataType): WindowKind {
  const layout = layoutOf(type);
  switch (layout.kind) {
    case "fixed":
      // Dictionaries of two parts may differ, which only the general operations can join.
      return type.kind === "dictionary" || layout.byteWidth === 0 ? "any" : "fixed";
    case "bits":
    case "struct":
      return layout.kind;
    case "bytes":
      return "strings";
    default:
      return "any";
  }
}

/** Rows as they are, for lanes that are not shuffled. */
export function plainWindow({ rows, columns }: Columns): Window {
  const none = { byteWidth: 0, values: 0, offsets: 0, validity: 0 };
  return {
    rows,
    columns: columns.map((column, c) => ({ ...none, kind: "any", type: column.type, end: c + 1, column })),
    release: () => {},
  };
}

const noBytes = new Uint8Array(0);

/** The bytes that a column's strings reach. */
function stringBytes({ offsets, length }: Column): readonly [from: number, to: number] {
  if (offsets === null || offsets.length === 0) return [0, 0];
  return [Number(offsets[0]), Number(offsets[length])];
}

/**
 * Offsets as 32 bits. Of 64-bit ones the low words: kernels look at differences only, which are exact since a window's
 * strings are below 2 GiB.
 */
function offsets32({ offsets, length }: Column): Int32Array {
  if (offsets === null) return new Int32Array(length + 1);
  if (offsets instanceof Int32Array) return offsets.subarray(0, length + 1);
  const words = new Int32Array(offsets.buffer, offsets.byteOffset, (length + 1) * 2);
  const out = new Int32Array(length + 1);
  for (let i = 0; i <= length; i++) out[i] = words[2 * i] as number;
  return out;
}

function sum<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((total, item) => total + size(item), 0);
}

const MAX_STRING_BYTES = 2 ** 31 - 1;

/** @throws UnsupportedError when strings of one column would outgrow their 32-bit offsets. */
export function checkStringBytes(sizeBytes: number, rows: number): void {
  if (sizeBytes <= MAX_STRING_BYTES) return;
  throw new UnsupportedError(`${sizeBytes} bytes of one column in ${rows} shuffled rows are over 2 GiB`, {
    remedy: "Use a smaller windowRows, smaller batches, or the column's large type.",
  });
}

/** One window in the making. */
class WindowBuilder {
  readonly #memory: ShuffleMemory;
  readonly #rows: number;
  readonly #layout = new Layout();
  /** One for each column, in the order of `Window.columns`. */
  readonly #fillers: (() => WindowColumn)[] = [];
  /** Address of the window's block and of the permutation, once they are allocated. */
  #base = 0;
  #indices = 0;

  constructor(memory: ShuffleMemory, rows: number) {
    this.#memory = memory;
    this.#rows = rows;
  }

  build(parts: readonly Columns[], permutation: Int32Array): Window {
    const memory = this.#memory;
    // Placing everything first makes one block of the window; filling it comes second.
    (parts[0] as Columns).columns.forEach((_, c) => {
      this.#place(
        parts.map((part) => part.columns[c] as Column),
        permutation,
      );
    });
    this.#base = memory.allocate(this.#layout.sizeBytes);
    let owned = true;
    const release = (): void => {
      if (owned) memory.release(this.#base);
      owned = false;
    };
    try {
      const columns = memory.with(permutation.byteLength, (indices) => {
        memory.view(indices, permutation.byteLength).set(bytesOf(permutation));
        this.#indices = indices;
        return this.#fillers.map((fill) => fill());
      });
      return { rows: this.#rows, columns, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Reserves room for a column and those below it, and notes what fills them. */
  #place(parts: readonly Column[], permutation: Int32Array): void {
    const { type, children } = parts[0] as Column;
    const kind = kindOf(type);
    const c = this.#fillers.length;
    const base = { kind, type, byteWidth: 0, values: 0, offsets: 0, validity: 0, end: c + 1, column: null };
    if (kind === "any") {
      this.#fillers.push(() => ({ ...base, column: takeColumn(concatColumns(parts), permutation) }));
      return;
    }
    const validity = this.#placeBits(parts, "validity");
    switch (kind) {
      case "fixed": {
        const layout = layoutOf(type);
        const byteWidth = layout.kind === "fixed" ? layout.byteWidth : 0;
        const values = this.#placeFixed(parts, byteWidth);
        this.#fillers.push(() => ({ ...base, byteWidth, values: values(), validity: validity() }));
        return;
      }
      case "bits": {
        const values = this.#placeBits(parts, "data");
        this.#fillers.push(() => ({ ...base, values: values(), validity: validity() }));
        return;
      }
      case "strings": {
        const strings = this.#placeStrings(parts);
        this.#fillers.push(() => ({ ...base, ...strings(), validity: validity() }));
        return;
      }
      case "struct": {
        let end = 0;
        this.#fillers.push(() => ({ ...base, end, validity: validity() }));
        children.forEach((_, child) => {
          this.#place(
            parts.map((part) => part.children[child] as Column),
            permutation,
          );
        });
        end = this.#fillers.length;
      }
    }
  }

  #placeFixed(parts: readonly Column[], byteWidth: number): () => number {
    const at = this.#layout.add(this.#rows * byteWidth);
    return () => {
      const { exports } = this.#memory;
      const out = this.#base + at;
      return this.#memory.with(this.#rows * byteWidth, (source) => {
        let to = source;
        for (const { data, length } of parts) {
          this.#memory.view(to, length * byteWidth).set((data ?? noBytes).subarray(0, length * byteWidth));
          to += length * byteWidth;
        }
        const gathers: Record<number, typeof exports.gather4> = {
          1: exports.gather1,
          2: exports.gather2,
          4: exports.gather4,
          8: exports.gather8,
          16: exports.gather16,
          32: exports.gather32,
        };
        const gather = gathers[byteWidth];
        if (gather === undefined) exports.gatherFixed(this.#indices, this.#rows, source, byteWidth, out);
        else gather(this.#indices, this.#rows, source, out);
        return out;
      });
    };
  }

  /** Validity (left out when nothing is null) or the bits of a bool column. */
  #placeBits(parts: readonly Column[], field: "validity" | "data"): () => number {
    if (field === "validity" && parts.every(({ nullCount }) => nullCount === 0)) return () => 0;
    const at = this.#layout.add((this.#rows + 7) >> 3);
    return () => {
      const bits = joinedBits(parts, field, this.#rows);
      return this.#memory.with(bits.length, (source) => {
        this.#memory.view(source, bits.length).set(bits);
        this.#memory.exports.gatherBits(this.#indices, this.#rows, source, this.#base + at);
        return this.#base + at;
      });
    };
  }

  #placeStrings(parts: readonly Column[]): () => { values: number; offsets: number } {
    const rows = this.#rows;
    const sizeBytes = sum(parts, (part) => stringBytes(part)[1] - stringBytes(part)[0]);
    checkStringBytes(sizeBytes, rows);
    const offsetsAt = this.#layout.add((rows + 1) * 4);
    const valuesAt = this.#layout.add(sizeBytes);
    return () => {
      const offsets = this.#base + offsetsAt;
      const values = this.#base + valuesAt;
      this.#memory.with(rows * 8, (table) =>
        this.#memory.with(sizeBytes, (source) => {
          this.#stageStrings(parts, table, source);
          const { exports } = this.#memory;
          const result = exports.gatherStrings(this.#indices, rows, table, 0, 0, rows, values, 0, sizeBytes, offsets);
          checked(exports, result);
        }),
      );
      return { values, offsets };
    };
  }

  /** Copies the strings' bytes to `source` and notes where each string lies. */
  #stageStrings(parts: readonly Column[], table: number, source: number): void {
    const { exports } = this.#memory;
    let entry = table;
    let to = source;
    for (const part of parts) {
      const { length } = part;
      const [from, end] = stringBytes(part);
      this.#memory.view(to, end - from).set((part.data ?? noBytes).subarray(from, end));
      this.#memory.with((length + 1) * 4, (offsets) => {
        const own = offsets32(part);
        this.#memory.view(offsets, own.byteLength).set(bytesOf(own));
        if (length > 0) checked(exports, exports.weaveStrings(offsets, length, to, end - from, entry, 1));
      });
      entry += length * 8;
      to += end - from;
    }
  }
}

function bytesOf(array: Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function joinedBits(parts: readonly Column[], field: "validity" | "data", rows: number): Uint8Array {
  const bool: DataType = { kind: "bool" };
  const none = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
  const columns = parts.map((part): Column => {
    const bits = field === "validity" && part.nullCount === 0 ? null : part[field];
    const data = bits ?? new Uint8Array((part.length + 7) >> 3).fill(255);
    return { ...none, type: bool, length: part.length, data };
  });
  return (concatColumns(columns).data as Uint8Array).subarray(0, (rows + 7) >> 3);
}

/**
 * A window whose row i is row `permutation[i]` of the parts laid end to end. Column by column, so that the rows of one
 * column stay in the processor's cache.
 */
export function permuteWindow(memory: ShuffleMemory, parts: readonly Columns[], permutation: Int32Array): Window {
  return new WindowBuilder(memory, permutation.length).build(parts, permutation);
}

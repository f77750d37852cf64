import { countBits, getBit } from "../bits.ts";
import type { Column, Columns } from "../columns.ts";
import { appendBits } from "./bit-runs.ts";
import { copyBytes, gatherFixed } from "./gather-fixed.ts";
import { layoutOf } from "./layout.ts";
import { newOffsets, numericOffsets, offsetsLike } from "./offsets.ts";

/**
 * Runs of values [starts[i], ends[i]), to be laid end to end. Runs survive nesting: a run of lists is one run of their
 * items, so taking rows never makes an index per item.
 */
interface Runs {
  readonly starts: Int32Array | Float64Array;
  readonly ends: Int32Array | Float64Array;
  /** Σ (ends[i] − starts[i]). */
  readonly total: number;
}

const noBytes = new Uint8Array(0);

function takeBits(bits: Uint8Array, runs: Runs): Uint8Array {
  const out = new Uint8Array((runs.total + 7) >> 3);
  const { starts, ends } = runs;
  let at = 0;
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i] as number;
    const length = (ends[i] as number) - start;
    if (length === 1) {
      if (getBit(bits, start)) out[at >> 3] = (out[at >> 3] as number) | (1 << (at & 7));
    } else appendBits(out, at, bits, start, length);
    at += length;
  }
  return out;
}

function takeValidity(column: Column, runs: Runs): { validity: Uint8Array | null; nullCount: number } {
  if (column.type.kind === "null") return { validity: null, nullCount: runs.total };
  if (column.validity === null || column.nullCount === 0) return { validity: null, nullCount: 0 };
  const validity = takeBits(column.validity, runs);
  const nullCount = runs.total - countBits(validity, runs.total);
  return { validity: nullCount === 0 ? null : validity, nullCount };
}

function takeFixed(data: Uint8Array, byteWidth: number, runs: Runs): Uint8Array {
  const { starts, ends, total } = runs;
  const out = new Uint8Array(total * byteWidth);
  let at = 0;
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i] as number;
    const length = ((ends[i] as number) - start) * byteWidth;
    copyBytes(data, start * byteWidth, length, out, at);
    at += length;
  }
  return out;
}

/** The runs of children below runs of lists (or of bytes below runs of strings). */
function below(offsets: Int32Array | Float64Array, runs: Runs): Runs {
  const count = runs.starts.length;
  const starts = new Float64Array(count);
  const ends = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const start = offsets[runs.starts[i] as number] as number;
    const end = offsets[runs.ends[i] as number] as number;
    starts[i] = start;
    ends[i] = end;
    total += end - start;
  }
  return { starts, ends, total };
}

function takeOffsets(column: Column, source: Int32Array | Float64Array, runs: Runs, total: number): Column["offsets"] {
  const out = newOffsets(column.offsets, runs.total + 1, total);
  let at = 0;
  let position = 0;
  for (let i = 0; i < runs.starts.length; i++) {
    const end = runs.ends[i] as number;
    for (let j = runs.starts[i] as number; j < end; j++) {
      out[at++] = position;
      position += (source[j + 1] as number) - (source[j] as number);
    }
  }
  out[at] = position;
  return offsetsLike(column.offsets, out);
}

function scaled(runs: Runs, factor: number): Runs {
  const starts = new Float64Array(runs.starts.length);
  const ends = new Float64Array(runs.starts.length);
  for (let i = 0; i < starts.length; i++) {
    starts[i] = (runs.starts[i] as number) * factor;
    ends[i] = (runs.ends[i] as number) * factor;
  }
  return { starts, ends, total: runs.total * factor };
}

/** A dense union keeps of each child only what is reached, in the order it is reached. */
function takeDenseUnion(column: Column, runs: Runs): Column {
  if (column.type.kind !== "union") throw new TypeError(`takeDenseUnion of ${column.type.kind}`);
  const ids = takeFixed(column.data ?? noBytes, 1, runs);
  const offsets = takeFixed(bytesOf(column.offsets), 4, runs);
  const places = new Int32Array(offsets.buffer);
  const childOfId = new Map(column.type.typeIds.map((id, i) => [id, i]));
  const wanted = column.children.map(() => new Int32Array(runs.total));
  const counts = column.children.map(() => 0);
  for (let i = 0; i < ids.length; i++) {
    const child = childOfId.get(((ids[i] as number) << 24) >> 24) as number;
    const count = counts[child] as number;
    (wanted[child] as Int32Array)[count] = places[i] as number;
    places[i] = count;
    counts[child] = count + 1;
  }
  return {
    type: column.type,
    length: runs.total,
    nullCount: 0,
    validity: null,
    offsets: places,
    data: ids,
    children: column.children.map((child, i) => takeColumn(child, (wanted[i] as Int32Array).subarray(0, counts[i]))),
    dictionary: null,
  };
}

function bytesOf(view: ArrayBufferView | null): Uint8Array {
  return view === null ? noBytes : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function takeRuns(column: Column, runs: Runs, indices: Int32Array | null): Column {
  const layout = layoutOf(column.type);
  const data = column.data ?? noBytes;
  if (layout.kind === "denseUnion") return takeDenseUnion(column, runs);
  const base = { type: column.type, length: runs.total, ...takeValidity(column, runs), dictionary: column.dictionary };
  const fixed = (byteWidth: number): Uint8Array =>
    indices === null ? takeFixed(data, byteWidth, runs) : gatherFixed(data, byteWidth, indices);
  switch (layout.kind) {
    case "null":
      return { ...base, offsets: null, data: null, children: [] };
    case "bits":
      return { ...base, offsets: null, data: takeBits(data, runs), children: [] };
    case "fixed":
      return { ...base, offsets: null, data: fixed(layout.byteWidth), children: [] };
    case "bytes": {
      const source = numericOffsets(column.offsets);
      const bytes = below(source, runs);
      return {
        ...base,
        offsets: takeOffsets(column, source, runs, bytes.total),
        data: takeFixed(data, 1, bytes),
        children: [],
      };
    }
    case "list": {
      const source = numericOffsets(column.offsets);
      const items = below(source, runs);
      const offsets = takeOffsets(column, source, runs, items.total);
      return { ...base, offsets, data: null, children: column.children.map((child) => takeRuns(child, items, null)) };
    }
    case "fixedSizeList": {
      const items = scaled(runs, layout.size);
      return { ...base, offsets: null, data: null, children: column.children.map((c) => takeRuns(c, items, null)) };
    }
    case "struct":
      return { ...base, offsets: null, data: null, children: column.children.map((c) => takeRuns(c, runs, indices)) };
    case "sparseUnion":
      return {
        ...base,
        offsets: null,
        data: fixed(1),
        children: column.children.map((c) => takeRuns(c, runs, indices)),
      };
  }
}

/** Indices as runs: neighbours that follow each other are one run. */
function runsOf(indices: Int32Array): Runs {
  const starts = new Int32Array(indices.length);
  const ends = new Int32Array(indices.length);
  let count = 0;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (count > 0 && ends[count - 1] === index) ends[count - 1] = index + 1;
    else {
      starts[count] = index;
      ends[count] = index + 1;
      count++;
    }
  }
  return { starts: starts.subarray(0, count), ends: ends.subarray(0, count), total: indices.length };
}

/** Few long runs are copied run by run, many short ones value by value. */
const RUN_VALUES = 16;

/** Values at `indices`, in that order, as new buffers; an index may repeat. Indices are not checked: see `takeRows`. */
export function takeColumn(column: Column, indices: Int32Array): Column {
  const runs = runsOf(indices);
  return takeRuns(column, runs, runs.starts.length * RUN_VALUES > indices.length ? indices : null);
}

/**
 * The rows at `indices`, in that order, as new buffers; an index may repeat. Dictionaries are shared.
 *
 * @throws RangeError when an index is outside [0, rows): a defect of the caller.
 * @throws UnsupportedError when repetition makes a column outgrow 32-bit offsets.
 */
export function takeRows(columns: Columns, indices: Int32Array): Columns {
  for (let i = 0; i < indices.length; i++) {
    // One unsigned comparison finds negative indices too.
    if ((indices[i] as number) >>> 0 >= columns.rows) throw new RangeError(`row ${indices[i]} of ${columns.rows}`);
  }
  const runs = runsOf(indices);
  const single = runs.starts.length * RUN_VALUES > indices.length ? indices : null;
  return { rows: indices.length, columns: columns.columns.map((column) => takeRuns(column, runs, single)) };
}

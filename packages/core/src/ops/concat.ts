import type { Column, Columns } from "../columns.ts";
import { UnsupportedError } from "../errors.ts";
import type { DataType } from "../schema.ts";
import { appendBits, fillBits } from "./bit-runs.ts";
import { layoutOf } from "./layout.ts";
import { newOffsets, numericOffsets, offsetsLike } from "./offsets.ts";
import { sliceColumn } from "./slice.ts";

const noBytes = new Uint8Array(0);

function concatValidity(parts: readonly Column[], length: number): Uint8Array | null {
  const out = new Uint8Array((length + 7) >> 3);
  let at = 0;
  for (const part of parts) {
    if (part.validity === null || part.nullCount === 0) fillBits(out, at, part.length);
    else appendBits(out, at, part.validity, 0, part.length);
    at += part.length;
  }
  return out;
}

function concatBits(parts: readonly Column[], length: number): Uint8Array {
  const out = new Uint8Array((length + 7) >> 3);
  let at = 0;
  for (const part of parts) {
    appendBits(out, at, part.data ?? noBytes, 0, part.length);
    at += part.length;
  }
  return out;
}

function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

interface Spans {
  /** Of the whole, from 0. */
  readonly offsets: Column["offsets"];
  /** Of each part: the items [from, to) that its values reach. */
  readonly reached: readonly (readonly [from: number, to: number])[];
}

function concatOffsets(parts: readonly Column[], length: number): Spans {
  const sources = parts.map((part) => numericOffsets(part.offsets));
  const reached = sources.map((source, i) => {
    const end = (parts[i] as Column).length;
    return [source[0] as number, source[end] as number] as const;
  });
  const total = reached.reduce((sum, [from, to]) => sum + to - from, 0);
  const like = (parts[0] as Column).offsets;
  const out = newOffsets(like, length + 1, total);
  let at = 0;
  let position = 0;
  sources.forEach((source, i) => {
    const [from, to] = reached[i] as readonly [number, number];
    const shift = position - from;
    const count = (parts[i] as Column).length;
    for (let j = 0; j < count; j++) out[at + j] = (source[j] as number) + shift;
    at += count;
    position += to - from;
  });
  out[at] = position;
  return { offsets: offsetsLike(like, out), reached };
}

/** Children of dense unions are laid end to end, so each part's offsets move up by what lies before it. */
function concatDenseOffsets(parts: readonly Column[], type: DataType & { kind: "union" }, length: number): Int32Array {
  const out = new Int32Array(length);
  const childOfId = new Map(type.typeIds.map((id, i) => [id, i]));
  const base = type.children.map(() => 0);
  let at = 0;
  for (const part of parts) {
    const ids = part.data ?? noBytes;
    const offsets = part.offsets as Int32Array;
    for (let i = 0; i < part.length; i++) {
      const child = childOfId.get(((ids[i] as number) << 24) >> 24) as number;
      out[at++] = (offsets[i] as number) + (base[child] as number);
    }
    part.children.forEach((child, i) => {
      base[i] = (base[i] as number) + child.length;
    });
  }
  return out;
}

type DictionaryType = DataType & { kind: "dictionary" };

/** Dictionaries that differ are laid end to end and indices shifted: equal values may then occur twice, as Arrow allows. */
function concatDictionaries(parts: readonly Column[], type: DictionaryType, data: Uint8Array): Column {
  const shifts = new Map<Column, number>();
  let entries = 0;
  for (const part of parts) {
    const dictionary = part.dictionary as Column;
    if (shifts.has(dictionary)) continue;
    shifts.set(dictionary, entries);
    entries += dictionary.length;
  }
  if (shifts.size === 1) return (parts[0] as Column).dictionary as Column;
  const { bits, signed } = type.index;
  if (entries > 2 ** (signed ? bits - 1 : bits)) {
    throw new UnsupportedError(`${entries} dictionary entries do not fit indices of ${bits} bits`, {
      remedy: 'Read the column with dictionary: "decode".',
    });
  }
  const indices = indexView(data, bits);
  let at = 0;
  for (const part of parts) {
    const shift = shifts.get(part.dictionary as Column) as number;
    const end = at + part.length;
    if (indices instanceof BigInt64Array) {
      const by = BigInt(shift);
      for (; at < end; at++) indices[at] = (indices[at] as bigint) + by;
    } else for (; at < end; at++) indices[at] = (indices[at] as number) + shift;
  }
  return concatColumns([...shifts.keys()]);
}

function indexView(data: Uint8Array, bits: 8 | 16 | 32 | 64): Uint8Array | Uint16Array | Uint32Array | BigInt64Array {
  const count = (data.byteLength * 8) / bits;
  if (bits === 8) return data;
  if (bits === 16) return new Uint16Array(data.buffer, data.byteOffset, count);
  if (bits === 32) return new Uint32Array(data.buffer, data.byteOffset, count);
  return new BigInt64Array(data.buffer, data.byteOffset, count);
}

/** All values of `parts` in order, as new buffers. Types must be equal; at least one part. */
export function concatColumns(parts: readonly Column[]): Column {
  const [first] = parts;
  if (first === undefined) throw new RangeError("concat of no columns");
  if (parts.length === 1) return first;
  const { type } = first;
  if (parts.some((part) => part.type.kind !== type.kind))
    throw new TypeError(`concat of ${type.kind} with another type`);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const nullCount = parts.reduce((sum, part) => sum + part.nullCount, 0);
  const hasValidity = nullCount > 0 && type.kind !== "null" && type.kind !== "union";
  const base = { type, length, nullCount, validity: hasValidity ? concatValidity(parts, length) : null };
  const children = (pick: (part: Column, i: number) => readonly Column[] = (part) => part.children): Column[] =>
    first.children.map((_, c) => concatColumns(parts.map((part, i) => pick(part, i)[c] as Column)));
  const layout = layoutOf(type);
  const plain = { offsets: null, data: null, children: [], dictionary: null };
  switch (layout.kind) {
    case "null":
      return { ...base, ...plain };
    case "bits":
      return { ...base, ...plain, data: concatBits(parts, length) };
    case "fixed": {
      const width = layout.byteWidth;
      const data = concatBytes(parts.map((part) => (part.data ?? noBytes).subarray(0, part.length * width)));
      const dictionary = type.kind === "dictionary" ? concatDictionaries(parts, type, data) : null;
      return { ...base, ...plain, data, dictionary };
    }
    case "bytes": {
      const { offsets, reached } = concatOffsets(parts, length);
      const data = concatBytes(
        parts.map((part, i) => (part.data ?? noBytes).subarray(...(reached[i] as [number, number]))),
      );
      return { ...base, ...plain, offsets, data };
    }
    case "list": {
      const { offsets, reached } = concatOffsets(parts, length);
      const cut = parts.map((part, i) => part.children.map((c) => sliceColumn(c, ...(reached[i] as [number, number]))));
      return { ...base, ...plain, offsets, children: children((_, i) => cut[i] as Column[]) };
    }
    case "fixedSizeList":
    case "struct":
      return { ...base, ...plain, children: children() };
    case "sparseUnion":
    case "denseUnion": {
      const data = concatBytes(parts.map((part) => (part.data ?? noBytes).subarray(0, part.length)));
      const offsets =
        layout.kind === "denseUnion" ? concatDenseOffsets(parts, type as DataType & { kind: "union" }, length) : null;
      return { ...base, ...plain, offsets, data, children: children() };
    }
  }
}

/**
 * All rows of `parts` in order. One part is returned as it is; several become new buffers. Dictionaries that differ are
 * laid end to end.
 *
 * @throws RangeError or TypeError without parts or with parts of different columns: a defect of the caller.
 * @throws UnsupportedError when a column outgrows its 32-bit offsets, or dictionaries their indices.
 */
export function concatRows(parts: readonly Columns[]): Columns {
  const [first] = parts;
  if (first === undefined) throw new RangeError("concat of no rows");
  if (parts.length === 1) return first;
  if (parts.some((part) => part.columns.length !== first.columns.length)) {
    throw new TypeError("concat of rows with different columns");
  }
  return {
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    columns: first.columns.map((_, c) => concatColumns(parts.map((part) => part.columns[c] as Column))),
  };
}

import { type Column, OptionsError, UnsupportedError } from "@ingest-ts/core";
import type { Places } from "./places.ts";

/** 32-bit offsets of a list, map or large list. @throws UnsupportedError past 2^31 children. */
export function offsetsOf(column: Column): Int32Array {
  const { offsets } = column;
  if (offsets === null || offsets.length < column.length + 1)
    throw new OptionsError(`a ${column.type.kind} column of ${column.length} values with too few offsets`);
  return offsets instanceof Int32Array ? offsets : narrow(offsets);
}

const narrowed = new WeakMap<BigInt64Array, Int32Array>();

function narrow(offsets: BigInt64Array): Int32Array {
  const known = narrowed.get(offsets);
  if (known !== undefined) return known;
  const words = new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length * 2);
  const out = new Int32Array(offsets.length);
  for (let i = 0; i < out.length; i++) {
    if (words[2 * i + 1] !== 0 || (words[2 * i] as number) < 0) {
      throw new UnsupportedError("a list column of 2^31 or more items in one batch", {
        remedy: "Write it in smaller batches.",
      });
    }
    out[i] = words[2 * i] as number;
  }
  narrowed.set(offsets, out);
  return out;
}

/** The items of some lists. */
export interface Spans {
  /** Items of each live list. */
  readonly lengths: Int32Array;
  readonly total: number;
  readonly nonEmpty: number;
  readonly start: number;
  /** Null when the items lie in one run from `start` on. */
  readonly indices: Int32Array | null;
}

/**
 * The items of the lists at `places`.
 *
 * @param shape the offsets of the list column, or the length that every list has
 * @throws OptionsError when offsets point outside of the `available` items
 */
export function listSpans(places: Places, shape: Int32Array | number, available: number): Spans {
  const { length, start, indices } = places;
  const lengths = new Int32Array(length);
  let total = 0;
  let nonEmpty = 0;
  let first = 0;
  let next = -1;
  let contiguous = true;
  for (let i = 0; i < length; i++) {
    const at = indices === null ? start + i : (indices[i] as number);
    const begin = typeof shape === "number" ? at * shape : (shape[at] as number);
    const end = typeof shape === "number" ? begin + shape : (shape[at + 1] as number);
    if (begin < 0 || end < begin || end > available)
      throw new OptionsError(`list ${at} spans items ${begin} to ${end} of ${available}`);
    if (end === begin) continue;
    lengths[i] = end - begin;
    total += end - begin;
    nonEmpty++;
    if (next === -1) first = begin;
    else if (begin !== next) contiguous = false;
    next = end;
  }
  if (contiguous) return { lengths, total, nonEmpty, start: first, indices: null };
  const chosen = new Int32Array(total);
  for (let i = 0, out = 0; i < length; i++) {
    const at = indices === null ? start + i : (indices[i] as number);
    const begin = typeof shape === "number" ? at * shape : (shape[at] as number);
    const count = lengths[i] as number;
    for (let k = 0; k < count; k++) chosen[out++] = begin + k;
  }
  return { lengths, total, nonEmpty, start: 0, indices: chosen };
}

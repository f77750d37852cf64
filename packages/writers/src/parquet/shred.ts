import { type Column, getBit, OptionsError } from "@ingest-ts/core";
import { dictionaryPlaces } from "../columns/dictionary-places.ts";
import { listSpans, offsetsOf } from "../columns/list-spans.ts";

/** One step on the way from a top-level column to a leaf. */
export type Step =
  /** A nullable field: one definition level. */
  | { readonly do: "optional" }
  /** A field that may not be null. */
  | { readonly do: "required" }
  /** A column of the null type. */
  | { readonly do: "allNull" }
  /** Into a struct. */
  | { readonly do: "child"; readonly index: number }
  /** Into a list or map: one definition and one repetition level. */
  | { readonly do: "list" }
  | { readonly do: "fixedSizeList"; readonly size: number }
  /** From indices to the dictionary's values, which may be null themselves: then so is an `optional` field. */
  | { readonly do: "dictionary"; readonly optional: boolean };

/**
 * Some rows of one leaf, as Parquet stores them (Encodings.md; Dremel paper, section 4): a definition and a repetition
 * level per entry, and the places of the values that exist.
 */
export interface Shredded {
  /** Entries: values, nulls, and empty or null lists. */
  entries: number;
  /** [entries], or one number when all are equal. */
  definitions: Uint8Array | number;
  /** [entries], or null when all are 0. */
  repetitions: Uint8Array | null;
  /** Holds the values. */
  column: Column;
  /** The values are at [start, start + length) of `column` … */
  start: number;
  length: number;
  /** … or, when not null, at these places, [length]. */
  indices: Int32Array | null;
}

interface Shredder extends Shredded {
  /** Definition level of the entries that go on below. */
  level: number;
  repetitionLevel: number;
}

/**
 * Levels and places of the values of rows [from, to) of a leaf below the top-level column `root`.
 *
 * @throws OptionsError when a field declared non-null has a null, or offsets or indices point outside their column.
 */
export function shred(root: Column, steps: readonly Step[], from: number, to: number): Shredded {
  const state: Shredder = {
    entries: to - from,
    definitions: 0,
    repetitions: null,
    column: root,
    start: from,
    length: to - from,
    indices: null,
    level: 0,
    repetitionLevel: 0,
  };
  for (const step of steps) {
    switch (step.do) {
      case "optional":
        enterOptional(state, state.column);
        break;
      case "required":
        requireValues(state);
        break;
      case "allNull":
        state.length = 0;
        state.indices = null;
        break;
      case "child":
        state.column = childOf(state.column, step.index);
        break;
      case "list":
        enterList(state, offsetsOf(state.column));
        break;
      case "fixedSizeList":
        enterList(state, step.size);
        break;
      case "dictionary":
        enterDictionary(state, step.optional);
    }
  }
  return state;
}

function childOf(column: Column, index: number): Column {
  const child = column.children[index];
  if (child === undefined) throw new OptionsError(`a ${column.type.kind} column without child ${index}`);
  return child;
}

/** Entries that were live go one definition level down. */
function promote(state: Shredder): void {
  const { definitions, level } = state;
  if (typeof definitions === "number") state.definitions = level + 1;
  else for (let i = 0; i < definitions.length; i++) if (definitions[i] === level) definitions[i] = level + 1;
  state.level = level + 1;
}

function definitionsOf(state: Shredder): Uint8Array {
  if (typeof state.definitions !== "number") return state.definitions;
  const definitions = new Uint8Array(state.entries).fill(state.definitions);
  state.definitions = definitions;
  return definitions;
}

function enterOptional(state: Shredder, column: Column): void {
  const { validity } = column;
  if (column.nullCount === 0 || validity === null || state.length === 0) {
    promote(state);
    return;
  }
  const { level, start, length, indices } = state;
  const kept = new Int32Array(length);
  let count = 0;
  if (typeof state.definitions === "number") {
    const definitions = new Uint8Array(state.entries);
    for (let i = 0; i < length; i++) {
      const at = indices === null ? start + i : (indices[i] as number);
      const bit = ((validity[at >> 3] as number) >> (at & 7)) & 1;
      definitions[i] = level + bit;
      kept[count] = at;
      count += bit;
    }
    state.definitions = definitions;
  } else {
    const { definitions } = state;
    for (let entry = 0, i = 0; entry < definitions.length; entry++) {
      if (definitions[entry] !== level) continue;
      const at = indices === null ? start + i : (indices[i] as number);
      const bit = ((validity[at >> 3] as number) >> (at & 7)) & 1;
      definitions[entry] = level + bit;
      kept[count] = at;
      count += bit;
      i++;
    }
  }
  state.level = level + 1;
  if (count === length) return;
  state.length = count;
  state.indices = kept.subarray(0, count);
}

function requireValues(state: Shredder): void {
  const { validity, nullCount } = state.column;
  if (nullCount === 0 || validity === null) return;
  for (let i = 0; i < state.length; i++) {
    const at = state.indices === null ? state.start + i : (state.indices[i] as number);
    if (!getBit(validity, at)) throw nullInRequired();
  }
}

function nullInRequired(): OptionsError {
  return new OptionsError("a null in a field that the schema declares non-null", {
    remedy: "Declare the field nullable, or fill the nulls.",
  });
}

/** @param shape the offsets of the list column, or the length that every list has. */
function enterList(state: Shredder, shape: Int32Array | number): void {
  const items = childOf(state.column, 0);
  const lists = listSpans(state, shape, items.length);
  const repeated = state.repetitionLevel + 1;
  const level = state.level;
  const entries = state.entries + lists.total - lists.nonEmpty;
  const uniform = typeof state.definitions === "number" && lists.nonEmpty === state.length;
  const definitions = uniform ? null : new Uint8Array(entries);
  const repetitions = new Uint8Array(entries);
  const before = state.definitions;
  let out = 0;
  for (let entry = 0, i = 0; entry < state.entries; entry++) {
    const definition = typeof before === "number" ? before : (before[entry] as number);
    const repetition = state.repetitions === null ? 0 : (state.repetitions[entry] as number);
    const length = definition === level && i < state.length ? (lists.lengths[i++] as number) : 0;
    repetitions[out] = repetition;
    if (length === 0) {
      if (definitions !== null) definitions[out] = definition;
      out++;
      continue;
    }
    const end = out + length;
    if (definitions !== null) definitions.fill(level + 1, out, end);
    repetitions.fill(repeated, out + 1, end);
    out = end;
  }
  state.entries = entries;
  state.definitions = definitions ?? level + 1;
  state.repetitions = repetitions;
  state.level = level + 1;
  state.repetitionLevel = repeated;
  state.column = items;
  state.start = lists.start;
  state.length = lists.total;
  state.indices = lists.indices;
}

/** From indices to places in the dictionary; an index that points at a null value is a null. */
function enterDictionary(state: Shredder, optional: boolean): void {
  const { dictionary, places } = dictionaryPlaces(state.column, state);
  state.column = dictionary;
  state.indices = places;
  state.start = 0;
  if (dictionary.nullCount > 0) dropNullValues(state, dictionary, optional);
}

function dropNullValues(state: Shredder, dictionary: Column, optional: boolean): void {
  const { validity } = dictionary;
  if (validity === null) return;
  const { level } = state;
  const places = state.indices as Int32Array;
  const kept = new Int32Array(places.length);
  const definitions = definitionsOf(state);
  let count = 0;
  for (let entry = 0, i = 0; entry < definitions.length; entry++) {
    if (definitions[entry] !== level) continue;
    const place = places[i++] as number;
    if (getBit(validity, place)) kept[count++] = place;
    else if (!optional) throw nullInRequired();
    else definitions[entry] = level - 1;
  }
  state.indices = kept.subarray(0, count);
  state.length = count;
}

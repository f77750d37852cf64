import { getBit } from "../bits.ts";
import type { Column, Columns } from "../columns.ts";
import type { BoundColumn, BoundPredicate } from "./bind.ts";
import type { Key } from "./literals.ts";
import { numbersOf, rowOrder } from "./row-order.ts";
import type { ComparisonOperator } from "./types.ts";

// One byte per row, so that "and" is the minimum, "or" the maximum and "not" 2 minus it.
const FALSE = 0;
const UNKNOWN = 1;
const TRUE = 2;

/** What each operator makes of below, equal, above. */
const outcomes: Readonly<Record<ComparisonOperator, readonly [number, number, number]>> = {
  eq: [FALSE, TRUE, FALSE],
  ne: [TRUE, FALSE, TRUE],
  lt: [TRUE, FALSE, FALSE],
  le: [TRUE, TRUE, FALSE],
  gt: [FALSE, FALSE, TRUE],
  ge: [FALSE, TRUE, TRUE],
};

/**
 * Which rows pass: one byte per row, 1 when the whole predicate is true, 0 when it is false or unknown.
 *
 * `columns` must follow the schema that `bound` was bound to.
 */
export function evaluate(bound: BoundPredicate, columns: Columns): Uint8Array {
  const mask = truthOf(bound, columns);
  for (let i = 0; i < mask.length; i++) mask[i] = (mask[i] as number) >> 1;
  return mask;
}

function truthOf(bound: BoundPredicate, columns: Columns): Uint8Array {
  switch (bound.kind) {
    case "and":
    case "or":
      return combine(bound.kind, bound.parts, columns);
    case "not": {
      const truth = truthOf(bound.part, columns);
      for (let i = 0; i < truth.length; i++) truth[i] = TRUE - (truth[i] as number);
      return truth;
    }
    case "isNull": {
      const nulls = nullsOf(bound.column, columns);
      for (let i = 0; i < nulls.length; i++) nulls[i] = (nulls[i] as number) * TRUE;
      return nulls;
    }
    default:
      return leafTruth(bound, columns);
  }
}

function combine(kind: "and" | "or", parts: readonly BoundPredicate[], columns: Columns): Uint8Array {
  const truth = new Uint8Array(columns.rows).fill(kind === "and" ? TRUE : FALSE);
  for (const part of parts) {
    const other = truthOf(part, columns);
    if (kind === "and")
      for (let i = 0; i < truth.length; i++) truth[i] = Math.min(truth[i] as number, other[i] as number);
    else for (let i = 0; i < truth.length; i++) truth[i] = Math.max(truth[i] as number, other[i] as number);
  }
  return truth;
}

type Leaf = Extract<BoundPredicate, { kind: "compare" | "in" | "constant" }>;

function leafTruth(bound: Leaf, columns: Columns): Uint8Array {
  const { column, nulls } = columnAt(bound.column, columns);
  const truth = valueTruth(bound, column);
  markNulls(truth, column);
  if (nulls !== undefined) for (let i = 0; i < truth.length; i++) if (nulls[i] === 1) truth[i] = UNKNOWN;
  return truth;
}

/** The truth for each value, whatever is written for null ones; null entries of a dictionary are unknown. */
function valueTruth(bound: Leaf, column: Column): Uint8Array {
  if (column.type.kind === "dictionary") {
    const dictionary = column.dictionary as Column;
    const entries = valueTruth(bound, dictionary);
    markNulls(entries, dictionary);
    return gatherEntries(entries, column);
  }
  if (bound.kind === "constant") {
    return new Uint8Array(column.length).fill(bound.value === undefined ? UNKNOWN : bound.value ? TRUE : FALSE);
  }
  return bound.kind === "compare" ? compareTruth(bound.operator, bound.key, column) : inTruth(bound, column);
}

function compareTruth(operator: ComparisonOperator, key: Key, column: Column): Uint8Array {
  const truth = new Uint8Array(column.length);
  const [below, equal, above] = outcomes[operator];
  const numbers = numbersOf(column);
  if (numbers === undefined) {
    const order = rowOrder(column, [key]);
    for (let i = 0; i < truth.length; i++) {
      const sign = order(i, 0);
      truth[i] = sign < 0 ? below : sign > 0 ? above : equal;
    }
  } else if (Number.isNaN(key)) {
    for (let i = 0; i < truth.length; i++) truth[i] = Number.isNaN(numbers[i]) ? equal : below;
  } else {
    const value = key as number;
    // NaN is neither below nor equal: above all.
    for (let i = 0; i < truth.length; i++) {
      const number = numbers[i] as number;
      truth[i] = number < value ? below : number === value ? equal : above;
    }
  }
  return truth;
}

function inTruth(bound: Extract<Leaf, { kind: "in" }>, column: Column): Uint8Array {
  const truth = new Uint8Array(column.length).fill(bound.orNull ? UNKNOWN : FALSE);
  const numbers = numbersOf(column);
  if (numbers !== undefined) {
    // A Set finds NaN by NaN and 0 by -0: just what is wanted.
    const wanted = new Set(bound.keys as readonly number[]);
    for (let i = 0; i < truth.length; i++) if (wanted.has(numbers[i] as number)) truth[i] = TRUE;
    return truth;
  }
  const order = rowOrder(column, bound.keys);
  for (let i = 0; i < truth.length; i++) {
    let from = 0;
    let to = bound.keys.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      const sign = order(i, middle);
      if (sign === 0) {
        truth[i] = TRUE;
        break;
      }
      if (sign < 0) to = middle;
      else from = middle + 1;
    }
  }
  return truth;
}

function markNulls(truth: Uint8Array, column: Column): void {
  if (column.type.kind === "null") truth.fill(UNKNOWN);
  const { validity } = column;
  if (validity === null || column.nullCount === 0) return;
  for (let i = 0; i < truth.length; i++) if (!getBit(validity, i)) truth[i] = UNKNOWN;
}

/** `entries[index]` of every row; rows that are null themselves get what is at entry 0, if there is one. */
function gatherEntries(entries: Uint8Array, column: Column): Uint8Array {
  const type = column.type as Extract<Column["type"], { kind: "dictionary" }>;
  const data = column.data as Uint8Array;
  const out = new Uint8Array(column.length);
  if (type.index.bits === 64) {
    const indices = new BigInt64Array(data.buffer, data.byteOffset, column.length);
    for (let i = 0; i < out.length; i++) out[i] = entries[Number(indices[i])] ?? UNKNOWN;
    return out;
  }
  const indices = numbersOf({ ...column, type: type.index }) as ArrayLike<number>;
  for (let i = 0; i < out.length; i++) out[i] = entries[indices[i] as number] ?? UNKNOWN;
  return out;
}

interface Found {
  readonly column: Column;
  /** 1 where a struct above the column is null; undefined when none is. */
  readonly nulls: Uint8Array | undefined;
}

function columnAt(bound: BoundColumn, columns: Columns): Found {
  let nulls: Uint8Array | undefined;
  let column = columns.columns[bound.indices[0] as number] as Column;
  for (const index of bound.indices.slice(1)) {
    if (column.validity !== null && column.nullCount > 0) {
      nulls ??= new Uint8Array(column.length);
      for (let i = 0; i < nulls.length; i++) if (!getBit(column.validity, i)) nulls[i] = 1;
    }
    column = column.children[index] as Column;
  }
  return { column, nulls };
}

function nullsOf(bound: BoundColumn, columns: Columns): Uint8Array {
  const { column, nulls } = columnAt(bound, columns);
  const own = ownNulls(column);
  if (nulls !== undefined) for (let i = 0; i < own.length; i++) if (nulls[i] === 1) own[i] = 1;
  return own;
}

/** 1 for every value that is null: by validity, by the entry it points to, or by the branch it takes. */
function ownNulls(column: Column): Uint8Array {
  const nulls = new Uint8Array(column.length);
  if (column.type.kind === "null") return nulls.fill(1);
  if (column.type.kind === "union") return unionNulls(column, nulls);
  if (column.type.kind === "dictionary") nulls.set(gatherEntries(ownNulls(column.dictionary as Column), column));
  if (column.validity !== null && column.nullCount > 0) {
    for (let i = 0; i < nulls.length; i++) if (!getBit(column.validity, i)) nulls[i] = 1;
  }
  return nulls;
}

function unionNulls(column: Column, nulls: Uint8Array): Uint8Array {
  const type = column.type as Extract<Column["type"], { kind: "union" }>;
  const branches = column.children.map(ownNulls);
  const ids = column.data as Uint8Array;
  for (let i = 0; i < nulls.length; i++) {
    const branch = branches[type.typeIds.indexOf(ids[i] as number)] as Uint8Array;
    nulls[i] = branch[type.mode === "dense" ? Number((column.offsets as Int32Array)[i]) : i] as number;
  }
  return nulls;
}

import type { DataType } from "../schema.ts";
import type { BoundColumn, BoundPredicate } from "./bind.ts";
import { compareKeys } from "./compare-keys.ts";
import type { Key } from "./literals.ts";
import type { ComparisonOperator } from "./types.ts";

/**
 * What metadata say of one column in some rows. Everything is optional: what is undefined is not known. Bounds may be
 * wider than the values (truncated text), never narrower, and do not speak of NaN.
 */
export interface ColumnRange {
  /** No value that is neither null nor NaN is below. */
  readonly min?: Key | undefined;
  /** No value that is neither null nor NaN is above. */
  readonly max?: Key | undefined;
  /** Rows in which the column, or a struct around it, is null. */
  readonly nullCount?: number | undefined;
  /** False when no value equals `key`, as a bloom filter says. */
  readonly mayContain?: ((key: Key) => boolean) | undefined;
}

// Sets of truths that some row may have.
const FALSE = 1;
const UNKNOWN = 2;
const TRUE = 4;
const truths = [FALSE, UNKNOWN, TRUE] as const;

/** Which of below, equal and above a value may be, for each operator: those for which it is true. */
const holds: Readonly<Record<ComparisonOperator, readonly [below: boolean, equal: boolean, above: boolean]>> = {
  eq: [false, true, false],
  ne: [true, false, true],
  lt: [true, false, false],
  le: [true, true, false],
  gt: [false, false, true],
  ge: [false, true, true],
};

/**
 * Whether any of `rows` rows may pass: false only when `evaluate` passes none of them, whatever values they have within
 * the ranges. A range that contradicts itself says nothing.
 */
export function mayPass(
  bound: BoundPredicate,
  rows: number,
  rangeOf: (column: BoundColumn) => ColumnRange | undefined,
): boolean {
  return rows > 0 && (possible(bound, rows, rangeOf) & TRUE) !== 0;
}

function possible(
  bound: BoundPredicate,
  rows: number,
  rangeOf: (column: BoundColumn) => ColumnRange | undefined,
): number {
  switch (bound.kind) {
    case "and":
    case "or":
      return bound.parts
        .map((part) => possible(part, rows, rangeOf))
        .reduce((a, b) => combine(a, b, bound.kind), bound.kind === "and" ? TRUE : FALSE);
    case "not": {
      const part = possible(bound.part, rows, rangeOf);
      return (part & UNKNOWN) | (part & FALSE ? TRUE : 0) | (part & TRUE ? FALSE : 0);
    }
    default: {
      const { mayBeNull, mayBeValue, ...range } = checkedRange(rangeOf(bound.column) ?? {}, rows);
      if (bound.kind === "isNull") return (mayBeNull ? TRUE : 0) | (mayBeValue ? FALSE : 0);
      return (mayBeNull ? UNKNOWN : 0) | (mayBeValue ? valueTruths(bound, range) : 0);
    }
  }
}

/** The smaller ("and") or larger ("or") of any truth of `a` and any of `b`. */
function combine(a: number, b: number, kind: "and" | "or"): number {
  let out = 0;
  for (const x of truths) {
    for (const y of truths) {
      if ((a & x) !== 0 && (b & y) !== 0) out |= kind === "and" ? Math.min(x, y) : Math.max(x, y);
    }
  }
  return out;
}

type CheckedRange = ColumnRange & { readonly mayBeNull: boolean; readonly mayBeValue: boolean };

function checkedRange({ min, max, nullCount, mayContain }: ColumnRange, rows: number): CheckedRange {
  const isCount = nullCount !== undefined && Number.isSafeInteger(nullCount) && nullCount >= 0 && nullCount <= rows;
  const isNaNBound = Number.isNaN(min) || Number.isNaN(max);
  const isEmpty = min !== undefined && max !== undefined && compareKeys(min, max) > 0;
  // Bounds of no value at all: one of the two is wrong.
  const isContradiction = nullCount === rows && (min !== undefined || max !== undefined);
  if (isNaNBound || isEmpty || isContradiction) return { mayBeNull: true, mayBeValue: true };
  return {
    min,
    max,
    mayContain,
    mayBeNull: !isCount || nullCount > 0,
    mayBeValue: !isCount || nullCount < rows,
  };
}

type Leaf = Extract<BoundPredicate, { kind: "compare" | "in" | "constant" }>;

/** The truths that rows with a value may have. */
function valueTruths(bound: Leaf, range: ColumnRange): number {
  if (bound.kind === "constant") return bound.value === undefined ? UNKNOWN : bound.value ? TRUE : FALSE;
  const mayBeNaN = isFloat(bound.column.type);
  if (bound.kind === "in") {
    const otherwise = bound.orNull ? UNKNOWN : FALSE;
    if (!bound.keys.some((key) => mayEqual(range, key, mayBeNaN))) return otherwise;
    const { min, max } = range;
    const isOne = !mayBeNaN && min !== undefined && max !== undefined && compareKeys(min, max) === 0;
    return isOne ? TRUE : TRUE | otherwise;
  }
  const { key, operator } = bound;
  const [below, equal, above] = holds[operator];
  const mayBeBelow = Number.isNaN(key) || range.min === undefined || compareKeys(range.min, key) < 0;
  const mayBeAbove = mayBeNaN ? !Number.isNaN(key) : range.max === undefined || compareKeys(range.max, key) > 0;
  let out = 0;
  if (mayBeBelow) out |= below ? TRUE : FALSE;
  if (mayEqual(range, key, mayBeNaN)) out |= equal ? TRUE : FALSE;
  if (mayBeAbove) out |= above ? TRUE : FALSE;
  return out;
}

function mayEqual({ min, max, mayContain }: ColumnRange, key: Key, mayBeNaN: boolean): boolean {
  if (Number.isNaN(key)) return mayBeNaN;
  if (min !== undefined && compareKeys(min, key) > 0) return false;
  if (max !== undefined && compareKeys(max, key) < 0) return false;
  return mayContain === undefined || mayContain(key);
}

function isFloat(type: DataType): boolean {
  return type.kind === "float" || (type.kind === "dictionary" && type.value.kind === "float");
}

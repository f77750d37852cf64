/** A literal as JSON carries it; it takes the column's type when bound. 64-bit integers beyond 2^53 are strings. */
export type Literal = string | number | boolean | null;

/** A dotted path ("a.b") or a list of names (["a", "b"]); an exact top-level name wins over its dots. */
export type ColumnPath = string | readonly string[];

export type ComparisonOperator = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/**
 * A condition on rows, as a tree of plain arrays: `["and", ["ge", "date", "2001-01-03"], ["in", "origin", ["LAX"]]]`.
 *
 * Three-valued: a comparison with null is unknown, and a row passes only when the whole is true. NaN is above all other
 * floats and equal to itself; -0 equals 0.
 */
export type Predicate =
  | readonly [ComparisonOperator, ColumnPath, Literal]
  | readonly ["in", ColumnPath, readonly Literal[]]
  | readonly ["isNull", ColumnPath]
  | readonly ["not", Predicate]
  | readonly ["and", ...Predicate[]]
  | readonly ["or", ...Predicate[]];

import { OptionsError } from "../errors.ts";
import type { DataType, Schema } from "../schema.ts";
import { compareKeys } from "./compare-keys.ts";
import { bindLiteral, type BoundLiteral, type Key } from "./literals.ts";
import { pathText, resolveColumn } from "./resolve.ts";
import type { ColumnPath, ComparisonOperator, Literal, Predicate } from "./types.ts";

/** A column by its place in the schema that the predicate was bound to. */
export interface BoundColumn {
  readonly path: readonly string[];
  readonly indices: readonly number[];
  readonly type: DataType;
}

/** A predicate whose columns are found and whose literals have the columns' types. */
export type BoundPredicate =
  | {
      readonly kind: "compare";
      readonly operator: ComparisonOperator;
      readonly column: BoundColumn;
      readonly key: Key;
    }
  /** Keys ascend; with `orNull` a row that matches none is unknown. */
  | { readonly kind: "in"; readonly column: BoundColumn; readonly keys: readonly Key[]; readonly orNull: boolean }
  /** The same for all rows that are not null; undefined is unknown. */
  | { readonly kind: "constant"; readonly column: BoundColumn; readonly value: boolean | undefined }
  | { readonly kind: "isNull"; readonly column: BoundColumn }
  | { readonly kind: "not"; readonly part: BoundPredicate }
  | { readonly kind: "and" | "or"; readonly parts: readonly BoundPredicate[] };

const operators: ReadonlySet<unknown> = new Set(["eq", "ne", "lt", "le", "gt", "ge"]);
const MAX_DEPTH = 500;

/**
 * Finds the columns and gives every literal its column's type.
 *
 * @throws OptionsError for an unknown or ambiguous column, a literal that is not of the column's type, a comparison of
 *   lists, structs, maps, unions or intervals, or a tree of another shape.
 */
export function bindPredicate(predicate: Predicate, schema: Schema): BoundPredicate {
  return bind(predicate, schema, 0);
}

function bind(predicate: Predicate, schema: Schema, depth: number): BoundPredicate {
  if (depth > MAX_DEPTH) throw new OptionsError(`a condition nests deeper than ${MAX_DEPTH}`);
  if (!Array.isArray(predicate)) return malformed(predicate);
  const [operator] = predicate as Predicate;
  switch (operator) {
    case "and":
    case "or": {
      const parts = predicate.slice(1) as readonly Predicate[];
      return { kind: operator, parts: parts.map((part) => bind(part, schema, depth + 1)) };
    }
    case "not":
      if (predicate.length !== 2) return malformed(predicate);
      return { kind: "not", part: bind(predicate[1] as Predicate, schema, depth + 1) };
    case "isNull":
      if (predicate.length !== 2) return malformed(predicate);
      return { kind: "isNull", column: bindColumn(predicate[1] as ColumnPath, schema, predicate) };
    case "in":
      return bindIn(predicate as Extract<Predicate, readonly ["in", ...unknown[]]>, schema);
    default:
      if (!operators.has(operator) || predicate.length !== 3) return malformed(predicate);
      return bindComparison(predicate as readonly [ComparisonOperator, ColumnPath, Literal], schema);
  }
}

function malformed(predicate: unknown): never {
  throw new OptionsError(`not a condition: ${(JSON.stringify(predicate) ?? String(predicate)).slice(0, 200)}`, {
    remedy: 'Write ["eq", column, value], with ne, lt, le, gt, ge, in, isNull, not, and, or.',
  });
}

function bindColumn(path: ColumnPath, schema: Schema, predicate: unknown): BoundColumn {
  const isPath =
    typeof path === "string" || (Array.isArray(path) && path.length > 0 && path.every((n) => typeof n === "string"));
  if (!isPath) return malformed(predicate);
  const { path: names, indices, field } = resolveColumn(path, schema);
  return { path: names, indices, type: field.type };
}

function checkLiteral(literal: unknown, predicate: unknown): asserts literal is Literal {
  if (literal !== null && !["string", "number", "boolean"].includes(typeof literal)) malformed(predicate);
}

function bindComparison(predicate: readonly [ComparisonOperator, ColumnPath, Literal], schema: Schema): BoundPredicate {
  const [operator, path, literal] = predicate;
  checkLiteral(literal, predicate);
  const column = bindColumn(path, schema, predicate);
  if (literal === null || column.type.kind === "null") return { kind: "constant", column, value: undefined };
  return compareWith(operator, column, bindLiteral(literal, column.type, pathText(path)));
}

/** A comparison with a value that the column cannot hold becomes one with a value that it can, or a constant. */
function compareWith(operator: ComparisonOperator, column: BoundColumn, literal: BoundLiteral): BoundPredicate {
  const less = operator === "lt" || operator === "le";
  switch (literal.kind) {
    case "value":
      return { kind: "compare", operator, column, key: literal.key };
    case "between":
      if (operator === "eq" || operator === "ne") return { kind: "constant", column, value: operator === "ne" };
      return { kind: "compare", operator: less ? "le" : "gt", column, key: literal.below };
    case "belowAll":
      return { kind: "constant", column, value: operator === "ne" || operator === "gt" || operator === "ge" };
    case "aboveAll":
      return { kind: "constant", column, value: operator === "ne" || less };
  }
}

function bindIn(predicate: readonly ["in", ColumnPath, readonly Literal[]], schema: Schema): BoundPredicate {
  const [, path, literals] = predicate;
  if (predicate.length !== 3 || !Array.isArray(literals) || literals.length === 0) return malformed(predicate);
  const column = bindColumn(path, schema, predicate);
  const keys: Key[] = [];
  for (const literal of literals as readonly Literal[]) {
    checkLiteral(literal, predicate);
    if (literal === null || column.type.kind === "null") continue;
    const bound = bindLiteral(literal, column.type, pathText(path));
    if (bound.kind === "value") keys.push(bound.key);
  }
  const orNull = literals.includes(null);
  if (column.type.kind === "null") return { kind: "constant", column, value: undefined };
  if (keys.length === 0) return { kind: "constant", column, value: orNull ? undefined : false };
  return { kind: "in", column, keys: keys.sort(compareKeys), orNull };
}

/** Paths of every column that the predicate looks at, each once, exactly as they are written. */
export function predicateColumns(predicate: Predicate): ColumnPath[] {
  const found = new Map<string, ColumnPath>();
  const visit = (part: Predicate): void => {
    switch (part[0]) {
      case "and":
      case "or":
        for (const child of part.slice(1) as Predicate[]) visit(child);
        return;
      case "not":
        visit(part[1]);
        return;
      default:
        found.set(JSON.stringify(part[1]), part[1]);
    }
  };
  visit(predicate);
  return [...found.values()];
}

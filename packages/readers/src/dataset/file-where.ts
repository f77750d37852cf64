import {
  bindPredicate,
  type ColumnPath,
  type DataType,
  evaluate,
  type Field,
  isIngestError,
  type Predicate,
  resolveColumn,
  type Schema,
} from "@ingest-ts/core";
import { partitionColumn, type PartitionValue } from "./partitions.ts";

/** What is left of a condition for one file. Rows that it does not pass cannot pass the whole condition. */
export interface FileWhere {
  /** "none": no row of the file can pass. */
  readonly rows: "some" | "none";
  /** In the file's own columns; undefined passes all. */
  readonly where: Predicate | undefined;
  /** Whether `where` passes just the rows that the whole condition does. */
  readonly exact: boolean;
}

type Leaf = Exclude<Predicate, readonly ["not" | "and" | "or", ...unknown[]]>;

/** What is known of a leaf: true or not for every row, what the file's reader can tell, or nothing. */
type Known = boolean | Predicate | "unknown";

interface Folded {
  readonly known: boolean | Predicate;
  readonly exact: boolean;
}

/** Folds a condition whose leaves are known to different degrees; `not` moves to the leaves, where it is exact. */
function fold(predicate: Predicate, negated: boolean, leaf: (leaf: Leaf, negated: boolean) => Known): Folded {
  // What is no condition is told of when it is bound to the schema.
  if (!Array.isArray(predicate)) return { known: true, exact: false };
  switch ((predicate as Predicate)[0]) {
    case "not":
      return fold(predicate[1] as Predicate, !negated, leaf);
    case "and":
    case "or": {
      const parts = (predicate.slice(1) as Predicate[]).map((part) => fold(part, negated, leaf));
      return join((predicate[0] === "and") !== negated ? "and" : "or", parts);
    }
    default: {
      const known = leaf(predicate as unknown as Leaf, negated);
      return known === "unknown" ? { known: true, exact: false } : { known, exact: true };
    }
  }
}

function join(operator: "and" | "or", parts: readonly Folded[]): Folded {
  const decisive = operator === "or";
  const deciding = parts.find(({ known, exact }) => known === decisive && exact);
  if (deciding !== undefined) return deciding;
  if (parts.some(({ known }) => known === decisive)) return { known: decisive, exact: false };
  const rest = parts.filter(({ known }) => typeof known !== "boolean").map(({ known }) => known as Predicate);
  const exact = parts.every((part) => part.exact);
  if (rest.length === 0) return { known: !decisive, exact };
  return { known: rest.length === 1 ? (rest[0] as Predicate) : [operator, ...rest], exact };
}

/** Whether a leaf is true of a file's partition values; a comparison with null is not, negated or not. */
function leafOnPartition(leaf: Leaf, negated: boolean, field: Field, value: PartitionValue): boolean {
  const schema: Schema = { fields: [field], metadata: {} };
  const named = [leaf[0], [field.name], ...leaf.slice(2)] as unknown as Predicate;
  const bound = bindPredicate(negated ? ["not", named] : named, schema);
  return evaluate(bound, { rows: 1, columns: [partitionColumn(field, value, 1)] })[0] === 1;
}

function partitionAt(path: ColumnPath, partitions: readonly Field[]): number {
  const name = Array.isArray(path) && path.length === 1 ? (path as readonly string[])[0] : path;
  return partitions.findIndex((field) => field.name === name);
}

/**
 * Whether a file's partition values alone rule out that any of its rows passes.
 *
 * @throws OptionsError for a literal that is not of a partition column's type
 */
export function partitionsPass(where: Predicate, fields: readonly Field[], values: readonly PartitionValue[]): boolean {
  const { known } = fold(where, false, (leaf, negated) => {
    const at = partitionAt(leaf[1], fields);
    if (at < 0) return "unknown";
    return leafOnPartition(leaf, negated, fields[at] as Field, values[at] as PartitionValue);
  });
  return known !== false;
}

/**
 * A condition on the data set's columns in terms of one file's. `where` must be bound to `schema` without error before.
 *
 * @param schema of the data set @param own of the file
 */
export function whereOfFile(
  where: Predicate,
  schema: Schema,
  own: Schema,
  fields: readonly Field[],
  values: readonly PartitionValue[],
): FileWhere {
  const { known, exact } = fold(where, false, (leaf, negated) => {
    const { path, field } = resolveColumn(leaf[1], schema);
    const at = partitionAt(path, fields);
    if (at >= 0) return leafOnPartition(leaf, negated, fields[at] as Field, values[at] as PartitionValue);
    const type = typeAt(path, own);
    // All its values are null: "is null" is true, anything else unknown, so that neither it nor its negation passes.
    if (type === undefined || type.kind === "null") return leaf[0] === "isNull" && !negated;
    // A literal is rounded to the column's precision: other rows would pass.
    if (type.kind === "float" && field.type.kind === "float" && type.bits !== field.type.bits) return "unknown";
    if (type.kind === "timestamp" && field.type.kind === "timestamp" && type.unit !== field.type.unit) return "unknown";
    const named = [leaf[0], path, ...leaf.slice(2)] as unknown as Predicate;
    return negated ? ["not", named] : named;
  });
  if (known === false) return { rows: "none", where: undefined, exact: true };
  return { rows: "some", where: known === true ? undefined : known, exact };
}

function typeAt(path: readonly string[], schema: Schema): DataType | undefined {
  try {
    return resolveColumn(path, schema).field.type;
  } catch (error) {
    if (isIngestError(error, "INGEST_OPTIONS")) return undefined;
    throw error;
  }
}

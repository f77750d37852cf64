import { bindPredicate, type BoundPredicate, type Predicate } from "@ingest-ts/core";
import { fieldOf, type Node } from "./nodes.ts";

/** How a filtered row group is decoded: first what `where` looks at, then the rest of the rows that pass. */
export interface LateColumns {
  /** Bound to the tested columns, in their order. */
  readonly bound: BoundPredicate;
  /** Positions among the selected columns. */
  readonly tested: readonly number[];
  readonly others: readonly number[];
}

/** Undefined when nothing is gained: `where` looks at all of the selected columns. */
export function lateColumns(where: Predicate, nodes: readonly Node[]): LateColumns | undefined {
  const used = new Set<number>();
  collect(bindPredicate(where, { fields: nodes.map(fieldOf), metadata: {} }), used);
  const positions = nodes.map((_, i) => i);
  const tested = positions.filter((i) => used.has(i));
  const others = positions.filter((i) => !used.has(i));
  if (tested.length === 0 || others.length === 0) return undefined;
  const fields = tested.map((i) => fieldOf(nodes[i] as Node));
  return { bound: bindPredicate(where, { fields, metadata: {} }), tested, others };
}

function collect(bound: BoundPredicate, into: Set<number>): void {
  switch (bound.kind) {
    case "and":
    case "or":
      for (const part of bound.parts) collect(part, into);
      return;
    case "not":
      collect(bound.part, into);
      return;
    default:
      into.add(bound.column.indices[0] as number);
  }
}

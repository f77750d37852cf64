import type { AvroType } from "./spec.ts";
import type { Node } from "./tree.ts";

/**
 * What to do with the bytes of one value, in the writer's order, to get what the reader wants. `node` is where values go:
 * a column or a part of one.
 */
export type ReadPlan =
  /** A value that is not wanted. */
  | { readonly op: "skip"; readonly type: AvroType }
  /** A value of one type, or of one that is promoted to the node's. */
  | { readonly op: "value"; readonly node: Node; readonly from: AvroType["kind"] }
  /** `indices`: the reader's symbol for each of the writer's, −1 where it has none. */
  | { readonly op: "enum"; readonly node: Node; readonly indices: readonly number[] }
  | { readonly op: "null"; readonly node: Node }
  /** All fields of the writer's record in its order, then the defaults of those it has not. */
  | { readonly op: "record"; readonly node: Node; readonly steps: readonly ReadPlan[] }
  | { readonly op: "list"; readonly node: Node; readonly itemBytes: number; readonly item: ReadPlan }
  | { readonly op: "map"; readonly node: Node; readonly value: ReadPlan }
  /** The writer's union: what each of its branches means. */
  | { readonly op: "union"; readonly branches: readonly ReadPlan[] }
  /** A value of branch `index` of the reader's union. */
  | { readonly op: "branch"; readonly node: Node; readonly index: number; readonly plan: ReadPlan }
  | { readonly op: "default"; readonly bytes: Uint8Array; readonly plan: ReadPlan }
  /** A branch that the reader's schema has no place for: values of it are errors. */
  | { readonly op: "unresolved"; readonly message: string; readonly path: string };

/** How the datums of one schema become the selected columns. */
export interface DatumPlan {
  readonly nodes: readonly Node[];
  readonly plan: ReadPlan;
  /** The same datum, passed. */
  readonly skip: ReadPlan;
  /** The fewest bytes of a datum. */
  readonly leastBytes: number;
  /** Bytes that defaults add to each datum. */
  readonly defaultBytes: number;
}

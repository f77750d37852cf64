import { CPP_WRITER, type Footer, type StripeFooter, streamKinds } from "./spec.ts";
import type { Node } from "./tree.ts";

/**
 * Columns whose row index is not believed. The Apache C++ library encodes values below null structs when they are not
 * marked as null themselves, as in most of what pyarrow hands to it. All readers then take the first values of the stripe
 * for those that are not below a null, and its row index, which counts what was written, leads to others.
 */
export function misplacedColumns(
  { writer }: Footer,
  { streams }: StripeFooter,
  nodes: readonly Node[],
): ReadonlySet<number> {
  const found = new Set<number>();
  if (writer !== CPP_WRITER) return found;
  const withNulls = new Set(streams.filter(({ kind }) => kind === streamKinds.present).map(({ column }) => column));
  const walk = (node: Node, isBelow: boolean): void => {
    if (isBelow) found.add(node.id);
    for (const child of node.children) walk(child, isBelow || (node.orc.kind === "struct" && withNulls.has(node.id)));
  };
  for (const node of nodes) walk(node, false);
  return found;
}

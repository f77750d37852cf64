import { bindPredicate, type BoundColumn, type ColumnRange, mayPass, type Predicate } from "@ingest-ts/core";
import type { ParquetMetadata } from "./metadata.ts";
import { fieldOf, type LeafNode, type Node } from "./nodes.ts";
import type { ColumnChunk, RowGroup, SchemaElement } from "./spec.ts";
import { chunkRange } from "./statistics.ts";

/**
 * Whether a row group may hold rows that pass `where`, by the statistics of its column chunks.
 *
 * @param nodes the selected columns, among them those of `where`
 * @throws OptionsError when `where` does not fit them
 */
export function groupFilter(
  where: Predicate,
  nodes: readonly Node[],
  metadata: ParquetMetadata,
): (group: RowGroup) => boolean {
  const bound = bindPredicate(where, { fields: nodes.map(fieldOf), metadata: {} });
  const elements = metadata.elements.filter((element) => element.numChildren === undefined);
  return (group) => {
    const rangeOf = (column: BoundColumn): ColumnRange | undefined => {
      const node = leafAt(nodes, column);
      if (node === undefined) return undefined;
      const { ordinal } = node.leaf;
      const chunk = group.columns[ordinal] as ColumnChunk;
      const typeOrdered = metadata.typeOrdered[ordinal] === true;
      return chunkRange(chunk.statistics, node, elements[ordinal] as SchemaElement, typeOrdered);
    };
    return group.numRows === 0 || mayPass(bound, group.numRows, rangeOf);
  };
}

/** The leaf that a bound column is; undefined for lists and structs, and what lies in lists. */
export function leafAt(nodes: readonly Node[], { indices }: BoundColumn): LeafNode | undefined {
  let node = nodes[indices[0] as number];
  for (const index of indices.slice(1)) node = node?.shape === "struct" ? node.children[index] : undefined;
  return node?.shape === "leaf" && node.leaf.maxRepetition === 0 ? node : undefined;
}

import {
  bindPredicate,
  type BoundColumn,
  type ColumnRange,
  mayPass,
  type Predicate,
  type Schema,
} from "@ingest-ts/core";
import type { OrcMetadata } from "./metadata.ts";
import { readStatistics, readStripeStatistics, statisticsRange, type StatisticsTrust } from "./statistics.ts";
import type { Node } from "./tree.ts";

/** The first version whose statistics of text and decimals are right: HIVE-8732. */
const TEXT_STATISTICS_VERSION = 1;

/**
 * Whether a stripe may hold rows that pass `where`, by the statistics of the file's tail.
 *
 * @param nodes the selected columns, among them those of `where`
 * @param schema theirs
 * @throws OptionsError when `where` does not fit them
 */
export function stripeFilter(
  where: Predicate,
  nodes: readonly Node[],
  schema: Schema,
  metadata: OrcMetadata,
): (ordinal: number) => boolean {
  const bound = bindPredicate(where, schema);
  const { stripes, types } = metadata.footer;
  const stored = readStripeStatistics(metadata.stripeStatistics);
  // Statistics of another number of stripes or columns belong to something else.
  if (stored.length !== stripes.length) return () => true;
  const trust = trustOf(metadata);
  return (ordinal) => {
    const columns = stored[ordinal] as Uint8Array[];
    const rows = stripes[ordinal]?.rows ?? 0;
    if (columns.length !== types.length || rows === 0) return true;
    const rangeOf = (column: BoundColumn): ColumnRange | undefined => {
      const node = leafAt(nodes, column);
      if (node === undefined) return undefined;
      const statistics = readStatistics(columns[node.id] as Uint8Array);
      return statisticsRange(statistics, rows, node.orc, column.type, column.indices.length > 1, trust);
    };
    return mayPass(bound, rows, rangeOf);
  };
}

/** How far the statistics of a file can be believed. */
export function trustOf({ postscript, footer }: OrcMetadata): StatisticsTrust {
  return {
    text: postscript.writerVersion >= TEXT_STATISTICS_VERSION,
    proleptic: footer.calendar === "proleptic",
  };
}

/** The node that a bound column is; undefined for what has no values of its own. */
export function leafAt(nodes: readonly Node[], { indices }: BoundColumn): Node | undefined {
  let node = nodes[indices[0] as number];
  for (const index of indices.slice(1)) node = node?.orc.kind === "struct" ? node.children[index] : undefined;
  return node === undefined || node.children.length > 0 ? undefined : node;
}

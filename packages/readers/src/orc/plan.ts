import type { ByteSpan, Fragment, Select } from "@ingest-ts/core";
import type { OrcMetadata } from "./metadata.ts";
import { stripeFilter } from "./prune.ts";
import { selectedNodes, toSchema } from "./schema.ts";
import type { StripeInformation } from "./spec.ts";
import type { Node } from "./tree.ts";

/** A stripe to be read. Plain data. */
export interface StripePlan {
  readonly stripe: StripeInformation;
}

/** One fragment per stripe that may have rows for `select.where`. `sizeBytes` is that of all columns: which streams there are, the stripe's footer tells. */
export function plan(metadata: OrcMetadata, select: Select): Fragment<StripePlan>[] {
  const nodes = selectedNodes(metadata, select);
  const planned = metadata.footer.stripes.map((stripe, ordinal) => ({
    url: metadata.url,
    ordinal,
    rows: stripe.rows,
    sizeBytes: stripe.dataBytes + stripe.footerBytes,
    plan: { stripe },
  }));
  if (select.where === undefined) return planned;
  const mayHold = stripeFilter(select.where, nodes, toSchema(metadata, select), metadata);
  return planned.filter(({ ordinal }) => mayHold(ordinal));
}

/** Where the footer of a stripe lies. */
export function stripeFooterSpan(stripe: StripeInformation): ByteSpan {
  const start = stripe.offset + stripe.indexBytes + stripe.dataBytes;
  return { start, end: start + stripe.footerBytes };
}

/** The type indices of the nodes and of all below them. */
export function columnIds(nodes: readonly Node[]): Set<number> {
  return new Set(flattened(nodes).map(({ id }) => id));
}

/** The nodes and all below them. */
export function flattened(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => [node, ...flattened(node.children)]);
}

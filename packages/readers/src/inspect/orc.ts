import type { ByteSource } from "@ingest-ts/core";
import { readChunks } from "../orc/chunks.ts";
import { readStripeFooter } from "../orc/footer.ts";
import type { OrcMetadata } from "../orc/metadata.ts";
import { stripeFooterSpan } from "../orc/plan.ts";
import { trustOf } from "../orc/prune.ts";
import { selectedNodes, toSchema } from "../orc/schema.ts";
import type { StreamInformation, StripeFooter, StripeInformation } from "../orc/spec.ts";
import { readStatistics, readStripeStatistics, statisticsRange } from "../orc/statistics.ts";
import { arrowType, type Node } from "../orc/tree.ts";
import type { InspectedColumn, InspectedFragment, InspectFormat, InspectOptions } from "./inspection.ts";

/** ORC specification, "Footer": known values of `writer`. */
const writers = ["Java", "C++", "Presto", "Go", "Trino", "CUDF", "Rust"];

/** Specification, "Stripe Footer": Stream.Kind. */
const streamNames = [
  "present",
  "data",
  "length",
  "dictionary data",
  "dictionary count",
  "secondary",
  "row index",
  "bloom filter",
  "bloom filter (UTF-8)",
  "encrypted index",
  "encrypted data",
];

/** Stripes, columns and, when asked for, streams. */
export const inspectOrc: InspectFormat<OrcMetadata> = async (source, metadata, options) => {
  const { footer, postscript } = metadata;
  // What cannot be read at all is refused here, as everywhere.
  toSchema(metadata, options.select);
  const statistics = readStripeStatistics(metadata.stripeStatistics);
  const fragments: InspectedFragment[] = [];
  for (const [ordinal, stripe] of footer.stripes.entries()) {
    const stored = statistics.length === footer.stripes.length ? (statistics[ordinal] ?? []) : [];
    fragments.push(await inspectStripe(source, metadata, options, { stripe, ordinal, statistics: stored }));
  }
  const writer = writers[footer.writer] ?? `writer ${footer.writer}`;
  return {
    url: metadata.url,
    format: "orc",
    sizeBytes: metadata.sizeBytes,
    rows: footer.stripes.reduce((sum, { rows }) => sum + rows, 0),
    writer: footer.softwareVersion === "" ? writer : `${writer} ${footer.softwareVersion}`,
    facts: {
      version: postscript.version.join("."),
      "writer version": postscript.writerVersion,
      compression: postscript.compression,
      "compression block": postscript.blockBytes,
      "row index stride": footer.rowIndexStride,
      calendar: footer.calendar,
      stripes: footer.stripes.length,
    },
    metadata: footer.metadata,
    fragments,
  };
};

interface StripeFacts {
  readonly stripe: StripeInformation;
  readonly ordinal: number;
  readonly statistics: readonly Uint8Array[];
}

async function inspectStripe(
  source: ByteSource,
  metadata: OrcMetadata,
  options: InspectOptions,
  { stripe, ordinal, statistics }: StripeFacts,
): Promise<InspectedFragment> {
  const span = stripeFooterSpan(stripe);
  const [packed] = (await source.getRanges([span], { signal: options.signal })) as [Uint8Array];
  const plain = readChunks(packed, metadata.postscript, options.select.limits, span.start);
  const footer = readStripeFooter(plain, stripe.offset, span.start);
  const columns = selectedNodes(metadata, options.select)
    .flatMap((node) => withPath(node, [], false))
    .map((each) => inspectColumn(each, stripe, footer, metadata, statistics, options.pages));
  return { ordinal, rows: stripe.rows, start: stripe.offset, end: span.end, columns };
}

interface PathNode {
  readonly node: Node;
  readonly path: readonly string[];
  readonly isNested: boolean;
}

/** A node and all below it: structs and lists have streams of their own. */
function withPath(node: Node, above: readonly string[], isNested: boolean): PathNode[] {
  const path = [...above, node.name];
  return [{ node, path, isNested }, ...node.children.flatMap((child) => withPath(child, path, true))];
}

function inspectColumn(
  { node, path, isNested }: PathNode,
  stripe: StripeInformation,
  footer: StripeFooter,
  metadata: OrcMetadata,
  stored: readonly Uint8Array[],
  pages: boolean,
): InspectedColumn {
  const own = footer.streams.filter(({ column }) => column === node.id);
  const encoding = footer.encodings[node.id];
  const bytes = stored[node.id];
  const statistics = bytes === undefined ? {} : readStatistics(bytes);
  const type = arrowType(node);
  const range = statisticsRange(statistics, stripe.rows, node.orc, type, isNested, trustOf(metadata));
  const hasKind = (...kinds: number[]): boolean => own.some(({ kind }) => kinds.includes(kind));
  const indexes: string[] = [];
  if (hasKind(6)) indexes.push("row index");
  if (hasKind(7, 8)) indexes.push("bloom filter");
  return {
    path,
    physical: node.orc.kind,
    type,
    codec: metadata.postscript.compression,
    encodings: encoding === undefined ? [] : [encodingText(encoding.kind, encoding.dictionarySize)],
    storedBytes: own.reduce((sum, { start, end }) => sum + end - start, 0),
    plainBytes: undefined,
    values: isNested ? statistics.values : stripe.rows,
    nulls: range.nullCount,
    min: range.min,
    max: range.max,
    indexes,
    pages: pages ? own.map(inspectStream) : undefined,
  };
}

function encodingText(kind: string, dictionarySize: number): string {
  return dictionarySize > 0 ? `${kind}(${dictionarySize})` : kind;
}

function inspectStream({ kind, start, end }: StreamInformation): NonNullable<InspectedColumn["pages"]>[number] {
  return {
    kind: streamNames[kind] ?? `stream ${kind}`,
    offset: start,
    storedBytes: end - start,
    plainBytes: undefined,
    values: undefined,
    encoding: undefined,
    crc: undefined,
  };
}

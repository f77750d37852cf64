import {
  addWhere,
  type Columns,
  type Decoder,
  type DecodeOptions,
  type Field,
  FormatError,
  type Fragment,
  type Need,
  UnsupportedError,
} from "@ingest-ts/core";
import { acquireKernels } from "@ingest-ts/kernels";
import { restoreColumns } from "../restore/index.ts";
import { ArenaScope } from "./arena-scope.ts";
import { readChunks } from "./chunks.ts";
import { everySlot } from "./columns/presence.ts";
import type { ColumnReader } from "./columns/reader.ts";
import { readStripeFooter } from "./footer.ts";
import type { OrcMetadata } from "./metadata.ts";
import { columnIds, type StripePlan, streamGroups, stripeFooterSpan } from "./plan.ts";
import { selectedNodes, toSchema } from "./schema.ts";
import { streamKinds } from "./spec.ts";
import { columnReader, type StreamBytes, type Stripe } from "./stripe.ts";
import type { Node } from "./tree.ts";

const rowStreams: ReadonlySet<number> = new Set(Object.values(streamKinds));

/** Decodes the rows of one stripe: its footer first, then the streams of the selected columns, then slab after slab. */
export function* decode(fragment: Fragment<StripePlan>, metadata: OrcMetadata, options: DecodeOptions): Decoder {
  const scope = new ArenaScope(acquireKernels());
  try {
    yield* decodeStripe(fragment, metadata, options, scope);
  } catch (error) {
    throw addWhere(error, { url: fragment.url, fragment: fragment.ordinal });
  } finally {
    scope.releaseAll();
  }
}

function* decodeStripe(
  { plan: { stripe } }: Fragment<StripePlan>,
  metadata: OrcMetadata,
  options: DecodeOptions,
  scope: ArenaScope,
): Decoder {
  const { select } = options;
  const nodes = selectedNodes(metadata, select);
  const span = stripeFooterSpan(stripe);
  const [packed] = (yield { need: [span] } satisfies Need) as [Uint8Array];
  const { limits } = select;
  const footer = readStripeFooter(
    readChunks(packed, metadata.postscript, limits, span.start),
    stripe.offset,
    span.start,
  );
  const streams = new Map<string, StreamBytes>();
  let sizeBytes = 0;
  for (const group of streamGroups(footer, columnIds(nodes), rowStreams, limits.bytesInFlight)) {
    const bytes = yield { need: group.map(({ start, end }) => ({ start, end })) } satisfies Need;
    group.forEach(({ column, kind, start }, i) => {
      const content = readChunks(bytes[i] as Uint8Array, metadata.postscript, limits, start);
      sizeBytes += content.length;
      const key = `${column}/${kind}`;
      if (streams.has(key)) throw new FormatError(`column ${column} has two streams of kind ${kind}`);
      streams.set(key, { bytes: content, offset: start });
    });
  }
  const readers = rootReaders(nodes, { metadata, footer, streams, scope, limits });
  if (sizeBytes === 0 && stripe.rows > limits.zeroLengthItems) {
    throw new UnsupportedError(`${stripe.rows} rows without a byte of data are over limits.zeroLengthItems`, {
      remedy: "If the file is to be trusted, raise limits.zeroLengthItems.",
    });
  }
  const { fields } = toSchema(metadata, select);
  const most = slabRows(options, sizeBytes / Math.max(1, stripe.rows));
  yield* slabs(readers, fields, stripe.rows, most, options.rows, scope);
}

function rootReaders(nodes: readonly Node[], stripe: Stripe): ColumnReader[] {
  const root = stripe.metadata.footer.types[0];
  // The root struct is never null: Arrow has no place for a row that is.
  if (root?.kind === "struct" && stripe.streams.has(`0/${streamKinds.present}`)) {
    throw new UnsupportedError("null rows are not supported");
  }
  return nodes.map((node) => columnReader(node, stripe));
}

/** Rows of a slab: encoded bytes are no more than a guess at its size, so it is cut to a quarter. */
function slabRows({ batchRows, batchBytes }: DecodeOptions, rowBytes: number): number {
  return Math.max(1, Math.min(batchRows, Math.floor(batchBytes / Math.max(1, rowBytes * 4))));
}

function* slabs(
  readers: readonly ColumnReader[],
  fields: readonly Field[],
  rows: number,
  most: number,
  wanted: DecodeOptions["rows"],
  owner: ArenaScope,
): Generator<Columns, void> {
  const [from, to] = wanted ?? [0, rows];
  const end = Math.min(to, rows);
  let at = 0;
  while (at < end) {
    // Streams can only be read forward: rows before the first are decoded and dropped.
    const count = Math.min(most, (at < from ? from : end) - at);
    const scope = new ArenaScope(owner.kernels);
    let slab: Columns;
    try {
      slab = { rows: count, columns: readers.map((reader) => reader.read(everySlot(count), scope)) };
    } finally {
      scope.releaseAll();
    }
    at += count;
    if (at > from) yield restoreColumns(slab, fields);
  }
}

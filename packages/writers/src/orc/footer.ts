import type { Schema } from "@ingest-ts/core";
import { calendars, compressionKinds, MAGIC, type StripeInformation, typeKinds } from "@ingest-ts/readers/orc/spec";
import { keyValuesOf } from "../arrow-schema.ts";
import { storeStream } from "./chunks.ts";
import type { ResolvedOptions } from "./options.ts";
import { ProtobufWriter } from "./protobuf.ts";
import type { ColumnStatistics } from "./statistics.ts";
import { mergeAll } from "./stripe.ts";
import { allNodes, type OrcNode } from "./types.ts";

/** In every footer; the version is that of this package. */
const SOFTWARE_VERSION = "ingest version 0.1.0";

/** Not one of the registered writers, whose old faults readers work around. */
const WRITER = 64;
/** The first version of writers that came after Java's: minimum and maximum of timestamps are right. */
const WRITER_VERSION = 6;
/** 0.12: integers in runs of version 2. */
const VERSION = [0, 12] as const;

export interface FileFacts {
  readonly schema: Schema;
  readonly tree: OrcNode;
  readonly rows: number;
  /** Bytes before the tail. */
  readonly contentBytes: number;
  readonly stripes: readonly StripeInformation[];
  /** Per stripe, one for each column. */
  readonly statistics: readonly (readonly ColumnStatistics[])[];
  /** What is said of columns without a row. */
  readonly none: readonly ColumnStatistics[];
}

function typeOf(node: OrcNode): ProtobufWriter {
  const out = new ProtobufWriter().uint(1, typeKinds.indexOf(node.kind));
  if (node.children.length > 0)
    out.uints(
      2,
      node.children.map(({ id }) => id),
    );
  for (const name of node.names) out.string(3, name);
  if (node.kind === "decimal") out.uint(5, node.precision).uint(6, node.scale);
  return out;
}

function stripeOf({ offset, indexBytes, dataBytes, footerBytes, rows }: StripeInformation): ProtobufWriter {
  return new ProtobufWriter().uint(1, offset).uint(2, indexBytes).uint(3, dataBytes).uint(4, footerBytes).uint(5, rows);
}

function footerOf(facts: FileFacts, options: ResolvedOptions): ProtobufWriter {
  const out = new ProtobufWriter().uint(1, MAGIC.length).uint(2, facts.contentBytes);
  for (const stripe of facts.stripes) out.message(3, stripeOf(stripe));
  for (const node of allNodes(facts.tree)) out.message(4, typeOf(node));
  for (const [key, value] of keyValuesOf(facts.schema)) {
    out.message(5, new ProtobufWriter().string(1, key).string(2, value));
  }
  out.uint(6, facts.rows);
  facts.none.forEach((none, column) => {
    const parts = facts.statistics.map((stripe) => stripe[column] as ColumnStatistics);
    out.message(7, (parts.length === 0 ? none : mergeAll(parts)).encode());
  });
  out.uint(8, options.rowIndexStride).uint(9, WRITER);
  return out.uint(11, calendars.indexOf("proleptic")).string(12, SOFTWARE_VERSION);
}

/** "File Tail": stripe statistics, footer, postscript, and the length of the latter. */
export function fileTail(facts: FileFacts, options: ResolvedOptions): Uint8Array {
  const statistics = new ProtobufWriter();
  for (const stripe of facts.statistics) {
    const out = new ProtobufWriter();
    for (const column of stripe) out.message(1, column.encode());
    statistics.message(1, out);
  }
  const metadata = storeStream(statistics.finish(), [], options).bytes;
  const footer = storeStream(footerOf(facts, options).finish(), [], options).bytes;
  const postscript = new ProtobufWriter()
    .uint(1, footer.length)
    .uint(2, compressionKinds.indexOf(options.codec))
    .uint(3, options.blockBytes)
    .uints(4, VERSION)
    .uint(5, metadata.length)
    .uint(6, WRITER_VERSION)
    .string(8000, MAGIC)
    .finish();
  const tail = new Uint8Array(metadata.length + footer.length + postscript.length + 1);
  tail.set(metadata);
  tail.set(footer, metadata.length);
  tail.set(postscript, metadata.length + footer.length);
  tail[tail.length - 1] = postscript.length;
  return tail;
}

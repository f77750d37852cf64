import { encodingKinds, streamKinds } from "@ingest-ts/readers/orc/spec";
import { storeStream } from "./chunks.ts";
import type { StripeColumn } from "./column.ts";
import type { ResolvedOptions } from "./options.ts";
import { ProtobufWriter } from "./protobuf.ts";
import type { ColumnStatistics } from "./statistics.ts";

/** Stream.Kind of a column's row index. */
const ROW_INDEX = 6;

/** The parts of a stripe, one behind the other, and what the footer says of it. */
export interface EncodedStripe {
  readonly parts: readonly Uint8Array[];
  readonly indexBytes: number;
  readonly dataBytes: number;
  readonly footerBytes: number;
  /** Of the whole stripe, one for each column. */
  readonly statistics: readonly ColumnStatistics[];
}

interface StoredColumn {
  readonly index: Uint8Array;
  readonly streams: readonly { readonly kind: number; readonly bytes: Uint8Array }[];
}

/** "Stripes": row indices of all columns, then their streams, then the stripe's footer. */
export function encodeStripe(columns: readonly StripeColumn[], options: ResolvedOptions): EncodedStripe {
  const stored = columns.map((column) => storeColumn(column, options));
  const footer = new ProtobufWriter();
  const putStream = (kind: number, column: number, length: number): void => {
    footer.message(1, new ProtobufWriter().uint(1, kind).uint(2, column).uint(3, length));
  };
  stored.forEach(({ index }, i) => putStream(ROW_INDEX, i, index.length));
  stored.forEach(({ streams }, i) => {
    for (const { kind, bytes } of streams) putStream(kind, i, bytes.length);
  });
  for (const { encoding } of columns) {
    const out = new ProtobufWriter().uint(1, encodingKinds.indexOf(encoding.kind));
    if (encoding.dictionarySize > 0) out.uint(2, encoding.dictionarySize);
    footer.message(2, out);
  }
  footer.string(3, "UTC");
  const footerBytes = storeStream(footer.finish(), [], options).bytes;
  const indices = stored.map(({ index }) => index);
  const data = stored.flatMap(({ streams }) => streams.map(({ bytes }) => bytes));
  return {
    parts: [...indices, ...data, footerBytes],
    indexBytes: totalBytes(indices),
    dataBytes: totalBytes(data),
    footerBytes: footerBytes.length,
    statistics: columns.map(({ groups }) => mergeAll(groups)),
  };
}

function totalBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function storeColumn({ streams, groups }: StripeColumn, options: ResolvedOptions): StoredColumn {
  const stored = streams.map(({ kind, bytes, marks }) => ({
    kind: streamKinds[kind],
    ...storeStream(bytes, marks, options),
  }));
  const index = new ProtobufWriter();
  groups.forEach((statistics, group) => {
    const positions = stored.flatMap((stream) => stream.positions[group] ?? []);
    index.message(1, new ProtobufWriter().uints(1, positions).message(2, statistics.encode()));
  });
  return { index: storeStream(index.finish(), [], options).bytes, streams: stored };
}

/** What is known of all of some parts. */
export function mergeAll(parts: readonly ColumnStatistics[]): ColumnStatistics {
  const [first] = parts as readonly [ColumnStatistics];
  const whole = first.fresh();
  for (const part of parts) whole.merge(part);
  return whole;
}

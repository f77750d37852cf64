import { type ByteSource, type IndexedFragment } from "@ingest-ts/core";
import { arrow, type ArrowMetadata } from "../arrow/index.ts";
import { readBlocks } from "../avro/blocks.ts";
import type { AvroMetadata } from "../avro/metadata.ts";
import type { TFRecordMetadata } from "../tfrecord/metadata.ts";
import { buildIndex } from "../tfrecord/runs.ts";
import type { InspectedFragment, InspectFormat, InspectOptions } from "./inspection.ts";

/** The header; with `pages` every block. */
export const inspectAvro: InspectFormat<AvroMetadata> = async (source, metadata, options) => {
  const { url, sizeBytes, codec, dataStart } = metadata;
  const whole = { ordinal: 0, rows: undefined, start: dataStart, end: sizeBytes, columns: [] };
  const fragments = options.pages ? await blocksOf(source, metadata, options) : [whole];
  return {
    url,
    format: "avro",
    sizeBytes,
    rows: rowsOf(fragments),
    writer: undefined,
    facts: { codec, "header bytes": dataStart },
    metadata: metadata.metadata,
    fragments,
  };
};

function rowsOf(fragments: readonly InspectedFragment[]): number | undefined {
  if (fragments.some(({ rows }) => rows === undefined)) return undefined;
  return fragments.reduce((sum, { rows }) => sum + (rows as number), 0);
}

async function blocksOf(
  source: ByteSource,
  { dataStart, sizeBytes, sync }: AvroMetadata,
  { select, signal }: InspectOptions,
): Promise<InspectedFragment[]> {
  const found: IndexedFragment[] = [];
  const blocks = readBlocks({ start: dataStart, end: sizeBytes }, sync, select.limits);
  for (let step = blocks.next(); step.done !== true; ) {
    if ("need" in step.value) {
      step = blocks.next(await source.getRanges(step.value.need, { signal }));
      continue;
    }
    const { offset, end, rows } = step.value;
    found.push({ start: offset, end, rows });
    step = blocks.next([]);
  }
  return fragmentsOf(found);
}

function fragmentsOf(runs: readonly IndexedFragment[]): InspectedFragment[] {
  return runs.map(({ start, end, rows }, ordinal) => ({ ordinal, rows, start, end, columns: [] }));
}

/** What the first records show; with `pages` runs of records, for which all lengths are read and checked. */
export const inspectTFRecord: InspectFormat<TFRecordMetadata> = async (source, metadata, { pages, select, signal }) => {
  const { url, sizeBytes, compression, recordType, features, lists, inferredFrom } = metadata;
  const runs = pages ? (await buildIndex(source, metadata, select, { signal })).fragments : undefined;
  const whole = { ordinal: 0, rows: undefined, start: 0, end: sizeBytes, columns: [] };
  const fragments = runs === undefined ? [whole] : fragmentsOf(runs);
  return {
    url,
    format: "tfrecord",
    sizeBytes,
    rows: rowsOf(fragments),
    writer: undefined,
    facts: {
      compression,
      records: recordType,
      features: features.length + lists.length,
      schema: inferredFrom === undefined ? "declared" : `inferred from ${inferredFrom} records`,
    },
    metadata: metadata.schemaMetadata,
    fragments,
  };
};

/** Record batches. */
export const inspectArrow: InspectFormat<ArrowMetadata> = async (source, metadata, { select, signal }) => {
  const { sizeBytes } = await source.stat({ signal });
  const fragments = arrow.plan(metadata, select).map(({ ordinal, rows, plan }) => {
    const { start, end } = plan as { readonly start: number; readonly end: number };
    return { ordinal, rows, start, end, columns: [] };
  });
  return {
    url: metadata.url,
    format: "arrow",
    sizeBytes,
    rows: rowsOf(fragments),
    writer: undefined,
    facts: { dictionaries: metadata.dictionaries.length },
    metadata: metadata.schema.metadata,
    fragments,
  };
};

import {
  addWhere,
  checkLimit,
  type Column,
  columnBytes,
  type Columns,
  type DecodeOptions,
  type Decoder,
  type Field,
  type Format,
  FormatError,
  type Fragment,
  projectColumns,
  projection,
  type Schema,
  type Select,
  sliceRows,
} from "@ingest-ts/core";
import { decodedField, decodeDictionaries } from "./dictionaries.ts";
import { loadBatch } from "./load.ts";
import { type ArrowBatch, type ArrowMetadata, readMetadata } from "./metadata.ts";
import type { DictionaryLayout } from "./spec.ts";

export type { ArrowBatch, ArrowMetadata } from "./metadata.ts";

function fullSchema({ schema }: ArrowMetadata, select: Select): Schema {
  return select.dictionary === "preserve" ? schema : { ...schema, fields: schema.fields.map(decodedField) };
}

function toSchema(metadata: ArrowMetadata, select: Select): Schema {
  const schema = fullSchema(metadata, select);
  return select.columns === undefined ? schema : projection(schema, select.columns).schema;
}

function plan(metadata: ArrowMetadata, select: Select): Fragment<ArrowBatch>[] {
  return metadata.batches.map((batch, ordinal) => {
    // Rows that take no bytes cost nothing to claim.
    if (batch.rows > (batch.end - batch.start) * 8) {
      checkLimit(select.limits, "zeroLengthItems", batch.rows, "a number of rows without bytes");
    }
    const sizeBytes = spansOf(batch, metadata).reduce((sum, { start, end }) => sum + end - start, 0);
    return { url: metadata.url, ordinal, rows: batch.rows, sizeBytes, plan: batch };
  });
}

/** The dictionaries of a batch, each once, in the order of the object. */
function dictionariesOf(batch: ArrowBatch, metadata: ArrowMetadata): DictionaryLayout[] {
  const positions = [...new Set(batch.dictionaries)].sort((a, b) => a - b);
  return positions.map((position) => metadata.dictionaries[position] as DictionaryLayout);
}

function spansOf(batch: ArrowBatch, metadata: ArrowMetadata): { start: number; end: number }[] {
  return [batch, ...dictionariesOf(batch, metadata)].map(({ start, end }) => ({ start, end }));
}

/** Types of the dictionary-encoded fields, depth first: the order of their ids. */
function dictionaryFields(fields: readonly Field[]): Field[] {
  return fields.flatMap((field) => {
    const { type } = field;
    if (type.kind === "dictionary")
      return [{ ...field, type: type.value }, ...dictionaryFields([{ ...field, type: type.value }])];
    if (type.kind === "struct" || type.kind === "union") return dictionaryFields(type.children);
    return "child" in type ? dictionaryFields([type.child]) : [];
  });
}

function loadDictionaries(batch: ArrowBatch, metadata: ArrowMetadata, bodies: readonly Uint8Array[]): Column[] {
  const values = dictionaryFields(metadata.schema.fields);
  const layouts = dictionariesOf(batch, metadata);
  return values.map((field, i) => {
    if (dictionaryFields([field]).length > 0) {
      throw new FormatError("a dictionary of dictionaries", { where: { column: field.name } });
    }
    const at = layouts.findIndex((layout) => layout.id === metadata.dictionaryIds[i]);
    const layout = layouts[at] as DictionaryLayout;
    return loadBatch(layout, bodies[at] as Uint8Array, [field], []).columns[0] as Column;
  });
}

function* decode(fragment: Fragment<ArrowBatch>, metadata: ArrowMetadata, options: DecodeOptions): Decoder {
  const { select } = options;
  const [from, to] = options.rows ?? [0, fragment.plan.rows];
  if (from === to) return;
  const [body, ...bodies] = yield { need: spansOf(fragment.plan, metadata) };
  const whole = loadWhole(fragment, metadata, body as Uint8Array, bodies, select);
  // Rows of equal size are assumed: what counts is that a slab stays about as large as it should.
  const bytes = Math.max(1, columnBytes(whole));
  const step = Math.max(1, Math.min(options.batchRows, Math.floor((whole.rows * options.batchBytes) / bytes)));
  for (let at = from; at < to; at += step) yield sliceRows(whole, at, Math.min(to, at + step));
}

function loadWhole(
  { plan: batch }: Fragment<ArrowBatch>,
  metadata: ArrowMetadata,
  body: Uint8Array,
  bodies: readonly Uint8Array[],
  select: Select,
): Columns {
  try {
    const dictionaries = loadDictionaries(batch, metadata, bodies);
    const loaded = loadBatch(batch, body, metadata.schema.fields, dictionaries);
    const schema = fullSchema(metadata, select);
    const kept = select.columns === undefined ? loaded : projectColumns(loaded, projection(schema, select.columns));
    return select.dictionary === "preserve" ? kept : { ...kept, columns: kept.columns.map(decodeDictionaries) };
  } catch (error) {
    throw addWhere(error, { offset: batch.start });
  }
}

/** Apache Arrow IPC files and streams, uncompressed; a fragment is a record batch. */
export const arrow: Format<ArrowMetadata, ArrowBatch> = {
  name: "arrow",
  readMetadata,
  prepare: () => Promise.resolve(),
  toSchema,
  plan,
  decode,
};

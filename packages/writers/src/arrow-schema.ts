import type { Schema } from "@ingest-ts/core";
import { toArrowSchema } from "@ingest-ts/core/arrow";
import { ARROW_SCHEMA_KEY } from "@ingest-ts/readers/parquet/spec";
import { type DataType, Dictionary, type Field, RecordBatchStreamWriter, Table } from "apache-arrow";

/**
 * The key-value metadata of a file: the schema's own, and the Arrow schema as a base64 IPC message, from which readers
 * restore what Parquet's types do not tell.
 */
export function keyValuesOf(schema: Schema): (readonly [key: string, value: string])[] {
  const own = Object.entries(schema.metadata).filter(([key]) => key !== ARROW_SCHEMA_KEY);
  const metadata = Object.fromEntries(own);
  return [...own, [ARROW_SCHEMA_KEY, encodeArrowSchema({ ...schema, metadata })]];
}

function encodeArrowSchema(schema: Schema): string {
  const arrow = toArrowSchema(schema);
  numberDictionaries(arrow.fields, 0);
  const stream = RecordBatchStreamWriter.writeAll(new Table(arrow)).toUint8Array(true);
  // An encapsulated message: 0xffffffff, the size of its metadata, the metadata (Arrow "Encapsulated message format").
  const view = new DataView(stream.buffer, stream.byteOffset);
  return toBase64(stream.subarray(0, 8 + view.getInt32(4, true)));
}

/** arrow-js numbers dictionaries over the life of the process; the same schema must give the same bytes. */
function numberDictionaries(fields: readonly Field[], from: number): number {
  let next = from;
  for (const { type } of fields) {
    if (type instanceof Dictionary) (type as { id: number }).id = next++;
    next = numberDictionaries(((type as DataType).children ?? []) as Field[], next);
  }
  return next;
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

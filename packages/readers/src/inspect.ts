import { addWhere, type ByteSource, type Field, type FormatName, isIngestError, type Schema } from "@ingest-ts/core";
import type { ArrowMetadata } from "./arrow/index.ts";
import type { AvroMetadata } from "./avro/metadata.ts";
import type { InspectFormat, Inspection, InspectOptions, StoredLayout } from "./inspect/inspection.ts";
import { openObject, type OpenOptions } from "./open.ts";
import type { OrcMetadata } from "./orc/metadata.ts";
import type { ParquetMetadata } from "./parquet/metadata.ts";
import type { TFRecordMetadata } from "./tfrecord/metadata.ts";

export type { InspectedColumn, InspectedFragment, InspectedPage, Inspection } from "./inspect/inspection.ts";

/** What of `open`'s options matters here, and how deep to look. */
export interface InspectFileOptions extends Pick<OpenOptions, "format" | "schema" | "limits" | "signal"> {
  /** Down to pages (Parquet), streams (ORC), blocks (Avro), runs of records (TFRecord). Reads more of the file. */
  readonly pages?: boolean | undefined;
}

/**
 * What one file says of itself: its fragments and columns, encodings, codecs, sizes and statistics. No row is decoded.
 *
 * @throws OptionsError, SourceError, FormatError, UnsupportedError as `open`
 */
export async function inspect(input: string | ByteSource, options: InspectFileOptions = {}): Promise<Inspection> {
  const { source, format, metadata, select, close } = await openObject(input, options);
  const { pages = false, signal } = options;
  try {
    const layout = await inspectFormat(format.name, source, metadata, { select, pages, signal });
    const { url, format: name, sizeBytes, rows, writer, facts, metadata: own, fragments } = layout;
    const fields = fieldsOf(() => format.toSchema(metadata, select));
    return { url, format: name, sizeBytes, rows, writer, facts, metadata: own, fields, fragments };
  } catch (error) {
    throw addWhere(error, { url: source.url });
  } finally {
    await close();
  }
}

/** Files with columns that Arrow has no type for are looked at all the same. */
function fieldsOf(schema: () => Schema): readonly Field[] | undefined {
  try {
    return schema().fields;
  } catch (error) {
    if (isIngestError(error, "INGEST_UNSUPPORTED")) return undefined;
    throw error;
  }
}

async function inspectFormat(
  name: FormatName,
  source: ByteSource,
  metadata: unknown,
  options: InspectOptions,
): Promise<StoredLayout> {
  // The metadata are what the format of this name has read.
  const run = <M>(inspectOne: InspectFormat<M>): Promise<StoredLayout> => inspectOne(source, metadata as M, options);
  switch (name) {
    case "parquet":
      return run<ParquetMetadata>((await import("./inspect/parquet.ts")).inspectParquet);
    case "orc":
      return run<OrcMetadata>((await import("./inspect/orc.ts")).inspectOrc);
    case "avro":
      return run<AvroMetadata>((await import("./inspect/rows.ts")).inspectAvro);
    case "tfrecord":
      return run<TFRecordMetadata>((await import("./inspect/rows.ts")).inspectTFRecord);
    case "arrow":
      return run<ArrowMetadata>((await import("./inspect/rows.ts")).inspectArrow);
  }
}

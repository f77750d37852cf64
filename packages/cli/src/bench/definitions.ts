import { type ByteSink, type FormatName, OptionsError, type Schema } from "@ingest-ts/core";
import type { TableWriter } from "@ingest-ts/writers";
import type { AvroWriterCodec } from "@ingest-ts/writers/avro";
import type { ORCCodec } from "@ingest-ts/writers/orc";
import type { ParquetCodec } from "@ingest-ts/writers/parquet";
import type { TFRecordCodec } from "@ingest-ts/writers/tfrecord";

/** One format in the benchmark. A format joins by an entry in `benchFormats`. */
export interface BenchFormat {
  readonly name: FormatName;
  /** Of the encoded file, with its dot. */
  readonly extension: string;
  /** What is measured when nobody names codecs. `none`, `snappy` and `zstd` are called so in every format. */
  readonly codecs: readonly string[];
  /** What is measured as well when it is named: all of them at once would take minutes. */
  readonly otherCodecs: readonly string[];
  /** How long a codec takes, against Parquet without one: the time of a run is shared so. */
  weight(codec: string): number;
  /**
   * Rows that are enough to measure a shuffle, where all of them would take longer than they are worth: a file of the
   * first so many is measured instead, which the report says.
   */
  shuffleRows?(codec: string): number | undefined;
  /** An upper estimate of the encoded size, for the check of temporary space. */
  estimateBytes(schema: Schema, rows: number, arrowBytes: number): number;
  /** @throws UnsupportedError naming the column that the format cannot hold. */
  createWriter(sink: ByteSink, schema: Schema, codec: string): Promise<TableWriter>;
  /** What lies beside the file, at its path plus `suffix`: the types of the columns, for a format that holds none. */
  beside?(schema: Schema): Promise<{ readonly suffix: string; readonly text: string }>;
}

/** Bytes of framing and of Example's tags and lengths around one value, at most. */
const EXAMPLE_VALUE_BYTES = 24;
/** Two lengths and checksums of a record, and the tags of its Example. */
const RECORD_BYTES = 32;

/** Row groups small enough for several lanes of a shuffle to read the file without reading much of it twice. */
const ROW_GROUP_ROWS = 131_072;

const parquet: BenchFormat = {
  name: "parquet",
  extension: ".parquet",
  codecs: ["none", "snappy", "zstd"],
  otherCodecs: [],
  weight: () => 1,
  // Plain pages are the Arrow bytes plus lengths, levels, statistics and the footer.
  estimateBytes: (_schema, _rows, arrowBytes) => arrowBytes * 1.2 + 1e6,
  createWriter: async (sink, schema, codec) => {
    const { createParquetWriter } = await import("@ingest-ts/writers/parquet");
    return createParquetWriter(sink, schema, { codec: codec as ParquetCodec, rowGroupRows: ROW_GROUP_ROWS });
  },
};

const orc: BenchFormat = {
  name: "orc",
  extension: ".orc",
  codecs: ["snappy", "zstd"],
  otherCodecs: ["none", "zlib"],
  weight: () => 1,
  // Run lengths seldom grow what they hold, and never by more than their headers; beside them, presence and indexes.
  estimateBytes: (_schema, _rows, arrowBytes) => arrowBytes * 1.2 + 1e6,
  createWriter: async (sink, schema, codec) => {
    const { createORCWriter } = await import("@ingest-ts/writers/orc");
    return createORCWriter(sink, schema, { codec: codec as ORCCodec, stripeRows: ROW_GROUP_ROWS });
  },
};

/** The specification's names of codecs that the report calls as other formats do. */
const avroNames: Readonly<Record<string, AvroWriterCodec>> = {
  none: "null",
  snappy: "snappy",
  deflate: "deflate",
  zstd: "zstandard",
};

const avro: BenchFormat = {
  name: "avro",
  extension: ".avro",
  codecs: ["none", "snappy"],
  otherCodecs: ["deflate", "zstd"],
  weight: () => 1.5,
  // A varint has at most a quarter more bytes than its integer; each value may have a union branch before it.
  estimateBytes: (schema, rows, arrowBytes) => arrowBytes * 1.25 + rows * schema.fields.length * 2 + 1e6,
  createWriter: async (sink, schema, codec) => {
    const { createAvroWriter } = await import("@ingest-ts/writers/avro");
    return createAvroWriter(sink, schema, { codec: avroNames[codec] });
  },
};

const tfrecord: BenchFormat = {
  name: "tfrecord",
  extension: ".tfrecord",
  codecs: ["none", "gzip"],
  otherCodecs: [],
  weight: (codec) => (codec === "none" ? 2 : 3),
  // A compressed file is one fragment: every lane of a shuffle inflates it up to its rows, whatever the file's size.
  shuffleRows: (codec) => (codec === "none" ? undefined : 400_000),
  // Every record repeats the names of its features.
  estimateBytes: (schema, rows, arrowBytes) => {
    const names = schema.fields.reduce((sum, { name }) => sum + Buffer.byteLength(name) + EXAMPLE_VALUE_BYTES, 0);
    return arrowBytes * 1.25 + rows * (RECORD_BYTES + names);
  },
  createWriter: async (sink, schema, codec) => {
    const { createTFRecordWriter } = await import("@ingest-ts/writers/tfrecord");
    return createTFRecordWriter(sink, schema, { codec: codec as TFRecordCodec });
  },
  beside: async (schema) => {
    const { tfrecordSchemaJson } = await import("@ingest-ts/writers/tfrecord");
    return { suffix: ".schema.json", text: JSON.stringify(tfrecordSchemaJson(schema)) };
  },
};

/** Every format that can be written and read, in the order of the table: the slowest last, so that it gets what time is left. */
export const benchFormats: readonly BenchFormat[] = [parquet, orc, avro, tfrecord];

/** The entry of that name. @throws OptionsError when there is none. */
export function findFormat(name: string): BenchFormat {
  const format = benchFormats.find((candidate) => candidate.name === name);
  if (format === undefined) throw new OptionsError(`there is no format "${name}" to bench`);
  return format;
}

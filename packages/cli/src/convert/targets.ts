import { type ByteSink, OptionsError, type Schema } from "@ingest-ts/core";
import type { TableWriter } from "@ingest-ts/writers";
import type { AvroWriterCodec } from "@ingest-ts/writers/avro";
import type { ORCCodec } from "@ingest-ts/writers/orc";
import type { ParquetCodec } from "@ingest-ts/writers/parquet";
import type { TFRecordCodec } from "@ingest-ts/writers/tfrecord";

export type TargetFormat = "parquet" | "orc" | "avro" | "tfrecord";

/** How a file is to be written; what is undefined is the writer's default. */
export interface TargetOptions {
  readonly codec: string | undefined;
  readonly level: number | undefined;
  /** Of a row group or stripe. */
  readonly groupRows: number | undefined;
  /** Of a row group, stripe or block, before encoding and compression. */
  readonly groupBytes: number | undefined;
  /** What TFRecord does with float64. */
  readonly float64: "refuse" | "bits";
}

/** A format that is written. */
export interface Target {
  readonly format: TargetFormat;
  readonly extensions: readonly string[];
  /** The writer's name of every codec, by the names that the command line knows. */
  readonly codecs: Readonly<Record<string, string>>;
  /** What `--group-rows` and `--group-bytes` are of; null where the format has no such thing. */
  readonly group: { readonly rows: string | null; readonly bytes: string | null };
  /** @throws UnsupportedError naming the column that the format cannot hold, OptionsError for a bad option */
  create(sink: ByteSink, schema: Schema, options: TargetOptions): Promise<TableWriter>;
  /** What lies beside the file, at its path plus `suffix`, for a format that holds no types. */
  readonly beside?: { readonly suffix: string; text(schema: Schema): Promise<string> };
}

const parquet: Target = {
  format: "parquet",
  extensions: [".parquet", ".pq"],
  codecs: { none: "none", snappy: "snappy", gzip: "gzip", zstd: "zstd" },
  group: { rows: "row group", bytes: "row group" },
  create: async (sink, schema, { codec, level, groupRows, groupBytes }) => {
    const { createParquetWriter } = await import("@ingest-ts/writers/parquet");
    const options = { level, rowGroupRows: groupRows, rowGroupBytes: groupBytes };
    return createParquetWriter(sink, schema, { codec: codec as ParquetCodec | undefined, ...options });
  },
};

const orc: Target = {
  format: "orc",
  extensions: [".orc"],
  codecs: { none: "none", zlib: "zlib", snappy: "snappy", zstd: "zstd" },
  group: { rows: "stripe", bytes: "stripe" },
  create: async (sink, schema, { codec, level, groupRows, groupBytes }) => {
    const { createORCWriter } = await import("@ingest-ts/writers/orc");
    const options = { level, stripeRows: groupRows, stripeBytes: groupBytes };
    return createORCWriter(sink, schema, { codec: codec as ORCCodec | undefined, ...options });
  },
};

const avro: Target = {
  format: "avro",
  extensions: [".avro"],
  codecs: {
    none: "null",
    null: "null",
    deflate: "deflate",
    snappy: "snappy",
    zstd: "zstandard",
    zstandard: "zstandard",
  },
  group: { rows: null, bytes: "block" },
  create: async (sink, schema, { codec, level, groupBytes }) => {
    const { createAvroWriter } = await import("@ingest-ts/writers/avro");
    return createAvroWriter(sink, schema, {
      codec: codec as AvroWriterCodec | undefined,
      level,
      blockBytes: groupBytes,
    });
  },
};

const tfrecord: Target = {
  format: "tfrecord",
  extensions: [".tfrecord", ".tfrecords", ".tfrecord.gz", ".tfrecords.gz"],
  codecs: { none: "none", gzip: "gzip" },
  group: { rows: null, bytes: null },
  create: async (sink, schema, { codec, level, float64 }) => {
    const { createTFRecordWriter } = await import("@ingest-ts/writers/tfrecord");
    return createTFRecordWriter(sink, schema, { codec: codec as TFRecordCodec | undefined, level, float64 });
  },
  beside: {
    suffix: ".schema.json",
    text: async (schema) => {
      const { tfrecordSchemaJson } = await import("@ingest-ts/writers/tfrecord");
      return `${JSON.stringify(tfrecordSchemaJson(schema), null, 2)}\n`;
    },
  },
};

/** Every format that `convert` writes. */
export const targets: readonly Target[] = [parquet, orc, avro, tfrecord];

/** The target called `name`, or the one that the ending of `url` speaks for. @throws OptionsError for neither */
export function targetOf(name: TargetFormat | undefined, url: string): Target {
  const lower = url.toLowerCase();
  const target =
    name === undefined
      ? targets.find(({ extensions }) => extensions.some((ending) => lower.endsWith(ending)))
      : targets.find(({ format }) => format === name);
  if (target !== undefined) return target;
  throw new OptionsError("the name of the output does not tell its format", {
    where: { url },
    remedy: `Let it end in ${targets.map(({ extensions }) => extensions[0]).join(", ")}, or say --to.`,
  });
}

/** Options whose codec is the writer's name. @throws OptionsError for what the format does not have */
export function targetOptions(target: Target, asked: TargetOptions, url: string): TargetOptions {
  const { format, codecs, group } = target;
  const codec = asked.codec ?? (format === "tfrecord" && url.toLowerCase().endsWith(".gz") ? "gzip" : undefined);
  if (codec !== undefined && !Object.hasOwn(codecs, codec)) {
    throw new OptionsError(`--codec ${codec}: ${format} is not written with it`, {
      remedy: `Choose one of ${Object.keys(codecs).join(", ")}.`,
    });
  }
  if (asked.groupRows !== undefined && group.rows === null)
    throw new OptionsError(`--group-rows: ${format} has no groups of a number of rows`);
  if (asked.groupBytes !== undefined && group.bytes === null)
    throw new OptionsError(`--group-bytes: ${format} has no groups`);
  if (asked.float64 === "bits" && format !== "tfrecord")
    throw new OptionsError(`--float64 bits: ${format} holds float64 as it is`, { remedy: "Leave it out." });
  return { ...asked, codec: codec === undefined ? undefined : codecs[codec] };
}

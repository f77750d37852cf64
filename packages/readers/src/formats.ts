import { type Format, type FormatName, UnsupportedError } from "@ingest-ts/core";

type AnyFormat = Format<unknown, unknown>;

/** Every format that this package reads, loaded on first use. Add a row to add a format. */
export const formats: Readonly<Partial<Record<FormatName, () => Promise<AnyFormat>>>> = {
  avro: async () => (await import("./avro/index.ts")).avro,
  orc: async () => (await import("./orc/index.ts")).orc,
  parquet: async () => (await import("./parquet/index.ts")).parquet,
  tfrecord: async () => (await import("./tfrecord/index.ts")).tfrecord,
  arrow: async () => (await import("./arrow/index.ts")).arrow,
};

/** @throws UnsupportedError for a format that is known by name only. */
export async function formatOf(name: FormatName): Promise<AnyFormat> {
  const load = Object.hasOwn(formats, name) ? formats[name] : undefined;
  if (load !== undefined) return load();
  throw new UnsupportedError(`the format "${name}" is not read`, {
    remedy: `Formats are ${Object.keys(formats).join(", ")}.`,
  });
}

import { type Format, type FormatName, OptionsError } from "@ingest-ts/core";

type AnyFormat = Format<unknown, unknown>;

/** Every format, loaded on first use. Add a row to add a format. */
const formats: Readonly<Record<FormatName, () => Promise<AnyFormat>>> = {
  parquet: async () => (await import("./parquet/index.ts")).parquet,
  orc: async () => (await import("./orc/index.ts")).orc,
  avro: async () => (await import("./avro/index.ts")).avro,
  tfrecord: async () => (await import("./tfrecord/index.ts")).tfrecord,
  arrow: async () => (await import("./arrow/index.ts")).arrow,
};

/** @throws OptionsError for any other name, which only callers without types can give. */
export async function formatOf(name: FormatName): Promise<AnyFormat> {
  if (Object.hasOwn(formats, name)) return formats[name]();
  throw new OptionsError(`there is no format "${name}"`, { remedy: `Formats are ${Object.keys(formats).join(", ")}.` });
}

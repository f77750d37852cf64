import { OptionsError, type Schema } from "@ingest-ts/core";
import { Compression } from "@ingest-ts/readers/parquet/spec";

export type ParquetCodec = "none" | "snappy" | "zstd" | "gzip";

export interface ParquetWriterOptions {
  /** Default "snappy". */
  readonly codec?: ParquetCodec | undefined;
  /** The codec's own scale; its default when undefined. */
  readonly level?: number | undefined;
  /** A row group ends at so many rows, default 1,048,576 … */
  readonly rowGroupRows?: number | undefined;
  /** … or at so many bytes of Arrow data, whichever comes first; default 128 MiB. */
  readonly rowGroupBytes?: number | undefined;
  /** A page ends before it holds more bytes than this, unless one row alone does; default 1 MiB. */
  readonly pageBytes?: number | undefined;
  /**
   * Whether to try dictionaries: for every column, or for those named (a top-level name, or the dotted path of a leaf).
   * A chunk falls back to PLAIN when its dictionary does not pay. Default true.
   */
  readonly dictionary?: boolean | readonly string[] | undefined;
  /** Store the CRC-32 of every page; default true. */
  readonly pageCrc?: boolean | undefined;
  /** Store min, max and the null count of every column chunk; default true. */
  readonly statistics?: boolean | undefined;
  /** Default 1, which every reader knows. */
  readonly dataPageVersion?: 1 | 2 | undefined;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly codec: ParquetCodec;
  readonly level: number | undefined;
  readonly rowGroupRows: number;
  readonly rowGroupBytes: number;
  readonly pageBytes: number;
  readonly dictionary: boolean | readonly string[];
  readonly pageCrc: boolean;
  readonly statistics: boolean;
  readonly dataPageVersion: 1 | 2;
}

/** Thrift's number of each codec. */
export const codecNumbers: Readonly<Record<ParquetCodec, number>> = {
  none: Compression.UNCOMPRESSED,
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  zstd: Compression.ZSTD,
};

const MiB = 1024 * 1024;

function positive(name: string, value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw new OptionsError(`${name} must be a whole number from 1 to ${max}, not ${value}`);
}

/** @throws OptionsError for a value outside its range and for a name in `dictionary` that no column has. */
export function resolveOptions(options: ParquetWriterOptions, schema: Schema): ResolvedOptions {
  const codec = options.codec ?? "snappy";
  if (!Object.hasOwn(codecNumbers, codec)) {
    throw new OptionsError(`codec "${String(codec)}" is not one that Parquet files are written with here`, {
      remedy: `Choose one of ${Object.keys(codecNumbers).join(", ")}.`,
    });
  }
  const { level } = options;
  if (level !== undefined && !Number.isSafeInteger(level))
    throw new OptionsError(`level must be a whole number, not ${level}`);
  const version = options.dataPageVersion ?? 1;
  if (version !== 1 && version !== 2) throw new OptionsError(`dataPageVersion must be 1 or 2, not ${String(version)}`);
  const dictionary = options.dictionary ?? true;
  if (typeof dictionary !== "boolean") {
    const roots = new Set(schema.fields.map((field) => field.name));
    for (const name of dictionary) {
      const known = roots.has(name) || [...roots].some((root) => name.startsWith(`${root}.`));
      if (!known) throw new OptionsError(`dictionary names the column "${name}", which the schema does not have`);
    }
  }
  return {
    codec,
    level,
    rowGroupRows: positive("rowGroupRows", options.rowGroupRows ?? MiB, 2 ** 31 - 1),
    rowGroupBytes: positive("rowGroupBytes", options.rowGroupBytes ?? 128 * MiB, Number.MAX_SAFE_INTEGER),
    // Page sizes are 32-bit signed in the page header; far below, so that one more row still fits.
    pageBytes: positive("pageBytes", options.pageBytes ?? MiB, 1024 * MiB),
    dictionary,
    pageCrc: options.pageCrc ?? true,
    statistics: options.statistics ?? true,
    dataPageVersion: version,
  };
}

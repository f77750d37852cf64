import { OptionsError } from "@ingest-ts/core";
import type { WritableCodec } from "@ingest-ts/kernels/codecs";

export type ORCCodec = "none" | "zlib" | "snappy" | "zstd";

export interface ORCWriterOptions {
  /** Default "zstd". */
  readonly codec?: ORCCodec | undefined;
  /** Of zlib (0 to 9) and zstd (1 to 22); their defaults when undefined. */
  readonly level?: number | undefined;
  /** A stripe ends at so many bytes of Arrow data, default 64 MiB … */
  readonly stripeBytes?: number | undefined;
  /** … or at so many rows, whichever comes first; default no bound. */
  readonly stripeRows?: number | undefined;
  /** Streams are compressed in chunks of so many bytes; default 256 KiB. */
  readonly blockBytes?: number | undefined;
  /** Rows of a row group, for which there are statistics and positions; default 10,000. */
  readonly rowIndexStride?: number | undefined;
  /** Whether to try dictionaries for text; a stripe does without where they do not pay. Default true. */
  readonly dictionary?: boolean | undefined;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly codec: ORCCodec;
  readonly level: number | undefined;
  readonly stripeBytes: number;
  readonly stripeRows: number;
  readonly blockBytes: number;
  readonly rowIndexStride: number;
  readonly dictionary: boolean;
}

/** Our name of each codec; "none" has none. */
export const codecs: Readonly<Record<ORCCodec, WritableCodec | undefined>> = {
  none: undefined,
  zlib: "deflateRaw",
  snappy: "snappy",
  zstd: "zstd",
};

const MiB = 1024 * 1024;
/** A chunk's length has 23 bits; compression may add some. */
const LARGEST_BLOCK_BYTES = 4 * MiB;
const INT_MAX = 2 ** 31 - 1;

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new OptionsError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

/** @throws OptionsError for a value outside its range. */
export function resolveOptions(options: ORCWriterOptions): ResolvedOptions {
  const { codec = "zstd", level } = options;
  if (!Object.hasOwn(codecs, codec)) {
    throw new OptionsError(`codec "${String(codec)}" is not one that ORC files are written with here`, {
      remedy: `Choose one of ${Object.keys(codecs).join(", ")}.`,
    });
  }
  if (level !== undefined && !Number.isSafeInteger(level))
    throw new OptionsError(`level must be a whole number, not ${level}`);
  return {
    codec,
    level,
    stripeBytes: inRange("stripeBytes", options.stripeBytes ?? 64 * MiB, 1, 1024 * MiB),
    stripeRows: inRange("stripeRows", options.stripeRows ?? INT_MAX, 1, INT_MAX),
    blockBytes: inRange("blockBytes", options.blockBytes ?? 256 * 1024, 64, LARGEST_BLOCK_BYTES),
    rowIndexStride: inRange("rowIndexStride", options.rowIndexStride ?? 10_000, 1, INT_MAX),
    dictionary: options.dictionary ?? true,
  };
}

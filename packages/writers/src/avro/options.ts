import { OptionsError } from "@ingest-ts/core";
import type { WritableCodec } from "@ingest-ts/kernels/codecs";

export type AvroWriterCodec = "null" | "deflate" | "snappy" | "zstandard";

export interface AvroWriterOptions {
  /** Default "snappy". */
  readonly codec?: AvroWriterCodec | undefined;
  /** Of deflate (0 to 9) and zstandard (1 to 22); their defaults when undefined. */
  readonly level?: number | undefined;
  /** A block ends at the first row that brings it to so many bytes before compression; default 64 KiB. */
  readonly blockBytes?: number | undefined;
  /** Ends every block: 16 bytes. Derived from the schema when undefined, so that equal rows give equal files. */
  readonly sync?: Uint8Array | undefined;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly codec: AvroWriterCodec;
  readonly level: number | undefined;
  readonly blockBytes: number;
  readonly sync: Uint8Array | undefined;
}

/** Our name of each codec; "null" has none. */
export const codecs: Readonly<Record<AvroWriterCodec, WritableCodec | undefined>> = {
  null: undefined,
  deflate: "deflateRaw",
  snappy: "snappy",
  zstandard: "zstd",
};

const LARGEST_BLOCK_BYTES = 64 * 1024 * 1024;

/** @throws OptionsError for a value outside its range. */
export function resolveOptions(options: AvroWriterOptions): ResolvedOptions {
  const { codec = "snappy", level, blockBytes = 64 * 1024, sync } = options;
  if (!Object.hasOwn(codecs, codec)) {
    throw new OptionsError(`codec "${String(codec)}" is not one that Avro files are written with here`, {
      remedy: `Choose one of ${Object.keys(codecs).join(", ")}.`,
    });
  }
  if (level !== undefined && !Number.isSafeInteger(level))
    throw new OptionsError(`level must be a whole number, not ${level}`);
  if (!(Number.isSafeInteger(blockBytes) && blockBytes >= 1 && blockBytes <= LARGEST_BLOCK_BYTES))
    throw new OptionsError(`blockBytes must be a whole number from 1 to ${LARGEST_BLOCK_BYTES}, not ${blockBytes}`);
  if (sync !== undefined && sync.length !== 16) throw new OptionsError(`sync must have 16 bytes, not ${sync.length}`);
  return { codec, level, blockBytes, sync };
}

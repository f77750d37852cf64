import {
  addWhere,
  type ByteSource,
  checkLimit,
  FormatError,
  type Limits,
  type ReadOptions,
  type Select,
  UnsupportedError,
} from "@ingest-ts/core";
import { readFileMetadata } from "./footer.ts";
import { type FileMetadata, MAGIC, MAGIC_ENCRYPTED, TRAILER_BYTES } from "./spec.ts";

/** What a file says of itself; plain data. */
export interface ParquetMetadata extends FileMetadata {
  readonly url: string;
  readonly sizeBytes: number;
}

/** Holds the footer of nearly every file, so that one request is enough. */
const SUFFIX_BYTES = 256 * 1024;

interface Tail {
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
}

/**
 * Reads the footer: one request, or a second one when it is larger than `SUFFIX_BYTES`.
 *
 * @throws FormatError when it is not a Parquet file or its metadata contradict themselves.
 * @throws UnsupportedError for encrypted files and footers over limits.footerBytes.
 */
export async function readMetadata(
  source: ByteSource,
  select: Select,
  options: ReadOptions = {},
): Promise<ParquetMetadata> {
  try {
    return await read(source, select.limits, options);
  } catch (error) {
    throw addWhere(error, { url: source.url });
  }
}

async function read(source: ByteSource, limits: Limits, options: ReadOptions): Promise<ParquetMetadata> {
  const [suffix] = await source.getRanges([{ suffixBytes: SUFFIX_BYTES }], options);
  const { sizeBytes } = await source.stat(options);
  const tail: Tail = { bytes: suffix as Uint8Array, sizeBytes };
  const footerBytes = footerLength(tail, limits);
  const end = sizeBytes - TRAILER_BYTES;
  const start = end - footerBytes;
  let footer: Uint8Array;
  if (footerBytes + TRAILER_BYTES <= tail.bytes.length) {
    footer = tail.bytes.subarray(tail.bytes.length - TRAILER_BYTES - footerBytes, tail.bytes.length - TRAILER_BYTES);
  } else {
    const [again] = await source.getRanges([{ start, end }], options);
    footer = again as Uint8Array;
  }
  return { url: source.url, sizeBytes, ...readFileMetadata(footer, start, limits) };
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Checks the magic at both ends (the first when the tail reaches it) and answers the footer's length. */
function footerLength(tail: Tail, limits: Limits): number {
  const { bytes, sizeBytes } = tail;
  if (sizeBytes < MAGIC.length + TRAILER_BYTES)
    throw new FormatError(`not a Parquet file: ${sizeBytes} bytes are too few`, { where: { offset: 0 } });
  const magic = ascii(bytes.subarray(bytes.length - 4));
  if (magic === MAGIC_ENCRYPTED)
    throw new UnsupportedError("the footer is encrypted; encryption is not supported", {
      remedy: "Decrypt the file with the tool that wrote it.",
    });
  const first = bytes.length === sizeBytes ? ascii(bytes.subarray(0, 4)) : MAGIC;
  if (magic !== MAGIC || first !== MAGIC) {
    const offset = magic !== MAGIC ? sizeBytes - 4 : 0;
    throw new FormatError(
      `not a Parquet file, or cut short: "${MAGIC}" is missing at its ${offset === 0 ? "start" : "end"}`,
      {
        where: { offset },
      },
    );
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - TRAILER_BYTES, 4).getUint32(0, true);
  if (length > sizeBytes - MAGIC.length - TRAILER_BYTES)
    throw new FormatError(`the footer claims ${length} bytes in a file of ${sizeBytes}`, {
      where: { offset: sizeBytes - TRAILER_BYTES },
    });
  checkLimit(limits, "footerBytes", length, "a footer");
  return length;
}

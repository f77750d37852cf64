import { FormatError, UnsupportedError } from "@ingest-ts/core";
import { maskCrc32c } from "@ingest-ts/kernels";
import { headerBytes } from "./spec.ts";

const table = new Int32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = (c & 1) === 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  table[n] = c;
}

/** Masked CRC-32C of the eight bytes of a length at `at`: too few for a kernel call. */
function lengthChecksum(bytes: Uint8Array, at: number): number {
  let crc = -1;
  for (let i = at; i < at + 8; i++) crc = (table[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8);
  return maskCrc32c(~crc);
}

/** Little-endian. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/** Whether a record could begin at `at`: the checksum of its length is right. Needs `headerBytes` bytes. */
export function isRecordHeader(bytes: Uint8Array, at = 0): boolean {
  return bytes.length - at >= headerBytes && lengthChecksum(bytes, at) === uint32At(bytes, at + 8);
}

/** Where the reader stands, for messages. */
export interface RecordPlace {
  readonly url: string;
  readonly fragment: number | undefined;
  /** 0-based within the object. */
  readonly record: number;
  /** Of the record's first byte of framing: in the object, or in what it inflates to. */
  readonly offset: number;
  readonly compressed: boolean;
}

/** An error that says which record, with the offset `at` bytes after its start. */
export function recordError(place: RecordPlace, what: string, at = 0): FormatError {
  const where = { url: place.url, fragment: place.fragment, offset: place.offset + at };
  return new FormatError(
    `record ${place.record}: ${what}${place.compressed ? " (offsets count inflated bytes)" : ""}`,
    {
      where,
    },
  );
}

/**
 * The length of the data of the record at `at`, where `headerBytes` bytes must be.
 *
 * @throws FormatError when the checksum is wrong; UnsupportedError above `limit`
 */
export function recordLength(bytes: Uint8Array, at: number, limit: number, place: () => RecordPlace): number {
  if (!isRecordHeader(bytes, at)) throw recordError(place(), "the checksum of its length is wrong");
  const length = uint32At(bytes, at) + uint32At(bytes, at + 4) * 2 ** 32;
  if (length > limit) {
    const { url, fragment, record, offset } = place();
    throw new UnsupportedError(`record ${record} of ${length} bytes is over limits.recordBytes = ${limit}`, {
      where: { url, fragment, offset },
      remedy: "If the file is to be trusted, raise limits.recordBytes.",
    });
  }
  return length;
}

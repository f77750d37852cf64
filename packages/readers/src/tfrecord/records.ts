import { crc32c, maskCrc32c } from "@ingest-ts/kernels";
import { recordError, recordLength, type RecordPlace, uint32At } from "./framing.ts";
import { InflatedInput, PlainInput, type Pull, type RecordInput } from "./input.ts";
import { type Compression, framingBytes, headerBytes } from "./spec.ts";

/** Pieces that inflating makes at a time. */
const PIECE_BYTES = 1024 * 1024;

/** The records in bytes [start, end) of an object; compressed ones are always read from their start. */
export function openInput(
  object: { readonly url: string; readonly compression: Compression },
  start: number,
  end: number,
  readBytes: number,
): RecordInput {
  return object.compression === "none"
    ? new PlainInput(start, end, readBytes)
    : new InflatedInput(object.compression, end, readBytes, PIECE_BYTES, object.url);
}

/**
 * The length of the data of the next record, whose header is then at hand; undefined at the end of the input. The length
 * is checked before anything is allocated for it.
 *
 * @throws FormatError for a wrong checksum or a cut header
 */
export function* nextLength(input: RecordInput, limit: number, place: () => RecordPlace): Pull<number | undefined> {
  if (!(yield* input.fill(headerBytes))) {
    const rest = input.bytes.length - input.position;
    if (rest <= 0) return undefined;
    throw recordError(place(), `the file ends ${rest} bytes into its length`);
  }
  return recordLength(input.bytes, input.position, limit, place);
}

/** Makes the whole of a record of `length` data bytes available. @throws FormatError when the input ends inside it */
export function* fillRecord(input: RecordInput, length: number, place: () => RecordPlace): Pull<void> {
  if (!(yield* input.fill(length + framingBytes))) throw cut(length, place);
}

/** Passes over it, its data unread and unchecked. */
export function* skipRecord(input: RecordInput, length: number, place: () => RecordPlace): Pull<void> {
  if (!(yield* input.skip(length + framingBytes))) throw cut(length, place);
}

function cut(length: number, place: () => RecordPlace): Error {
  return recordError(place(), `the file ends inside its ${length} bytes of data`);
}

/** Checks the data of the record of `length` data bytes that begins at `at`. @throws FormatError */
export function checkData(bytes: Uint8Array, at: number, length: number, place: () => RecordPlace): void {
  const start = at + headerBytes;
  const expected = uint32At(bytes, start + length);
  if (maskCrc32c(crc32c(bytes.subarray(start, start + length))) !== expected) throw dataError(place);
}

/** The error for data whose checksum does not match. */
export function dataError(place: () => RecordPlace): Error {
  return recordError(place(), "the checksum of its data is wrong");
}

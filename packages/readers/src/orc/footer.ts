import { FormatError, UnsupportedError } from "@ingest-ts/core";
import { type ProtobufField, type ProtobufReader, readMessage } from "./protobuf.ts";
import {
  type ColumnEncoding,
  calendars,
  compressionKinds,
  DEFAULT_BLOCK_BYTES,
  encodingKinds,
  type Footer,
  MAGIC,
  type OrcType,
  type Postscript,
  type StreamInformation,
  type StripeFooter,
  type StripeInformation,
  typeKinds,
} from "./spec.ts";

/** The numbers of a message by field, for messages of which only plain numbers matter; absent ones are 0. */
function readNumbers(bytes: Uint8Array): (field: number) => number {
  const values = new Map<number, number>();
  readMessage(bytes, (field, reader) => {
    if (field.wireType !== 0) return false;
    values.set(field.number, reader.varint());
    return true;
  });
  return (field) => values.get(field) ?? 0;
}

function nameOf<T extends string>(names: readonly T[], index: number, what: string): T {
  const name = names[index];
  if (name === undefined) throw new UnsupportedError(`${what} ${index} is not known to this version`);
  return name;
}

/** @throws FormatError when it is no postscript; UnsupportedError for an unknown compression. */
export function readPostscript(bytes: Uint8Array): Postscript & { readonly hasMagic: boolean } {
  const numbers = readNumbers(bytes);
  const version: number[] = [];
  let magic = "";
  readMessage(bytes, (field, reader) => {
    if (field.number === 4) reader.varints(field, version);
    else if (field.number === 8000 && field.wireType === 2) magic = reader.string();
    else return false;
    return true;
  });
  const blockBytes = numbers(3);
  return {
    hasMagic: magic === MAGIC,
    footerBytes: numbers(1),
    metadataBytes: numbers(5),
    compression: nameOf(compressionKinds, numbers(2), "compression"),
    blockBytes: blockBytes === 0 ? DEFAULT_BLOCK_BYTES : blockBytes,
    version: version.length < 2 ? [0, 11] : [version[0] as number, version[1] as number],
    writerVersion: numbers(6),
  };
}

function readPair(bytes: Uint8Array): [key: string, value: string] {
  let key = "";
  let value = "";
  readMessage(bytes, (field, reader) => {
    if (field.number === 1) key = reader.string();
    else if (field.number === 2) value = reader.string();
    else return false;
    return true;
  });
  return [key, value];
}

function readType(bytes: Uint8Array): OrcType {
  const numbers = readNumbers(bytes);
  const subtypes: number[] = [];
  const fieldNames: string[] = [];
  const attributes: Record<string, string> = {};
  readMessage(bytes, (field, reader) => {
    if (field.number === 2) reader.varints(field, subtypes);
    else if (field.number === 3) fieldNames.push(reader.string());
    else if (field.number === 7) {
      const [key, value] = readPair(reader.bytes());
      attributes[key] = value;
    } else return false;
    return true;
  });
  return {
    kind: nameOf(typeKinds, numbers(1), "type kind"),
    subtypes,
    fieldNames,
    precision: numbers(5),
    scale: numbers(6),
    attributes,
  };
}

function readStripe(bytes: Uint8Array): StripeInformation {
  const numbers = readNumbers(bytes);
  return {
    offset: numbers(1),
    indexBytes: numbers(2),
    dataBytes: numbers(3),
    footerBytes: numbers(4),
    rows: numbers(5),
  };
}

/** Message `Footer`. @throws FormatError when the bytes break it. */
export function readFooter(bytes: Uint8Array): Footer {
  const numbers = readNumbers(bytes);
  const types: OrcType[] = [];
  const stripes: StripeInformation[] = [];
  const metadata: Record<string, string> = {};
  let encrypted = false;
  let softwareVersion = "";
  readMessage(bytes, (field, reader) => {
    if (field.wireType !== 2) return false;
    if (field.number === 3) stripes.push(readStripe(reader.bytes()));
    else if (field.number === 4) types.push(readType(reader.bytes()));
    else if (field.number === 5) {
      const [key, value] = readPair(reader.bytes());
      metadata[key] = value;
    } else if (field.number === 10) {
      encrypted = true;
      reader.bytes();
    } else if (field.number === 12) softwareVersion = reader.string();
    else return false;
    return true;
  });
  const calendar = calendars[numbers(11)] ?? "unknown";
  return {
    types,
    stripes,
    metadata,
    rows: numbers(6),
    writer: numbers(9),
    softwareVersion,
    rowIndexStride: numbers(8),
    calendar,
    encrypted,
  };
}

function readEncoding(bytes: Uint8Array): ColumnEncoding {
  const numbers = readNumbers(bytes);
  return { kind: nameOf(encodingKinds, numbers(1), "column encoding"), dictionarySize: numbers(2) };
}

/**
 * @param start where the stripe begins; streams lie one after the other from there
 * @param end where its streams must end
 */
export function readStripeFooter(bytes: Uint8Array, start: number, end: number): StripeFooter {
  const streams: StreamInformation[] = [];
  const encodings: ColumnEncoding[] = [];
  let timeZone: string | undefined;
  let at = start;
  readMessage(bytes, (field: ProtobufField, reader: ProtobufReader) => {
    if (field.wireType !== 2) return false;
    if (field.number === 1) {
      const numbers = readNumbers(reader.bytes());
      streams.push({ kind: numbers(1), column: numbers(2), start: at, end: at + numbers(3) });
      at += numbers(3);
    } else if (field.number === 2) encodings.push(readEncoding(reader.bytes()));
    else if (field.number === 3) timeZone = reader.string();
    else return false;
    return true;
  });
  if (at > end) {
    throw new FormatError(`the stripe's streams take ${at - start} bytes, the stripe has ${end - start}`, {
      where: { offset: start },
    });
  }
  return { streams, encodings, timeZone: timeZone === "" ? undefined : timeZone };
}

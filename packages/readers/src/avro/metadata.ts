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
import { parseReaderSchema, parseSchema } from "./avro-schema.ts";
import { Cursor } from "./cursor.ts";
import { type AvroCodec, type AvroType, CODEC_KEY, codecNames, MAGIC, SCHEMA_KEY, SYNC_BYTES } from "./spec.ts";

/** What a file says of itself; plain data. */
export interface AvroMetadata {
  readonly url: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly codec: AvroCodec;
  /** What the file was written with. */
  readonly type: AvroType;
  /** What the caller wants to read: the same object when no other schema was declared. */
  readonly readerType: AvroType;
  /** User metadata; bytes that are not UTF-8 are shown with replacement characters. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly sync: Uint8Array;
  /** Where the first block begins, in bytes. */
  readonly dataStart: number;
}

/** Holds the header of nearly every file, so that one request is enough. */
const HEAD_BYTES = 64 * 1024;

interface Header {
  readonly entries: ReadonlyMap<string, Uint8Array>;
  readonly sync: Uint8Array;
  readonly dataStart: number;
}

/**
 * Reads the header: one request, or more when it is larger than `HEAD_BYTES`.
 *
 * @throws FormatError when it is not an object container file; UnsupportedError for an unknown codec
 * @see Avro specification, "Object Container Files"
 */
export async function readMetadata(
  source: ByteSource,
  select: Select,
  options: ReadOptions = {},
): Promise<AvroMetadata> {
  try {
    return await read(source, select, options);
  } catch (error) {
    throw addWhere(error, { url: source.url });
  }
}

async function read(source: ByteSource, select: Select, options: ReadOptions): Promise<AvroMetadata> {
  const { limits, declared } = select;
  const readerType = declared === undefined ? undefined : parseReaderSchema(declared, limits);
  const { sizeBytes, etag } = await source.stat(options);
  let end = Math.min(HEAD_BYTES, sizeBytes);
  for (;;) {
    const [bytes] = (await source.getRanges([{ start: 0, end }], options)) as [Uint8Array];
    const header = readHeader(bytes, end === sizeBytes);
    if (header !== undefined) return describe(header, { url: source.url, sizeBytes, etag }, readerType, limits);
    end = Math.min(end * 8, sizeBytes);
    checkLimit(limits, "footerBytes", end, "a header");
  }
}

/** The header, or undefined when it goes on behind `bytes` and these are not the whole file. */
function readHeader(bytes: Uint8Array, isWhole: boolean): Header | undefined {
  if (bytes.length < MAGIC.length || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new FormatError('the file does not begin with "Obj" and 1', { remedy: "It is not an Avro container file." });
  }
  try {
    const cursor = new Cursor(bytes, MAGIC.length);
    const entries = new Map<string, Uint8Array>();
    const decoder = new TextDecoder();
    for (let count = blockCount(cursor); count > 0; count = blockCount(cursor)) {
      for (let i = 0; i < count; i++) {
        const key = decoder.decode(readBytes(cursor));
        entries.set(key, readBytes(cursor));
      }
    }
    const sync = cursor.take(SYNC_BYTES);
    return { entries, sync: bytes.slice(sync, cursor.at), dataStart: cursor.at };
  } catch (error) {
    if (isWhole || !(error instanceof FormatError)) throw error;
    return undefined;
  }
}

/** Items in the next block of a map; a negative count is followed by the block's size. */
function blockCount(cursor: Cursor): number {
  const count = cursor.count();
  if (count < 0) cursor.count();
  return Math.abs(count);
}

function readBytes(cursor: Cursor): Uint8Array {
  const length = cursor.length();
  const start = cursor.take(length);
  return cursor.bytes.subarray(start, start + length);
}

function describe(
  { entries, sync, dataStart }: Header,
  object: { url: string; sizeBytes: number; etag: string },
  readerType: AvroType | undefined,
  limits: Limits,
): AvroMetadata {
  const decoder = new TextDecoder();
  const texts = Object.fromEntries(Array.from(entries, ([key, value]) => [key, decoder.decode(value)]));
  const { [SCHEMA_KEY]: schema, [CODEC_KEY]: codec = "null", ...metadata } = texts;
  if (schema === undefined) throw new FormatError(`the header has no ${SCHEMA_KEY}`);
  const known = codecNames.find((name) => name === codec);
  if (known === undefined) {
    throw new UnsupportedError(`Avro codec "${codec}" is not supported`, {
      remedy: `Write the file again with one of ${codecNames.join(", ")}.`,
    });
  }
  const type = parseSchema(schema, limits);
  return { ...object, codec: known, type, readerType: readerType ?? type, metadata, sync, dataStart };
}

import {
  addWhere,
  type ByteSource,
  FormatError,
  type ReadOptions,
  type Select,
  UnsupportedError,
} from "@ingest-ts/core";
import { CodecError, createInflater } from "@ingest-ts/kernels/inflate";
import { prepareCrc32c, loadKernels } from "@ingest-ts/kernels";
import { type Declaration, parseDeclared } from "./declared.ts";
import type { FeatureSpec } from "./feature.ts";
import { isRecordHeader, type RecordPlace, recordError } from "./framing.ts";
import { Inference } from "./infer.ts";
import type { Pull } from "./input.ts";
import { checkData, fillRecord, nextLength, openInput } from "./records.ts";
import {
  type Compression,
  framingBytes,
  headerBytes,
  inferenceBytes,
  inferenceRecords,
  type RecordType,
} from "./spec.ts";
import { WireError } from "./wire.ts";

/** What is known of a TFRecord object before its rows are read. Plain data. */
export interface TFRecordMetadata {
  readonly url: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly compression: Compression;
  readonly recordType: RecordType;
  /** Columns by features: declared, or inferred from the first records. Empty for raw records. */
  readonly features: readonly FeatureSpec[];
  /** Feature lists of SequenceExamples. */
  readonly lists: readonly FeatureSpec[];
  /** How many records the features were inferred from; undefined: declared. Other features are errors then. */
  readonly inferredFrom: number | undefined;
  /** The same for the feature lists. */
  readonly listsInferredFrom: number | undefined;
  readonly schemaMetadata: Readonly<Record<string, string>>;
}

/** Asked of the source at a time before the rows are read. */
const HEAD_READ_BYTES = 1024 * 1024;
/** Enough of a compressed object for the first header, and for the extra fields that gzip may begin with. */
const DETECT_BYTES = 128 * 1024;

/** Answers what `pull` asks for from `source`. */
export async function runPull<T>(pull: Pull<T>, source: ByteSource, options?: ReadOptions): Promise<T> {
  let step = pull.next();
  while (step.done !== true) {
    const ranges = step.value.need.map(({ start, end }) => ({ start, end }));
    step = pull.next(await source.getRanges(ranges, options));
  }
  return step.value;
}

/** What `head` inflates to, as far as a header; undefined when it is no such stream. */
function inflatedHead(format: "gzip" | "zlib", head: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(headerBytes);
  let length = 0;
  try {
    for (const piece of createInflater(format, headerBytes).push(head)) {
      const rest = piece.subarray(0, headerBytes - length);
      out.set(rest, length);
      length += rest.length;
      if (length === headerBytes) break;
    }
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
  return out.subarray(0, length);
}

function streamFormat(head: Uint8Array): "gzip" | "zlib" | undefined {
  const [a = 0, b = 0] = head;
  if (a === 0x1f && b === 0x8b) return "gzip";
  // RFC 1950: method 8, a window of at most 32 KiB, the two bytes a multiple of 31, no preset dictionary.
  if ((a & 15) === 8 && a >> 4 <= 7 && (a * 256 + b) % 31 === 0 && (b & 32) === 0) return "zlib";
  return undefined;
}

/**
 * How an object that begins with `head` is compressed, by its content alone. A plain file may begin with the bytes of
 * gzip or zlib (a length of 35,615 does), so the checksum of the first length decides. What is neither counts as plain,
 * and the checksum's error follows.
 */
export function detectCompression(head: Uint8Array): Compression {
  if (isRecordHeader(head)) return "none";
  const format = streamFormat(head);
  if (format === undefined) return "none";
  const inflated = inflatedHead(format, head);
  if (inflated === undefined) return "none";
  // An empty stream is an empty file.
  return inflated.length === 0 || isRecordHeader(inflated) ? format : "none";
}

interface Inferred {
  readonly features: readonly FeatureSpec[];
  readonly lists: readonly FeatureSpec[];
  readonly records: number;
}

/** Reads the first records for their features. */
function* infer(
  object: { readonly url: string; readonly sizeBytes: number; readonly compression: Compression },
  recordType: "example" | "sequenceExample",
  select: Select,
): Pull<Inferred> {
  const { limits } = select;
  const inference = new Inference(recordType, limits);
  const input = openInput(object, 0, object.sizeBytes, HEAD_READ_BYTES);
  let record = 0;
  const place = (): RecordPlace => ({
    url: object.url,
    fragment: undefined,
    record,
    offset: input.offset,
    compressed: object.compression !== "none",
  });
  while (record < inferenceRecords && input.offset < inferenceBytes) {
    const length = yield* nextLength(input, limits.recordBytes, place);
    if (length === undefined) break;
    yield* fillRecord(input, length, place);
    checkData(input.bytes, input.position, length, place);
    const start = input.position + headerBytes;
    try {
      inference.see(input.bytes, start, start + length);
    } catch (error) {
      throw inferenceError(error, place, input.position, recordType);
    }
    input.position += length + framingBytes;
    record++;
  }
  return { features: inference.features(), lists: inference.lists(), records: record };
}

function inferenceError(error: unknown, place: () => RecordPlace, position: number, recordType: string): unknown {
  if (error instanceof WireError) {
    return recordError(place(), `not a tf.train.${messageName(recordType)}: ${error.message}`, error.at - position);
  }
  if (error instanceof FormatError) return recordError(place(), error.what);
  if (error instanceof UnsupportedError) return addWhere(error, { url: place().url, offset: place().offset });
  return error;
}

/** The protocol buffer of a record type. */
export function messageName(recordType: string): string {
  return recordType === "sequenceExample" ? "SequenceExample" : "Example";
}

async function readInferred(
  source: ByteSource,
  object: { readonly url: string; readonly sizeBytes: number; readonly compression: Compression },
  declaration: Declaration,
  select: Select,
  options: ReadOptions | undefined,
): Promise<Inferred | undefined> {
  const { recordType, features, lists } = declaration;
  if (recordType === "bytes") return undefined;
  const complete = features !== undefined && (recordType === "example" || lists !== undefined);
  return complete ? undefined : runPull(infer(object, recordType, select), source, options);
}

/**
 * Finds out compression and features. Reads the first bytes; the first `inferenceRecords` records too, unless
 * `select.declared` names all features.
 *
 * @throws OptionsError for a wrong declaration, FormatError for damaged records
 */
export async function readMetadata(
  source: ByteSource,
  select: Select,
  options?: ReadOptions,
): Promise<TFRecordMetadata> {
  const declaration = parseDeclared(select.declared);
  const { url } = source;
  const { sizeBytes, etag } = await source.stat(options);
  await Promise.all([loadKernels(), prepareCrc32c()]);
  const [head = new Uint8Array(0)] =
    sizeBytes === 0 ? [] : await source.getRanges([{ start: 0, end: Math.min(sizeBytes, DETECT_BYTES) }], options);
  const object = { url, sizeBytes, compression: detectCompression(head) };
  const inferred = await readInferred(source, object, declaration, select, options);
  return {
    ...object,
    etag,
    recordType: declaration.recordType,
    features: declaration.features ?? inferred?.features ?? [],
    lists: declaration.lists ?? inferred?.lists ?? [],
    inferredFrom: declaration.features === undefined ? inferred?.records : undefined,
    listsInferredFrom: declaration.lists === undefined ? inferred?.records : undefined,
    schemaMetadata: declaration.metadata,
  };
}

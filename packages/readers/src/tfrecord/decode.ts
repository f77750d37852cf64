import {
  type Columns,
  type Decoder,
  type DecodeOptions,
  FormatError,
  type Fragment,
  type Select,
  UnsupportedError,
} from "@ingest-ts/core";
import { acquireKernels, recordStops } from "@ingest-ts/kernels";
import { ColumnError } from "./append.ts";
import { RowError } from "./assemble.ts";
import { fixedCount, type FeatureSpec } from "./feature.ts";
import { type RecordPlace, recordError } from "./framing.ts";
import type { Pull, RecordInput } from "./input.ts";
import { messageName, type TFRecordMetadata } from "./metadata.ts";
import type { RecordPlan } from "./plan.ts";
import { checkData, dataError, fillRecord, nextLength, openInput, skipRecord } from "./records.ts";
import { columnSources } from "./schema.ts";
import { ExampleSink, RawSink, type RecordSink, SequenceSink } from "./sinks.ts";
import { framingBytes, headerBytes, largeRecordBytes, readBytes, recordColumn } from "./spec.ts";
import { WireError } from "./wire.ts";

/** Bytes that one kernel call works on: they should stay in the processor's cache. */
const LEAST_WINDOW_BYTES = 64 * 1024;
const MOST_WINDOW_BYTES = 1024 * 1024;
/** Offsets of a batch are 32-bit. */
const MOST_BATCH_BYTES = 2 ** 30;

/** A slab that holds so many bytes of its window ends with it: the window then becomes the slab's memory. */
const WINDOW_SLAB_BYTES = 4 * 1024 * 1024;

/** How a fragment is read; what comes out does not depend on it. */
export interface Tuning {
  readonly readBytes: number;
  readonly windowBytes: number;
  readonly largeRecordBytes: number;
  /** false: no kernels but for checksums, every record by the general decoder. */
  readonly kernels: boolean;
}

/** What reading uses; tests use others to meet every path with small files. */
export const defaultTuning: Tuning = { readBytes, windowBytes: MOST_WINDOW_BYTES, largeRecordBytes, kernels: true };

const rawRecord: FeatureSpec = {
  name: recordColumn,
  dtype: "bytes",
  shape: [],
  missing: "error",
  defaults: null,
  type: { kind: "binary" },
  nullable: false,
};

function openSink(m: TFRecordMetadata, select: Select, tuning: Tuning): RecordSink {
  const kernels = acquireKernels();
  const sources = columnSources(m, select);
  const large = tuning.kernels ? tuning.largeRecordBytes : 0;
  switch (m.recordType) {
    case "bytes":
      return new RawSink(kernels, rawRecord, sources.length > 0, large);
    case "example":
      return new ExampleSink(kernels, m, sources, select, large);
    case "sequenceExample":
      return new SequenceSink(kernels, m, sources, select);
  }
}

/** Rows of which every column's fixed-size values can be counted and addressed in 32 bits. */
function mostRows(m: TFRecordMetadata): number {
  const widest = m.features.reduce((most, { shape }) => Math.max(most, fixedCount(shape)), 1);
  return Math.max(1, Math.floor(2 ** 27 / widest));
}

/** Reads the records of one fragment. */
class FragmentReader {
  readonly #m: TFRecordMetadata;
  readonly #fragment: Fragment<RecordPlan>;
  readonly #select: Select;
  readonly #tuning: Tuning;
  readonly #input: RecordInput;
  readonly #sink: RecordSink;
  /** Records passed, within the fragment. */
  seen = 0;
  #window = LEAST_WINDOW_BYTES;

  constructor(fragment: Fragment<RecordPlan>, m: TFRecordMetadata, select: Select, tuning: Tuning) {
    this.#m = m;
    this.#fragment = fragment;
    this.#select = select;
    this.#tuning = tuning;
    const { start, end } = fragment.plan;
    this.#input = openInput(m, start, end, tuning.readBytes);
    this.#sink = openSink(m, select, tuning);
  }

  readonly #place = (): RecordPlace => ({
    url: this.#m.url,
    fragment: this.#fragment.ordinal,
    record: this.#fragment.plan.firstRecord + this.seen,
    offset: this.#input.offset,
    compressed: this.#m.compression !== "none",
  });

  release(): void {
    this.#sink.release();
  }

  /** Passes over `count` records; false when there are fewer. */
  *skip(count: number): Pull<boolean> {
    for (let i = 0; i < count; i++) {
      const length = yield* nextLength(this.#input, this.#select.limits.recordBytes, this.#place);
      if (length === undefined) return false;
      yield* skipRecord(this.#input, length, this.#place);
      this.seen++;
    }
    return true;
  }

  /** The next rows, at most `most`; fewer only when `byteLimit` is reached or the fragment ends. */
  *slab(most: number, byteLimit: number): Pull<Columns> {
    const sink = this.#sink;
    sink.begin();
    while (sink.rows < most && (sink.rows === 0 || sink.sizeBytes < byteLimit)) {
      if (sink.heldBytes >= WINDOW_SLAB_BYTES && !this.#isAtHand()) return this.#finish(this.#input.take());
      const length = yield* nextLength(this.#input, this.#select.limits.recordBytes, this.#place);
      if (length === undefined) break;
      yield* fillRecord(this.#input, length, this.#place);
      const { kernels, largeRecordBytes: large } = this.#tuning;
      if (sink.table !== undefined && kernels && length < large) this.#many(sink, length, most, byteLimit);
      else {
        checkData(this.#input.bytes, this.#input.position, length, this.#place);
        this.#one(length);
      }
    }
    return this.#finish();
  }

  /** Whether the whole of the next record has been fetched. */
  #isAtHand(): boolean {
    const { bytes, position } = this.#input;
    const rest = bytes.length - position;
    return rest >= framingBytes && rest - framingBytes >= this.#lengthAt(this.#input);
  }

  /** Records by a kernel call, the next of which has `length` data bytes. */
  #many(sink: RecordSink, length: number, most: number, byteLimit: number): void {
    const input = this.#input;
    const table = sink.table as NonNullable<RecordSink["table"]>;
    const atMost = Math.max(Math.min(this.#window, this.#tuning.windowBytes), length + framingBytes);
    const window = input.bytes.subarray(input.position, input.position + atMost);
    const before = sink.rows;
    const stop = table.decodeWindow(window, most, byteLimit);
    const { consumed } = table;
    input.position += consumed;
    this.seen += sink.rows - before;
    // Twice what was of use: short windows where large records lie between small ones.
    this.#window = Math.min(MOST_WINDOW_BYTES, Math.max(LEAST_WINDOW_BYTES, consumed * 2));
    if (stop === recordStops.badData) throw dataError(this.#place);
    if (stop === recordStops.unusual) this.#one(this.#lengthAt(input));
  }

  #lengthAt({ bytes, position }: RecordInput): number {
    return new DataView(bytes.buffer, bytes.byteOffset + position).getUint32(0, true);
  }

  /** One record, all of whose checksums are right, by the general decoder. */
  #one(length: number): void {
    const input = this.#input;
    const start = input.position + headerBytes;
    const hold = length >= this.#tuning.largeRecordBytes;
    if (hold) input.keep();
    try {
      this.#sink.append(input.bytes, start, start + length, { hold, kernels: this.#tuning.kernels });
    } catch (error) {
      throw this.#located(error);
    }
    input.position += length + framingBytes;
    this.seen++;
  }

  #located(error: unknown): unknown {
    if (error instanceof WireError) {
      const at = error.at - this.#input.position;
      return recordError(this.#place(), `not a tf.train.${messageName(this.#m.recordType)}: ${error.message}`, at);
    }
    if (!(error instanceof ColumnError)) return error;
    const { url, fragment, record, offset } = this.#place();
    const where = { url, fragment, column: error.column, offset };
    const what = `record ${record}: ${error.message}`;
    return error.late
      ? new UnsupportedError(what, { where, remedy: "Declare the features in a schema." })
      : new FormatError(what, { where });
  }

  #finish(window?: Uint8Array): Columns {
    try {
      return this.#sink.finish(window);
    } catch (error) {
      const { url, ordinal } = this.#fragment;
      if (error instanceof RowError) {
        const record = this.#fragment.plan.firstRecord + this.seen - this.#sink.rows + error.row;
        const where = { url, fragment: ordinal, column: error.column };
        const what = `record ${record}: ${error.message}`;
        throw error.isLimit ? new UnsupportedError(what, { where }) : new FormatError(what, { where });
      }
      if (!(error instanceof FormatError)) throw error;
      const where = { ...error.where, url, fragment: ordinal };
      throw new FormatError(error.what, { where, remedy: error.remedy, cause: error.cause });
    }
  }
}

/** @throws FormatError when a fragment with known rows has others */
function checkRows(fragment: Fragment<RecordPlan>, seen: number, m: TFRecordMetadata): void {
  if (fragment.rows === undefined || fragment.rows === seen) return;
  throw new FormatError(`the index promises ${fragment.rows} records, there are ${seen}`, {
    where: { url: m.url, fragment: fragment.ordinal },
    remedy: "Build the index again.",
  });
}

/**
 * Decodes one fragment: a slab at a time, or the bytes it needs next. Both checksums of every record are verified (for
 * rows that are passed over, only that of their length).
 *
 * @throws FormatError, UnsupportedError
 */
export function* decodeFragment(
  fragment: Fragment<RecordPlan>,
  m: TFRecordMetadata,
  { select, rows, batchRows, batchBytes }: DecodeOptions,
  tuning: Tuning = defaultTuning,
): Decoder {
  const from = rows?.[0] ?? 0;
  // A range that ends with the fragment reads on to its end, where a row too many is noticed.
  const to = rows === undefined || rows[1] === fragment.rows ? Number.POSITIVE_INFINITY : rows[1];
  const most = Math.min(batchRows, mostRows(m));
  const byteLimit = Math.min(batchBytes, MOST_BATCH_BYTES);
  const reader = new FragmentReader(fragment, m, select, tuning);
  try {
    if (!(yield* reader.skip(from))) {
      checkRows(fragment, reader.seen, m);
      return;
    }
    while (reader.seen < to) {
      const columns = yield* reader.slab(Math.min(most, to - reader.seen), byteLimit);
      if (columns.rows === 0) {
        checkRows(fragment, reader.seen, m);
        return;
      }
      yield columns;
    }
  } finally {
    reader.release();
  }
}

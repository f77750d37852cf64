import {
  type Column,
  type DataType,
  defaultLimits,
  emptyColumn,
  FormatError,
  getBit,
  type IngestError,
  isIngestError,
  type Limits,
  OptionsError,
  type Select,
  sliceColumn,
  takeColumn,
  UnsupportedError,
} from "@ingest-ts/core";
import { acquireKernels, loadKernels } from "@ingest-ts/kernels";
import { ColumnError } from "./append.ts";
import { RowError } from "./assemble.ts";
import { parseDeclared } from "./declared.ts";
import type { FeatureSpec } from "./feature.ts";
import { Inference } from "./infer.ts";
import type { TFRecordMetadata } from "./metadata.ts";
import { columnSources, selectedSchema } from "./schema.ts";
import { inferenceRecords } from "./spec.ts";
import { ExampleSink } from "./sinks.ts";
import { WireError } from "./wire.ts";

export interface ExampleReaderOptions {
  /** As of TFRecord files: {"features": {…}}. Default: what `sample` holds. */
  readonly declared?: unknown;
  /** Values of which the first are looked at for their features, when these are not declared. */
  readonly sample?: Column | undefined;
  /** What another reader inferred: plain data, the same columns again. */
  readonly inferred?: InferredFeatures | undefined;
  readonly limits?: Partial<Limits> | undefined;
}

/** Features that were found in some records. */
export interface InferredFeatures {
  readonly features: readonly FeatureSpec[];
  /** How many were looked at. */
  readonly records: number;
}

/** Values decoded, and those that could not be. */
export interface DecodedExamples {
  /** A struct for each value given; null where a value was null, and where it is poison. */
  readonly column: Column;
  /** By rising index within the values given. */
  readonly poison: readonly { readonly index: number; readonly error: IngestError }[];
}

function faultOf(error: unknown, start: number): IngestError | undefined {
  if (error instanceof WireError) {
    return new FormatError(`not a tf.train.Example: ${error.message}, at byte ${error.at - start} of the value`);
  }
  if (!(error instanceof ColumnError)) return undefined;
  const where = { column: error.column };
  return error.late
    ? new UnsupportedError(error.message, { where, remedy: "Declare the features." })
    : new FormatError(error.message, { where });
}

/** A fault that shows when columns are put together. */
function finishFault(error: unknown): IngestError | undefined {
  if (error instanceof RowError) return new FormatError(error.message, { where: { column: error.column } });
  return isIngestError(error, "INGEST_FORMAT") ? error : undefined;
}

/** Decodes tf.train.Example messages that come without a file around them. Has nothing to close. */
export class ExampleReader {
  /** A struct of the features. */
  readonly type: DataType;
  /** undefined: they were declared. */
  readonly inferred: InferredFeatures | undefined;
  readonly #metadata: TFRecordMetadata;
  readonly #select: Select;

  /** Use `createExampleReader`, which loads the kernels. */
  constructor(options: ExampleReaderOptions) {
    this.#select = { dictionary: "decode", limits: { ...defaultLimits, ...options.limits } };
    const declaration = parseDeclared(options.declared);
    if (declaration.recordType !== "example") {
      throw new OptionsError(`records of type ${declaration.recordType} are not decoded as values of their own`, {
        remedy: 'Leave out "recordType", or read them raw.',
      });
    }
    const isStored = typeof options.declared === "object" && options.declared !== null && "arrow" in options.declared;
    if (isStored) {
      throw new OptionsError('"arrow" in a declaration is for files that were written with it', {
        remedy: 'Declare "features" alone.',
      });
    }
    const inferred = options.inferred ?? (declaration.features === undefined ? this.#infer(options.sample) : undefined);
    this.inferred = inferred;
    this.#metadata = {
      url: "",
      sizeBytes: 0,
      etag: "",
      compression: "none",
      recordType: "example",
      features: inferred?.features ?? declaration.features ?? [],
      lists: [],
      inferredFrom: inferred?.records,
      listsInferredFrom: undefined,
      schemaMetadata: {},
    };
    this.type = { kind: "struct", children: selectedSchema(this.#metadata, this.#select).fields };
  }

  #infer(sample: Column | undefined): InferredFeatures {
    if (sample === undefined) {
      throw new OptionsError("the features of the Examples are not declared, and there are none to look at");
    }
    const inference = new Inference("example", this.#select.limits);
    const { bytes, offsets } = bytesOf(sample);
    let records = 0;
    for (let i = 0; i < sample.length && records < inferenceRecords; i++) {
      if (sample.validity !== null && !getBit(sample.validity, i)) continue;
      try {
        inference.see(bytes, offsets[i] as number, offsets[i + 1] as number);
        records++;
      } catch (error) {
        // Poison is found when it is decoded.
        if (!(error instanceof WireError)) throw error;
      }
    }
    return { features: inference.features(), records };
  }

  /**
   * Decodes each value as one Example.
   *
   * @param values binary
   * @throws UnsupportedError when all together are too much for one column: then decode fewer at once
   */
  decode(values: Column): DecodedExamples {
    const sink = this.#sink();
    try {
      try {
        return this.#decode(sink, values, new Map());
      } catch (error) {
        // Found when the column was put together: which of them was it?
        if (finishFault(error) === undefined) throw error;
        return this.#decode(sink, values, this.#faultsAlone(sink, values));
      }
    } finally {
      sink.release();
    }
  }

  /** All values but those that are `known` as poison. */
  #decode(sink: ExampleSink, values: Column, known: ReadonlyMap<number, IngestError>): DecodedExamples {
    const { bytes, offsets } = bytesOf(values);
    const poison: { index: number; error: IngestError }[] = [];
    // Of every value, its row in the sink; −1 for none.
    const rows = new Int32Array(values.length).fill(-1);
    sink.begin();
    for (let i = 0; i < values.length; i++) {
      if (values.validity !== null && !getBit(values.validity, i)) continue;
      const start = offsets[i] as number;
      const row = sink.rows;
      let fault = known.get(i);
      try {
        if (fault === undefined) {
          sink.append(bytes, start, offsets[i + 1] as number, { hold: false, kernels: true });
          rows[i] = row;
        }
      } catch (error) {
        fault = faultOf(error, start);
        // The next value takes the row's place.
        if (fault === undefined) throw error;
      }
      if (fault !== undefined) poison.push({ index: i, error: fault });
    }
    return { column: this.#spread(sink.finish().columns, sink.rows, rows), poison };
  }

  /** Each value by itself. */
  #faultsAlone(sink: ExampleSink, values: Column): Map<number, IngestError> {
    const faults = new Map<number, IngestError>();
    for (let i = 0; i < values.length; i++) {
      try {
        this.#decode(sink, sliceColumn(values, i, i + 1), new Map());
      } catch (error) {
        const fault = finishFault(error);
        if (fault === undefined) throw error;
        faults.set(i, fault);
      }
    }
    return faults;
  }

  #sink(): ExampleSink {
    return new ExampleSink(
      acquireKernels(),
      this.#metadata,
      columnSources(this.#metadata, this.#select),
      this.#select,
      0,
    );
  }

  /** A struct in which value i is row `rows[i]`, or null. */
  #spread(columns: readonly Column[], found: number, rows: Int32Array): Column {
    const { type } = this;
    const base = { type, length: rows.length, offsets: null, data: null, dictionary: null };
    if (found === rows.length) return { ...base, nullCount: 0, validity: null, children: columns };
    const validity = new Uint8Array((rows.length + 7) >> 3);
    const taken = new Int32Array(rows.length);
    rows.forEach((row, i) => {
      if (row < 0) return;
      validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
      taken[i] = row;
    });
    const fields = type.kind === "struct" ? type.children : [];
    const children = fields.map((field, i) =>
      found === 0 ? emptyColumn(field, rows.length) : takeColumn(columns[i] as Column, taken),
    );
    return { ...base, nullCount: rows.length - found, validity, children };
  }
}

function bytesOf({ type, data, offsets }: Column): { bytes: Uint8Array; offsets: Int32Array } {
  if (type.kind !== "binary" || !(offsets instanceof Int32Array)) {
    throw new OptionsError(`Examples are bytes, and this column is of type ${type.kind}`);
  }
  return { bytes: data ?? new Uint8Array(0), offsets };
}

/**
 * Prepares to decode tf.train.Example messages, such as the values of a Kafka topic.
 *
 * @throws OptionsError for a wrong declaration; FormatError when the sample gives a feature two kinds
 */
export async function createExampleReader(options: ExampleReaderOptions): Promise<ExampleReader> {
  await loadKernels();
  return new ExampleReader(options);
}

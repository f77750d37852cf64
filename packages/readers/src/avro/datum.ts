import {
  type Column,
  defaultLimits,
  type Field,
  type IngestError,
  type Limits,
  OptionsError,
  UnsupportedError,
} from "@ingest-ts/core";
import { acquireKernels, loadKernels } from "@ingest-ts/kernels";
import { parseReaderSchema, parseSchemaWith } from "./avro-schema.ts";
import type { RowShape } from "./column-states.ts";
import { DatumBatch } from "./datum-batch.ts";
import type { DatumPlan } from "./read-plan.ts";
import { resolveValue } from "./resolve.ts";
import { arrowField, datumNode } from "./tree.ts";

export { canonicalForm, schemaFingerprint } from "./canonical-form.ts";
export {
  CONFLUENT_GUID_HEADER_BYTES,
  CONFLUENT_ID_HEADER_BYTES,
  readConfluentHeader,
  readSingleObjectHeader,
  type SchemaReference,
  SINGLE_OBJECT_HEADER_BYTES,
} from "./framing.ts";

/** Items without bytes that one datum may have unless the caller says otherwise. */
const ZERO_LENGTH_ITEMS = 65_536;

export interface DatumReaderOptions {
  /** What to read the data as: JSON text or JSON already parsed. Default: what they were written with. */
  readonly readerSchema?: unknown;
  /** Schemas (JSON text) whose names the writer's schema uses, each after those that it uses itself. */
  readonly references?: readonly string[] | undefined;
  /** The same for the reader's schema. */
  readonly readerReferences?: readonly string[] | undefined;
  /** "preserve" reads enums as dictionaries. Default "decode": as text. */
  readonly dictionary?: "decode" | "preserve" | undefined;
  /** `recordBytes` and `zeroLengthItems` (default 65,536 here) hold for each datum. */
  readonly limits?: Partial<Limits> | undefined;
}

export interface DecodeDatumsOptions {
  /** Bytes before each datum, not looked at. Default 0. */
  readonly headerBytes?: number | undefined;
}

/** Values decoded, and those that could not be. */
export interface DecodedDatums {
  /** As long as what was given; null where a value was null, and where it is poison. */
  readonly column: Column;
  /** By rising index within the values given. */
  readonly poison: readonly { readonly index: number; readonly error: IngestError }[];
}

/** Decodes datums of one writer's schema. Has nothing to close. */
export class DatumReader {
  /** Of the decoded column, named `value`: a record is a struct. Always nullable, since values may be null or poison. */
  readonly field: Field;
  readonly #plan: DatumPlan;
  readonly #dictionary: "decode" | "preserve";
  readonly #limits: Limits;
  /** What rows of the last call took: the next one makes room for such. */
  #shapes: readonly RowShape[] | undefined;

  /** Use `createDatumReader`, which loads the kernels. */
  constructor(writerSchema: string, options: DatumReaderOptions = {}) {
    this.#limits = { ...defaultLimits, zeroLengthItems: ZERO_LENGTH_ITEMS, ...options.limits };
    this.#dictionary = options.dictionary ?? "decode";
    const writer = parseSchemaWith(writerSchema, options.references ?? [], this.#limits);
    const { readerSchema, readerReferences } = options;
    const reader =
      readerSchema === undefined ? writer : parseReaderSchema(readerSchema, this.#limits, readerReferences);
    const node = datumNode(reader);
    this.field = { ...arrowField(node, this.#dictionary), nullable: true };
    this.#plan = resolveValue(writer, node);
  }

  /**
   * Decodes each value (text or bytes) as one datum that fills it. A value that is no datum, has bytes behind it or passes
   * a limit is poison, whatever else stands beside it.
   *
   * @throws UnsupportedError when all together are too large for one column: then decode fewer at once
   */
  decode(values: Column, { headerBytes = 0 }: DecodeDatumsOptions = {}): DecodedDatums {
    const { kind } = values.type;
    if (kind !== "utf8" && kind !== "binary" && kind !== "largeUtf8" && kind !== "largeBinary") {
      throw new OptionsError(`datums are bytes, and this column is of type ${kind}`);
    }
    if (!Number.isInteger(headerBytes) || headerBytes < 0 || headerBytes > 0xffff) {
      throw new OptionsError(`headerBytes is ${headerBytes}`, { remedy: "It must be a whole number up to 65,535." });
    }
    const batch = new DatumBatch(this.#plan, this.#dictionary, this.#limits, acquireKernels());
    try {
      const { column, faults, shapes } = batch.read(values, headerBytes, this.#shapes);
      this.#shapes = shapes;
      return { column, poison: faults };
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      throw new UnsupportedError(error.what, { where: error.where, remedy: "Decode fewer values at once." });
    } finally {
      batch.release();
    }
  }
}

/**
 * Prepares to decode Avro datums that come without a file around them: messages in single-object or Confluent framing, or
 * bare ones. The schemas are compiled once; `decode` is then one call for any number of values.
 *
 * @param writerSchema JSON text
 * @throws FormatError for a writer's schema that is none; OptionsError for a reader's schema that is none or that the
 *   data cannot be read as; UnsupportedError for recursive types that the reader's schema does not leave out
 */
export async function createDatumReader(writerSchema: string, options: DatumReaderOptions = {}): Promise<DatumReader> {
  await loadKernels();
  return new DatumReader(writerSchema, options);
}

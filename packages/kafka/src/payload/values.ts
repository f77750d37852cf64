import type { Column, DataType, IngestError, JsonValue } from "@ingest-ts/core";

/** A record whose key or value could not be decoded: the policy decides what becomes of it. */
export interface PoisonValue {
  /** Within the values given. */
  readonly index: number;
  readonly error: IngestError;
}

/** Keys or values of some records, decoded. */
export interface DecodedValues {
  /** As long as what was given; null where a record had none, and where it is poison. */
  readonly column: Column;
  /** By rising index. */
  readonly poison: readonly PoisonValue[];
}

/** Keys or values of some records as they came. */
export interface PayloadInput {
  /** binary; null is a null key or a tombstone. */
  readonly values: Column;
  /** Of the same records, as in `recordSchema`: schemas may be named there. */
  readonly headers?: Column | undefined;
}

/** How bytes of keys or values are read; the same names in code and on the command line. */
export type PayloadName = "raw" | "utf8" | "json" | "avro" | "example" | "arrow";

/**
 * Keys or values of records straight into one column, whose type never changes. What a batch left does not touch the
 * next.
 */
export interface PayloadDecoder {
  readonly as: PayloadName;
  readonly type: DataType;
  /**
   * Plain data from which `createPayloadDecoder` makes the same decoder again, without looking at records: what a state
   * keeps, so that a resumed run has the same columns.
   */
  readonly resolved: JsonValue;
  /**
   * Decodes each value. A promise only where something has to be fetched first.
   *
   * @throws SourceError when a schema registry cannot be asked: then nothing is known of the values
   */
  decode(input: PayloadInput): DecodedValues | Promise<DecodedValues>;
}

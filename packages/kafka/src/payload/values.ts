import type { Column, IngestError } from "@ingest-ts/core";

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

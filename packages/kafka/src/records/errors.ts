import { type ErrorDetail, FormatError, UnsupportedError } from "@ingest-ts/core";

/** A place in a topic. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly kafkaOffset: number;
}

/** The broker's bytes break the specification of record batches. */
export function corrupt(what: string, place: RecordPlace, detail: ErrorDetail = {}): FormatError {
  return new FormatError(what, {
    where: place,
    remedy: "Read from another replica, or begin after this batch.",
    ...detail,
  });
}

/** Legal in a topic and not offered here. */
export function unsupported(what: string, place: RecordPlace, remedy: string): UnsupportedError {
  return new UnsupportedError(what, { where: place, remedy });
}

import { UnsupportedError } from "./errors.ts";

/** Bounds that hostile or huge input meets before memory does. Each one exceeded is an `UnsupportedError` naming it. */
export interface Limits {
  /** Fetched and not yet decoded, per reader. */
  readonly bytesInFlight: number;
  readonly footerBytes: number;
  /** One page, chunk or block, uncompressed. */
  readonly pageBytes: number;
  readonly recordBytes: number;
  readonly columns: number;
  /** Nesting of a schema. */
  readonly depth: number;
  readonly dictionaryEntries: number;
  /** Items that take no bytes in the file, per fragment. */
  readonly zeroLengthItems: number;
}

const MiB = 1024 * 1024;

/** What holds unless the caller asks for something else. */
export const defaultLimits: Limits = {
  bytesInFlight: 256 * MiB,
  footerBytes: 64 * MiB,
  pageBytes: 256 * MiB,
  recordBytes: 256 * MiB,
  columns: 20_000,
  depth: 64,
  dictionaryEntries: 2 ** 24,
  zeroLengthItems: 1_000_000,
};

/** @throws UnsupportedError when `value` is above the limit `name`; `what` names the thing, for example "a page". */
export function checkLimit(limits: Limits, name: keyof Limits, value: number, what: string): void {
  if (value <= limits[name]) return;
  throw new UnsupportedError(`${what} of ${value} is over limits.${name} = ${limits[name]}`, {
    remedy: `If the file is to be trusted, raise limits.${name}.`,
  });
}

import type { Column } from "@ingest-ts/core";
import type { Places } from "../columns/places.ts";

/** Some values of one column, measured and ready to be written. */
export interface Encoded {
  /** Encoded bytes of each value, or one number when all take as many. */
  readonly sizes: Int32Array | number;
  /** Writes value i to `out` from at[i] on, and moves at[i] behind it. */
  write(out: Uint8Array, at: Int32Array): void;
}

/**
 * Encodes columns into rows without looking at a row: every column says how long each of its values is, sums give the
 * place of each, and every column writes its values there, one tight loop after another.
 */
export type Encoder = (column: Column, places: Places) => Encoded;

/** Adds `sizes` to `into`. */
export function addSizes(into: Int32Array, sizes: Int32Array | number): void {
  if (typeof sizes === "number") for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + sizes;
  else for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (sizes[i] as number);
}

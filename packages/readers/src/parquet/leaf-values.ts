import { type Column, FormatError, UnsupportedError } from "@ingest-ts/core";
import type { PageClient } from "./pages.ts";
import { Encoding, nameOf, Physical } from "./spec.ts";

/** Some slots of a page, of which the valid ones take the next values. */
export interface Step {
  readonly slots: number;
  readonly valid: number;
  /** Address of the slots' validity, or 0 when all are valid. */
  readonly bits: number;
  /** The bit of the first slot. */
  readonly bit: number;
  /** A guess of how many slots the output will have. */
  readonly expectedSlots: number;
}

/** A value that its column cannot hold. Plain: the reader of the column says which row it is. */
export class SlotFault extends Error {
  /** Among the slots of the step. */
  readonly slot: number;

  constructor(slot: number, what: string) {
    super(what);
    this.name = "SlotFault";
    this.slot = slot;
  }
}

/** The buffers of a leaf's column without its validity. */
export interface LeafBuffers {
  readonly data: Uint8Array | null;
  readonly offsets: Int32Array | BigInt64Array | null;
  /** Of dictionary types. */
  readonly dictionary?: Column;
}

/** Decodes the values of one column chunk page by page and gathers them into Arrow buffers. */
export interface LeafValues extends PageClient {
  /** Passes over values of the page. */
  skip(values: number): void;
  /** Appends slots. @returns false, having done nothing, when more than `maxBytes` would be appended. */
  append(step: Step, maxBytes: number): boolean;
  /** Bytes of the first `slots` slots that were appended and not yet taken. */
  sizeOf(slots: number): number;
  take(slots: number): LeafBuffers;
}

/** The error for an encoding that a physical type cannot have, or that is not known. */
export function encodingError(encoding: number, physical: number): Error {
  const name = nameOf(Encoding, encoding, "encoding");
  if (name.startsWith("encoding "))
    return new UnsupportedError(`${encoding === ALP ? "encoding ALP" : name} is not supported`);
  return new FormatError(`encoding ${name} on a column of ${nameOf(Physical, physical, "type")}`);
}

/** Thrift: an encoding of floats in preview, which no writer makes by default. */
const ALP = 10;

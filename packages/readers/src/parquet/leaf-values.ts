import { FormatError, type Limits, UnsupportedError } from "@ingest-ts/core";
import { BinaryValues } from "./values-binary.ts";
import { BooleanValues } from "./values-boolean.ts";
import { BinaryDecimalValues } from "./values-binary-decimal.ts";
import { FixedValues } from "./values-fixed.ts";
import type { LeafNode } from "./nodes.ts";
import type { EncodedValues } from "./pages.ts";
import { Encoding, nameOf, Physical } from "./spec.ts";
import type { Workspace } from "./workspace.ts";

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

/** The buffers of a leaf's column without its validity. */
export interface LeafBuffers {
  readonly data: Uint8Array | null;
  readonly offsets: Int32Array | BigInt64Array | null;
}

/** Decodes the values of one column chunk page by page and gathers them into Arrow buffers. */
export interface LeafValues {
  loadDictionary(values: EncodedValues): void;
  openPage(values: EncodedValues): void;
  /** Passes over values of the page. */
  skip(values: number): void;
  /** Appends slots. @returns false, having done nothing, when more than `maxBytes` would be appended. */
  append(step: Step, maxBytes: number): boolean;
  /** Bytes of the first `slots` slots that were appended and not yet taken. */
  sizeOf(slots: number): number;
  take(slots: number): LeafBuffers;
}

/** Values of a Null column: there are none. */
class NullValues implements LeafValues {
  loadDictionary(): void {
    // Nothing may refer to it.
  }

  openPage(values: EncodedValues): void {
    if (values.count > 0) throw new FormatError(`${values.count} values in a column of type Null`);
  }

  skip(): void {
    // There is nothing to pass.
  }

  append(): boolean {
    return true;
  }

  sizeOf(): number {
    return 0;
  }

  take(): LeafBuffers {
    return { data: null, offsets: null };
  }
}

/** The decoder for a leaf of this physical and Arrow type. */
export function leafValues(space: Workspace, node: LeafNode, limits: Limits): LeafValues {
  const { type, leaf } = node;
  if (type.kind === "null") return new NullValues();
  if (leaf.physical === Physical.BOOLEAN) return new BooleanValues(space);
  if (leaf.physical !== Physical.BYTE_ARRAY) return new FixedValues(space, leaf, type, limits);
  if (type.kind === "decimal") return new BinaryDecimalValues(space, type, limits);
  return new BinaryValues(space, type, limits);
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

import type { DataType } from "@ingest-ts/core";
import { Physical } from "@ingest-ts/readers/parquet/spec";
import { lowerBound, upperBound } from "../columns/bounds.ts";
import { FixedRange, Int32Range, Int64Range, Float16Range, FloatRange, type Range, VaryingRange } from "./ranges.ts";
import type { Leaf } from "./schema.ts";
import type { Values } from "../columns/values.ts";

/** Thrift: the part of `struct Statistics` that bounds the values. */
export interface Bounds {
  readonly min: Uint8Array | undefined;
  readonly max: Uint8Array | undefined;
  readonly minExact: boolean;
  readonly maxExact: boolean;
}

/** Longest bound that is written. */
const BOUND_BYTES = 64;

/**
 * Collects min and max of a column chunk in the order that its type defines (parquet.thrift, `ColumnOrder`): signed or
 * unsigned numbers, unsigned bytes, two's complement for decimals; NaN is left out, and zeros are widened to -0 and +0.
 */
export class ChunkStatistics {
  readonly #range: Range | undefined;
  readonly #isText: boolean;

  constructor(leaf: Leaf) {
    this.#range = rangeOf(leaf);
    this.#isText = leaf.type.kind === "utf8" || leaf.type.kind === "largeUtf8";
  }

  update(values: Values): void {
    if (values.count > 0) this.#range?.update(values);
  }

  /** Undefined when there is nothing to bound: no values, only NaN, or a type without an order. */
  finish(): Bounds | undefined {
    const range = this.#range?.finish();
    if (range === undefined) return undefined;
    const { min, max } = range;
    // Readers expect fixed-width bounds whole: too long ones are left out, variable ones cut.
    if (!(this.#range instanceof VaryingRange))
      return min.length > BOUND_BYTES ? undefined : { min, max, minExact: true, maxExact: true };
    return {
      min: lowerBound(min, BOUND_BYTES, this.#isText),
      max: upperBound(max, BOUND_BYTES, this.#isText),
      minExact: min.length <= BOUND_BYTES,
      maxExact: max.length <= BOUND_BYTES,
    };
  }
}

function rangeOf({ type, physical }: Leaf): Range | undefined {
  switch (physical) {
    case Physical.BOOLEAN:
      return new Int32Range(false, 1);
    case Physical.INT32:
      return type.kind === "null" ? undefined : new Int32Range(!isUnsigned(type), 4);
    case Physical.INT64:
      return new Int64Range(!isUnsigned(type));
    case Physical.FLOAT:
      return new FloatRange(4);
    case Physical.DOUBLE:
      return new FloatRange(8);
    case Physical.BYTE_ARRAY:
      return new VaryingRange();
    default:
      return type.kind === "float" ? new Float16Range() : new FixedRange(type.kind === "decimal");
  }
}

function isUnsigned(type: DataType): boolean {
  return type.kind === "int" && !type.signed;
}

import type { Column, DataType } from "@ingest-ts/core";
import type { JsonCursor } from "./cursor.ts";

/**
 * Collects the values of one column. After a fault in the middle of a record, `truncate` takes every column back to
 * where the record began.
 */
export interface Builder {
  readonly type: DataType;
  readonly length: number;
  /** Takes the value that comes next, which is not null. @throws JsonFault when it does not fit. */
  append(cursor: JsonCursor): void;
  /** Also below the null of a struct, where a field may be non-null. */
  appendNull(): void;
  /** Keeps the first `length` values. */
  truncate(length: number): void;
  /** The values as a column, after which the builder is empty. */
  finish(): Column;
}

/** `values`, or a longer copy of them, with room for `more` elements behind the `used` ones. */
export function grown<T extends Uint8Array | Int32Array>(values: T, used: number, more: number): T {
  if (used + more <= values.length) return values;
  const larger = new (values.constructor as new (length: number) => T)(Math.max(64, used + more, values.length * 2));
  larger.set(values.subarray(0, used));
  return larger;
}

/** Which values are valid; the bits exist once the first null came. */
export class Validity {
  #bits = new Uint8Array(0);
  length = 0;
  nullCount = 0;

  push(valid: boolean): void {
    this.#bits = grown(this.#bits, (this.length + 7) >> 3, 1);
    const byte = this.length >> 3;
    const bit = 1 << (this.length & 7);
    if (valid) this.#bits[byte] = (this.#bits[byte] as number) | bit;
    else {
      this.#bits[byte] = (this.#bits[byte] as number) & ~bit;
      this.nullCount++;
    }
    this.length++;
  }

  truncate(length: number): void {
    for (let i = length; i < this.length; i++) {
      const byte = i >> 3;
      const bit = 1 << (i & 7);
      if (((this.#bits[byte] as number) & bit) === 0) this.nullCount--;
      this.#bits[byte] = (this.#bits[byte] as number) & ~bit;
    }
    this.length = length;
  }

  /** What a column has of it: null without nulls. Empty afterwards. */
  finish(): { readonly length: number; readonly nullCount: number; readonly validity: Uint8Array | null } {
    const { length, nullCount } = this;
    const validity = nullCount === 0 ? null : this.#bits.slice(0, (length + 7) >> 3);
    this.#bits = new Uint8Array(0);
    this.length = 0;
    this.nullCount = 0;
    return { length, nullCount, validity };
  }
}

import { checkLimit, FormatError, type Limits } from "@ingest-ts/core";
import type { AvroType } from "./spec.ts";

/** The fewest bytes that a value takes; 0 for null, records of nothing, and the like. */
function leastBytes(type: AvroType): number {
  switch (type.kind) {
    case "null":
      return 0;
    case "float":
      return 4;
    case "double":
      return 8;
    case "fixed":
      return type.size;
    case "record": {
      let total = 0;
      for (const field of type.fields) total += leastBytes(field.type);
      return total;
    }
    default:
      // A type can contain itself only behind a union, an array or a map, which take a byte.
      return 1;
  }
}

/** Checks claimed counts before anything is made of them; bounds those that cost no bytes. */
export class ItemCounter {
  readonly #limits: Limits;
  #free = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** For items of `type`: throws when `count` of them do not fit `leftBytes`, or too many cost nothing. */
  of(type: AvroType): (count: number, leftBytes: number) => void {
    const least = leastBytes(type);
    return (count, leftBytes) => {
      if (count * least > leftBytes) throw new FormatError(`${count} items are claimed with ${leftBytes} bytes left`);
      if (least > 0) return;
      this.#free += count;
      checkLimit(this.#limits, "zeroLengthItems", this.#free, "a count of items without bytes");
    };
  }
}

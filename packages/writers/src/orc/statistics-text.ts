import { lowerBound, upperBound } from "../columns/bounds.ts";
import type { VaryingValues } from "../columns/values.ts";
import { ProtobufWriter } from "./protobuf.ts";
import type { TypedStatistics } from "./statistics.ts";

/** Longer bounds are cut. */
const BOUND_BYTES = 1024;

function isBelow(bytes: Uint8Array, start: number, end: number, than: Uint8Array): boolean {
  const length = Math.min(end - start, than.length);
  for (let k = 0; k < length; k++) {
    const difference = (bytes[start + k] as number) - (than[k] as number);
    if (difference !== 0) return difference < 0;
  }
  return end - start < than.length;
}

function isAbove(bytes: Uint8Array, start: number, end: number, than: Uint8Array): boolean {
  const length = Math.min(end - start, than.length);
  for (let k = 0; k < length; k++) {
    const difference = (bytes[start + k] as number) - (than[k] as number);
    if (difference !== 0) return difference > 0;
  }
  return end - start > than.length;
}

/** StringStatistics: least and greatest by bytes, and the sum of all lengths. */
export class StringStatistics implements TypedStatistics {
  #min: Uint8Array | undefined;
  #max: Uint8Array | undefined;
  #bytes = 0;

  fresh(): StringStatistics {
    return new StringStatistics();
  }

  /** Values that occur, each at least once. */
  include({ bytes, starts, ends, count }: VaryingValues): void {
    for (let i = 0; i < count; i++) {
      const start = starts[i] as number;
      const end = ends[i] as number;
      if (this.#min === undefined || isBelow(bytes, start, end, this.#min)) this.#min = bytes.slice(start, end);
      if (this.#max === undefined || isAbove(bytes, start, end, this.#max)) this.#max = bytes.slice(start, end);
    }
  }

  addLength(bytes: number): void {
    this.#bytes += bytes;
  }

  merge(other: this): void {
    this.#bytes += other.#bytes;
    for (const bound of [other.#min, other.#max]) {
      if (bound === undefined) continue;
      const [starts, ends] = [Int32Array.of(0), Int32Array.of(bound.length)];
      this.include({ form: "varying", count: 1, bytes: bound, starts, ends });
    }
  }

  encode(into: ProtobufWriter): void {
    const [min, max] = [this.#min, this.#max];
    if (min === undefined || max === undefined) return;
    const out = new ProtobufWriter();
    if (min.length <= BOUND_BYTES) out.bytes(1, min);
    if (max.length <= BOUND_BYTES) out.bytes(2, max);
    out.sint(3, BigInt(this.#bytes));
    if (min.length > BOUND_BYTES) out.bytes(4, lowerBound(min, BOUND_BYTES, true));
    const above = max.length > BOUND_BYTES ? upperBound(max, BOUND_BYTES, true) : undefined;
    if (above !== undefined) out.bytes(5, above);
    into.message(4, out);
  }
}

/** DecimalStatistics, as text. */
export class DecimalStatistics implements TypedStatistics {
  readonly #scale: number;
  #min: bigint | undefined;
  #max: bigint | undefined;

  constructor(scale: number) {
    this.#scale = scale;
  }

  fresh(): DecimalStatistics {
    return new DecimalStatistics(this.#scale);
  }

  /** Of some values, the least and the greatest, without their scale. */
  include(min: bigint, max: bigint): void {
    if (this.#min === undefined || min < this.#min) this.#min = min;
    if (this.#max === undefined || max > this.#max) this.#max = max;
  }

  merge(other: this): void {
    if (other.#min !== undefined && other.#max !== undefined) this.include(other.#min, other.#max);
  }

  encode(into: ProtobufWriter): void {
    if (this.#min === undefined || this.#max === undefined) return;
    const out = new ProtobufWriter().string(1, this.#text(this.#min)).string(2, this.#text(this.#max));
    into.message(6, out);
  }

  #text(value: bigint): string {
    const digits = (value < 0n ? -value : value).toString().padStart(this.#scale + 1, "0");
    const whole = digits.slice(0, digits.length - this.#scale);
    return `${value < 0n ? "-" : ""}${whole}${this.#scale === 0 ? "" : `.${digits.slice(-this.#scale)}`}`;
  }
}

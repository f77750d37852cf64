import { ProtobufWriter } from "./protobuf.ts";

/** What is known of the values of a column in one row group, one stripe or the file, by kind. */
export interface TypedStatistics {
  /** Adds what is known of other values of the same column. */
  merge(other: this): void;
  /** Adds the field of message ColumnStatistics, if there is something to say. */
  encode(into: ProtobufWriter): void;
  /** One that knows nothing. */
  fresh(): TypedStatistics;
}

/** Message `ColumnStatistics`. */
export class ColumnStatistics {
  /** Values that are not null. */
  values = 0;
  hasNull = false;
  readonly typed: TypedStatistics | undefined;

  constructor(typed: TypedStatistics | undefined) {
    this.typed = typed;
  }

  fresh(): ColumnStatistics {
    return new ColumnStatistics(this.typed?.fresh());
  }

  merge(other: ColumnStatistics): void {
    this.values += other.values;
    this.hasNull ||= other.hasNull;
    if (other.typed !== undefined) this.typed?.merge(other.typed);
  }

  encode(): ProtobufWriter {
    const out = new ProtobufWriter().uint(1, this.values);
    if (this.values > 0) this.typed?.encode(out);
    return out.bool(10, this.hasNull);
  }
}

/** IntegerStatistics and DateStatistics. */
export class IntegerStatistics implements TypedStatistics {
  readonly #isDate: boolean;
  #min: bigint | undefined;
  #max: bigint | undefined;
  #sum = 0n;

  constructor(isDate: boolean) {
    this.#isDate = isDate;
  }

  fresh(): IntegerStatistics {
    return new IntegerStatistics(this.#isDate);
  }

  #include(min: bigint, max: bigint): void {
    if (this.#min === undefined || min < this.#min) this.#min = min;
    if (this.#max === undefined || max > this.#max) this.#max = max;
  }

  /** @param words int64 values as pairs of words */
  update(words: Int32Array): void {
    if (words.length === 0) return;
    let minLow = (words[0] as number) >>> 0;
    let minHigh = words[1] as number;
    let maxLow = minLow;
    let maxHigh = minHigh;
    let lows = 0;
    let highs = 0;
    for (let i = 0; i < words.length; i += 2) {
      const low = (words[i] as number) >>> 0;
      const high = words[i + 1] as number;
      lows += low;
      highs += high;
      if (high < minHigh || (high === minHigh && low < minLow)) {
        minHigh = high;
        minLow = low;
      }
      if (high > maxHigh || (high === maxHigh && low > maxLow)) {
        maxHigh = high;
        maxLow = low;
      }
    }
    this.#include((BigInt(minHigh) << 32n) + BigInt(minLow), (BigInt(maxHigh) << 32n) + BigInt(maxLow));
    // Sums of at most 2^21 words are exact; a call has no more values than that.
    this.#sum += (BigInt(highs) << 32n) + BigInt(lows);
  }

  merge(other: this): void {
    if (other.#min !== undefined && other.#max !== undefined) this.#include(other.#min, other.#max);
    this.#sum += other.#sum;
  }

  encode(into: ProtobufWriter): void {
    if (this.#min === undefined || this.#max === undefined) return;
    const out = new ProtobufWriter().sint(1, this.#min).sint(2, this.#max);
    if (!this.#isDate && BigInt.asIntN(64, this.#sum) === this.#sum) out.sint(3, this.#sum);
    into.message(this.#isDate ? 7 : 2, out);
  }
}

/** DoubleStatistics; nothing is said once there was a NaN, which has no place in an order. */
export class DoubleStatistics implements TypedStatistics {
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #hasNaN = false;

  fresh(): DoubleStatistics {
    return new DoubleStatistics();
  }

  update(values: Float32Array | Float64Array): void {
    let min = this.#min;
    let max = this.#max;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (value < min) min = value;
      if (value > max) max = value;
      if (Number.isNaN(value)) this.#hasNaN = true;
    }
    this.#min = min;
    this.#max = max;
  }

  merge(other: this): void {
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.#hasNaN ||= other.#hasNaN;
  }

  encode(into: ProtobufWriter): void {
    if (this.#hasNaN || this.#min > this.#max) return;
    // Both zeros lie between the bounds, whatever order a reader has.
    const min = this.#min === 0 ? -0 : this.#min;
    into.message(3, new ProtobufWriter().double(1, min).double(2, this.#max === 0 ? 0 : this.#max));
  }
}

/** BucketStatistics: how many are true. */
export class BooleanStatistics implements TypedStatistics {
  #trues = 0;

  fresh(): BooleanStatistics {
    return new BooleanStatistics();
  }

  /** @param flags 0 or 1 */
  update(flags: Uint8Array): void {
    let trues = 0;
    for (let i = 0; i < flags.length; i++) trues += flags[i] as number;
    this.#trues += trues;
  }

  merge(other: this): void {
    this.#trues += other.#trues;
  }

  encode(into: ProtobufWriter): void {
    into.message(5, new ProtobufWriter().uints(1, [this.#trues]));
  }
}

/** BinaryStatistics: the sum of all lengths. */
export class BinaryStatistics implements TypedStatistics {
  #bytes = 0;

  fresh(): BinaryStatistics {
    return new BinaryStatistics();
  }

  update(bytes: number): void {
    this.#bytes += bytes;
  }

  merge(other: this): void {
    this.#bytes += other.#bytes;
  }

  encode(into: ProtobufWriter): void {
    into.message(8, new ProtobufWriter().sint(1, BigInt(this.#bytes)));
  }
}

/**
 * TimestampStatistics in whole milliseconds, rounded down. The nanoseconds below them are left out, which means any
 * (`minimumNanos`, `maximumNanos`): the bounds enclose the values all the same.
 */
export class TimestampStatistics implements TypedStatistics {
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  fresh(): TimestampStatistics {
    return new TimestampStatistics();
  }

  update(millis: number): void {
    if (millis < this.#min) this.#min = millis;
    if (millis > this.#max) this.#max = millis;
  }

  merge(other: this): void {
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  encode(into: ProtobufWriter): void {
    if (this.#min > this.#max) return;
    const [min, max] = [BigInt(this.#min), BigInt(this.#max)];
    // The writer's zone is UTC: local time and UTC are the same.
    into.message(9, new ProtobufWriter().sint(1, min).sint(2, max).sint(3, min).sint(4, max));
  }
}

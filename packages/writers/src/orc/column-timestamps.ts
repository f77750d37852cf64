import { type Column, type DataType, OptionsError, type TimeUnit } from "@ingest-ts/core";
import { TIMESTAMP_BASE_SECONDS } from "@ingest-ts/readers/orc/spec";
import { extract } from "../columns/extract.ts";
import type { Places } from "../columns/places.ts";
import type { WordValues } from "../columns/values.ts";
import type { WorkMemory } from "../columns/work-memory.ts";
import { type ColumnBody, ColumnEncoder, directV2 } from "./column.ts";
import { TimestampStatistics } from "./statistics.ts";
import { IntegerStream } from "./streams.ts";
import type { OrcNode } from "./types.ts";
import { WordBuffer } from "./words.ts";

const int64: DataType = { kind: "int", bits: 64, signed: true };
const perSecond: Readonly<Record<TimeUnit, number>> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 };

/** Seconds that 64 bits of nanoseconds hold for certain, which is how ORC's timestamps are read. */
const LEAST_SECOND = -9_223_372_036;
const GREATEST_SECOND = 9_223_372_035;

/** timestamp and timestamp with local time zone: seconds since 2015, and nanoseconds without their zeros. */
export class TimestampColumn extends ColumnEncoder {
  readonly #seconds = new WordBuffer();
  readonly #nanos = new WordBuffer();
  readonly #data: IntegerStream;
  readonly #secondary: IntegerStream;
  readonly #perSecond: number;

  constructor(node: OrcNode, memory: WorkMemory) {
    super(node);
    this.#data = new IntegerStream(memory, true);
    this.#secondary = new IntegerStream(memory, false);
    this.#perSecond = perSecond[(node.type as Extract<DataType, { kind: "timestamp" }>).unit];
  }

  protected override newStatistics(): TimestampStatistics {
    return new TimestampStatistics();
  }

  protected override mark(): void {
    this.#data.mark();
    this.#secondary.mark();
  }

  protected override take(column: Column, places: Places): void {
    const { words, count } = extract(column, int64, places) as WordValues;
    const units = this.#perSecond;
    const nanosPerUnit = 1e9 / units;
    const seconds = this.#seconds.extend(count);
    const nanos = this.#nanos.extend(count);
    const statistics = this.group.typed as TimestampStatistics;
    for (let i = 0; i < count; i++) {
      const low = words[2 * i] as number;
      const high = words[2 * i + 1] as number;
      // The quotient may be one off, since the value may pass 53 bits; the rest, from the low words alone, is exact.
      let second = Math.floor((high * 2 ** 32 + (low >>> 0)) / units);
      let rest = (low - Math.imul(second | 0, units)) | 0;
      if (rest < 0) {
        rest += units;
        second--;
      } else if (rest >= units) {
        rest -= units;
        second++;
      }
      if (second < LEAST_SECOND || second > GREATEST_SECOND) throw outside(words, i, this.node.type);
      const nano = rest * nanosPerUnit;
      statistics.update(second * 1000 + Math.floor(nano / 1e6));
      put(seconds.words, seconds.at + 2 * i, storedSecond(second, nano) - TIMESTAMP_BASE_SECONDS);
      putNanos(nanos.words, nanos.at + 2 * i, second === -1 && nano > 999_999 ? nano - 1e9 : nano);
    }
  }

  protected override flush(): void {
    this.#data.append(this.#seconds.take());
    this.#secondary.append(this.#nanos.take());
  }

  protected override finishBody(): ColumnBody {
    return { streams: [this.#data.finish("data"), this.#secondary.finish("secondary")], encoding: directV2 };
  }
}

/**
 * Readers take a second off before 1970 when there are more than 999,999 ns: Java's first writer cut towards zero, and it
 * stayed so. In the last second before 1970 nothing would be taken off; there the second is 0 and the nanoseconds are
 * negative, as Arrow's C++ writer has them.
 */
function storedSecond(second: number, nano: number): number {
  return second < 0 && nano > 999_999 ? second + 1 : second;
}

function put(words: Int32Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  words[at] = value - high * 2 ** 32;
  words[at + 1] = high;
}

/** Two to eight zeros at the end become a number in the lowest three bits. */
function putNanos(words: Int32Array, at: number, nanos: number): void {
  let value = nanos;
  let zeros = 0;
  if (value !== 0 && value % 100 === 0) {
    value /= 100;
    zeros = 1;
    while (value % 10 === 0 && zeros < 7) {
      value /= 10;
      zeros++;
    }
  }
  put(words, at, value * 8 + zeros);
}

function outside(words: Int32Array, i: number, type: DataType): OptionsError {
  const value = new BigInt64Array(words.slice(2 * i, 2 * i + 2).buffer)[0];
  const { unit } = type as Extract<DataType, { kind: "timestamp" }>;
  return new OptionsError(`timestamp ${value} ${unit} lies outside of the years 1677 to 2262`, {
    remedy: "ORC's timestamps are read as 64-bit nanoseconds; write Parquet or Avro, or text.",
  });
}

import { type Column, type DataType, OptionsError } from "@ingest-ts/core";
import { fixedData, type Places } from "../columns/places.ts";
import { viewInt32 } from "../columns/views.ts";
import type { WorkMemory } from "../columns/work-memory.ts";
import { type ColumnBody, ColumnEncoder, directV2 } from "./column.ts";
import { DecimalStatistics } from "./statistics-text.ts";
import { IntegerStream, RawStream } from "./streams.ts";
import type { OrcNode } from "./types.ts";
import { WordBuffer } from "./words.ts";

/** Bytes of a varint of 128 bits. */
const VARINT_BYTES = 19;

/** decimal: zigzag varints without a bound, and the scale of each. */
export class DecimalColumn extends ColumnEncoder {
  readonly #data = new RawStream();
  readonly #scales = new WordBuffer();
  readonly #secondary: IntegerStream;
  readonly #wordsPerValue: number;

  constructor(node: OrcNode, memory: WorkMemory) {
    super(node);
    this.#secondary = new IntegerStream(memory, true);
    this.#wordsPerValue = (node.type as Extract<DataType, { kind: "decimal" }>).bits / 32;
  }

  protected override newStatistics(): DecimalStatistics {
    return new DecimalStatistics(this.node.scale);
  }

  protected override mark(): void {
    this.#data.mark();
    this.#secondary.mark();
  }

  protected override take(column: Column, { start, length, indices }: Places): void {
    const per = this.#wordsPerValue;
    const words = viewInt32(fixedData(column, 4 * per));
    const { out } = this.#data;
    out.reserve(length * VARINT_BYTES);
    let least = -1;
    let greatest = -1;
    for (let i = 0; i < length; i++) {
      const at = (indices === null ? start + i : (indices[i] as number)) * per;
      checkWidth(words, at, per, this.node.precision);
      if (least < 0 || compare(words, at, least) < 0) least = at;
      if (greatest < 0 || compare(words, at, greatest) > 0) greatest = at;
      out.length = putZigzag(out.bytes, out.length, words, at);
    }
    const [min, max] = [bigOf(words, least), bigOf(words, greatest)];
    checkDigits(min, max, this.node.precision);
    (this.group.typed as DecimalStatistics).include(min, max);
    this.#appendScales(length);
  }

  #appendScales(count: number): void {
    const { scale } = this.node;
    const { words, at } = this.#scales.extend(count);
    for (let to = at; to < at + 2 * count; to += 2) {
      words[to] = scale;
      words[to + 1] = 0;
    }
  }

  protected override flush(): void {
    this.#secondary.append(this.#scales.take());
  }

  protected override finishBody(): ColumnBody {
    return { streams: [this.#data.finish("data"), this.#secondary.finish("secondary")], encoding: directV2 };
  }
}

function overPrecision(precision: number): OptionsError {
  return new OptionsError(`a decimal value has more digits than its declared precision of ${precision}`);
}

/** The upper half of a 256-bit decimal holds nothing but its sign. */
function checkWidth(words: Int32Array, at: number, per: number, precision: number): void {
  const sign = (words[at + 3] as number) >> 31;
  for (let k = 4; k < per; k++) if (words[at + k] !== sign) throw overPrecision(precision);
}

function checkDigits(min: bigint, max: bigint, precision: number): void {
  const limit = 10n ** BigInt(precision);
  if (min <= -limit || max >= limit) throw overPrecision(precision);
}

function compare(words: Int32Array, a: number, b: number): number {
  const top = (words[a + 3] as number) - (words[b + 3] as number);
  if (top !== 0) return top;
  for (let k = 2; k >= 0; k--) {
    const difference = ((words[a + k] as number) >>> 0) - ((words[b + k] as number) >>> 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function bigOf(words: Int32Array, at: number): bigint {
  let value = BigInt(words[at + 3] as number);
  for (let k = 2; k >= 0; k--) value = (value << 32n) | BigInt((words[at + k] as number) >>> 0);
  return value;
}

function putZigzag(out: Uint8Array, from: number, words: Int32Array, at: number): number {
  const sign = (words[at + 3] as number) >> 31;
  let w0 = words[at] as number;
  let w1 = words[at + 1] as number;
  let w2 = words[at + 2] as number;
  let w3 = words[at + 3] as number;
  w3 = ((w3 << 1) | (w2 >>> 31)) ^ sign;
  w2 = ((w2 << 1) | (w1 >>> 31)) ^ sign;
  w1 = ((w1 << 1) | (w0 >>> 31)) ^ sign;
  w0 = (w0 << 1) ^ sign;
  let place = from;
  while ((w1 | w2 | w3) !== 0 || w0 >>> 0 > 127) {
    out[place++] = (w0 & 127) | 128;
    w0 = (w0 >>> 7) | (w1 << 25);
    w1 = (w1 >>> 7) | (w2 << 25);
    w2 = (w2 >>> 7) | (w3 << 25);
    w3 >>>= 7;
  }
  out[place] = w0;
  return place + 1;
}

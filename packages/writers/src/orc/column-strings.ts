import type { Column } from "@ingest-ts/core";
import { createDictionary, type ValueDictionary } from "../columns/dictionary.ts";
import { dictionaryWillPay } from "../columns/dictionary-choice.ts";
import { extract } from "../columns/extract.ts";
import type { Places } from "../columns/places.ts";
import type { VaryingValues } from "../columns/values.ts";
import type { WorkMemory } from "../columns/work-memory.ts";
import { type ColumnBody, ColumnEncoder } from "./column.ts";
import { bytesIn, DirectBytes } from "./column-bytes.ts";
import { StringStatistics } from "./statistics-text.ts";
import { IntegerStream, RawStream } from "./streams.ts";
import type { OrcNode } from "./types.ts";

/** A dictionary larger than this does not pay: every stripe has its own. */
const DICTIONARY_BYTES = 4 * 1024 * 1024;
/** Values that tell whether a dictionary is worth trying. */
const SAMPLE_VALUES = 16_384;

/** string: DICTIONARY_V2 while it pays, else DIRECT_V2, for a whole stripe. */
export class StringColumn extends ColumnEncoder {
  readonly #memory: WorkMemory;
  readonly #tryDictionary: boolean;
  readonly #direct: DirectBytes;
  /** Undefined when the stripe does without. */
  #dictionary: ValueDictionary | undefined;
  #indices = new Int32Array(4096);
  #count = 0;
  /** Indices before each row group. */
  #starts: number[] = [];
  #sampled = false;

  constructor(node: OrcNode, memory: WorkMemory, tryDictionary: boolean) {
    super(node);
    this.#memory = memory;
    this.#tryDictionary = tryDictionary;
    this.#direct = new DirectBytes(memory);
    this.#begin();
  }

  #begin(): void {
    this.#dictionary = this.#tryDictionary ? createDictionary(this.#memory, "bytes", 0) : undefined;
    this.#count = 0;
    this.#starts = [];
    this.#sampled = false;
  }

  protected override newStatistics(): StringStatistics {
    return new StringStatistics();
  }

  protected override mark(): void {
    if (this.#dictionary === undefined) this.#direct.mark();
    else this.#starts.push(this.#count);
  }

  protected override take(column: Column, places: Places): void {
    const values = extract(column, this.node.type, places) as VaryingValues;
    const statistics = this.group.typed as StringStatistics;
    statistics.addLength(bytesIn(values));
    if (this.#dictionary === undefined) {
      statistics.include(values);
      this.#direct.append(values);
      return;
    }
    this.#reserve(values.count);
    this.#dictionary.encode(values, this.#indices, this.#count);
    this.#count += values.count;
    if (this.#dictionary.sizeBytes > DICTIONARY_BYTES || this.#isHopeless(this.#dictionary)) this.#leave();
  }

  #reserve(count: number): void {
    const needed = this.#count + count;
    if (needed <= this.#indices.length) return;
    const grown = new Int32Array(Math.max(needed, this.#indices.length * 2));
    grown.set(this.#indices.subarray(0, this.#count));
    this.#indices = grown;
  }

  /** Judged once a stripe, when enough values have been seen. */
  #isHopeless({ count, sizeBytes }: ValueDictionary): boolean {
    if (this.#sampled || this.#count < SAMPLE_VALUES) return false;
    this.#sampled = true;
    const sample = { values: this.#count, distinct: count, valueBytes: sizeBytes / count };
    return !dictionaryWillPay(sample, DICTIONARY_BYTES);
  }

  /** From here on direct, and what there is of the stripe too. */
  #leave(): void {
    const dictionary = this.#dictionary as ValueDictionary;
    const last = this.#starts.length - 1;
    this.#starts.forEach((start, group) => {
      const end = this.#starts[group + 1] ?? this.#count;
      const values = dictionary.gather(this.#indices.subarray(start, end)) as VaryingValues;
      this.#direct.mark();
      this.#direct.append(values);
      if (group < last) this.#direct.flush();
      else (this.group.typed as StringStatistics).include(values);
    });
    dictionary.release();
    this.#dictionary = undefined;
  }

  protected override flush(): void {
    if (this.#dictionary === undefined) this.#direct.flush();
    else this.#includeDistinct(this.#dictionary);
  }

  /** Bounds of the row group, from the entries that it uses. */
  #includeDistinct(dictionary: ValueDictionary): void {
    const seen = new Uint8Array(dictionary.count);
    const distinct = new Int32Array(dictionary.count);
    let count = 0;
    for (let i = this.#starts.at(-1) as number; i < this.#count; i++) {
      const index = this.#indices[i] as number;
      if (seen[index] === 1) continue;
      seen[index] = 1;
      distinct[count++] = index;
    }
    if (count === 0) return;
    (this.group.typed as StringStatistics).include(dictionary.gather(distinct.subarray(0, count)) as VaryingValues);
  }

  protected override finishBody(): ColumnBody {
    if (this.#dictionary !== undefined && !this.#pays(this.#dictionary)) this.#leaveAtEnd();
    const dictionary = this.#dictionary;
    const body = dictionary === undefined ? this.#direct.finish() : this.#finishDictionary(dictionary);
    dictionary?.release();
    this.#begin();
    return body;
  }

  /** `include` is harmless when repeated; the last group's lengths still wait to be encoded. */
  #leaveAtEnd(): void {
    this.#leave();
    this.#direct.flush();
  }

  /** Whether at least one value in five has come before, as the other writers ask. */
  #pays({ count }: ValueDictionary): boolean {
    return count > 0 && count <= this.#count * 0.8;
  }

  #finishDictionary(dictionary: ValueDictionary): ColumnBody {
    const { bytes, starts, ends, count } = dictionary.values() as VaryingValues;
    const data = new IntegerStream(this.#memory, false);
    this.#starts.forEach((start, group) => {
      data.mark();
      data.append(widened(this.#indices.subarray(start, this.#starts[group + 1] ?? this.#count)));
    });
    const lengths = new IntegerStream(this.#memory, false);
    lengths.append(widened(Int32Array.from({ length: count }, (_, i) => (ends[i] as number) - (starts[i] as number))));
    const content = new RawStream();
    content.out.append(bytes);
    return {
      streams: [data.finish("data"), lengths.finish("length"), content.finish("dictionaryData")],
      encoding: { kind: "dictionaryV2", dictionarySize: count },
    };
  }
}

/** Non-negative int32 values as int64. */
function widened(values: Int32Array): Int32Array {
  const words = new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) words[2 * i] = values[i] as number;
  return words;
}

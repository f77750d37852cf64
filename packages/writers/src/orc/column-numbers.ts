import { type Column, type DataType, halfToNumber, UnsupportedError } from "@ingest-ts/core";
import { extract } from "../columns/extract.ts";
import type { Places } from "../columns/places.ts";
import type { BoolValues, FixedValues, WordValues } from "../columns/values.ts";
import type { WorkMemory } from "../columns/work-memory.ts";
import { type ColumnBody, ColumnEncoder, direct, directV2 } from "./column.ts";
import { BooleanStatistics, DoubleStatistics, IntegerStatistics } from "./statistics.ts";
import { BitStream, ByteRunStream, IntegerStream, RawStream } from "./streams.ts";
import type { OrcNode } from "./types.ts";
import { WordBuffer } from "./words.ts";

/** Sums of so many words are exact in a number. */
const EXACT_WORDS = 2 ** 21;

const int32: DataType = { kind: "int", bits: 32, signed: true };
const int64: DataType = { kind: "int", bits: 64, signed: true };

/** The type whose values are stored as they are: of times their number, whatever the unit. */
function storedType(type: DataType): DataType {
  if (type.kind === "time") return type.unit === "s" || type.unit === "ms" ? int32 : int64;
  return type.kind === "duration" ? int64 : type;
}

/** smallint, int, bigint and date: integers in runs. */
export class IntegerColumn extends ColumnEncoder {
  readonly #type: DataType;
  readonly #unsigned: boolean;
  readonly #data: IntegerStream;
  readonly #words = new WordBuffer();

  constructor(node: OrcNode, memory: WorkMemory) {
    super(node);
    this.#type = storedType(node.type);
    this.#unsigned = node.type.kind === "int" && !node.type.signed;
    this.#data = new IntegerStream(memory, true);
  }

  protected override newStatistics(): IntegerStatistics {
    return new IntegerStatistics(this.node.kind === "date");
  }

  protected override mark(): void {
    this.#data.mark();
  }

  protected override take(column: Column, places: Places): void {
    const values = extract(column, this.#type, places) as WordValues;
    if (this.#unsigned && values.perValue === 2) checkUnsigned(values.words);
    this.#words.append(values, this.#unsigned);
  }

  protected override flush(): void {
    const words = this.#words.take();
    const statistics = this.group.typed as IntegerStatistics;
    for (let at = 0; at < words.length; at += EXACT_WORDS) statistics.update(words.subarray(at, at + EXACT_WORDS));
    this.#data.append(words);
  }

  protected override finishBody(): ColumnBody {
    return { streams: [this.#data.finish("data")], encoding: directV2 };
  }
}

function checkUnsigned(words: Int32Array): void {
  for (let i = 1; i < words.length; i += 2) {
    if ((words[i] as number) >= 0) continue;
    const value = new BigUint64Array(words.slice(i - 1, i + 1).buffer)[0];
    throw new UnsupportedError(`ORC's bigint cannot hold the uint64 ${value}`, {
      remedy: "Cast the column to decimal(20, 0) or to text.",
    });
  }
}

/** tinyint: bytes in runs. */
export class ByteColumn extends ColumnEncoder {
  readonly #data = new ByteRunStream();
  readonly #words = new WordBuffer();

  protected override newStatistics(): IntegerStatistics {
    return new IntegerStatistics(false);
  }

  protected override mark(): void {
    this.#data.mark();
  }

  protected override take(column: Column, places: Places): void {
    this.#words.append(extract(column, this.node.type, places) as WordValues, false);
  }

  protected override flush(): void {
    const words = this.#words.take();
    const statistics = this.group.typed as IntegerStatistics;
    for (let at = 0; at < words.length; at += EXACT_WORDS) statistics.update(words.subarray(at, at + EXACT_WORDS));
    const bytes = new Uint8Array(words.length >> 1);
    for (let i = 0; i < bytes.length; i++) bytes[i] = words[2 * i] as number;
    this.#data.append(bytes);
  }

  protected override finishBody(): ColumnBody {
    return { streams: [this.#data.finish("data")], encoding: direct };
  }
}

/** boolean: bits. A column of the null type is one that has no values. */
export class BooleanColumn extends ColumnEncoder {
  readonly #data = new BitStream();

  protected override newStatistics(): BooleanStatistics {
    return new BooleanStatistics();
  }

  protected override mark(): void {
    this.#data.mark();
  }

  protected override take(column: Column, places: Places): void {
    const { bytes } = extract(column, { kind: "bool" }, places) as BoolValues;
    (this.group.typed as BooleanStatistics).update(bytes);
    this.#data.values(bytes);
  }

  protected override flush(): void {}

  protected override finishBody(): ColumnBody {
    return { streams: [this.#data.finish("data")], encoding: direct };
  }
}

/** float and double: as they lie in memory. */
export class FloatColumn extends ColumnEncoder {
  readonly #data = new RawStream();

  protected override newStatistics(): DoubleStatistics {
    return new DoubleStatistics();
  }

  protected override mark(): void {
    this.#data.mark();
  }

  protected override take(column: Column, places: Places): void {
    const values = floatsOf(column, this.node.type, places);
    (this.group.typed as DoubleStatistics).update(values);
    this.#data.out.append(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  protected override flush(): void {}

  protected override finishBody(): ColumnBody {
    return { streams: [this.#data.finish("data")], encoding: direct };
  }
}

function floatsOf(column: Column, type: DataType, places: Places): Float32Array | Float64Array {
  const values = extract(column, type, places);
  if (values.form === "words") {
    // A view of doubles begins at a multiple of eight bytes.
    const words = values.perValue === 2 && values.words.byteOffset % 8 !== 0 ? values.words.slice() : values.words;
    return values.perValue === 2
      ? new Float64Array(words.buffer, words.byteOffset, values.count)
      : new Float32Array(words.buffer, words.byteOffset, values.count);
  }
  const { bytes } = values as FixedValues;
  const out = new Float32Array(values.count);
  for (let i = 0; i < out.length; i++) {
    out[i] = halfToNumber((bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8));
  }
  return out;
}

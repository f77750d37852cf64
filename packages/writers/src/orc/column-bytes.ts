import type { Column, DataType } from "@ingest-ts/core";
import { extract } from "../columns/extract.ts";
import type { Places } from "../columns/places.ts";
import type { FixedValues, VaryingValues } from "../columns/values.ts";
import type { WorkMemory } from "../columns/work-memory.ts";
import { type ColumnBody, ColumnEncoder, directV2 } from "./column.ts";
import { BinaryStatistics } from "./statistics.ts";
import { IntegerStream, RawStream } from "./streams.ts";
import type { OrcNode } from "./types.ts";
import { WordBuffer } from "./words.ts";

/** DIRECT_V2: the bytes of all values end to end, and their lengths. */
export class DirectBytes {
  readonly #data = new RawStream();
  readonly #words = new WordBuffer();
  readonly #lengths: IntegerStream;

  constructor(memory: WorkMemory) {
    this.#lengths = new IntegerStream(memory, false);
  }

  mark(): void {
    this.#data.mark();
    this.#lengths.mark();
  }

  append({ bytes, starts, ends, count }: VaryingValues): void {
    const { out } = this.#data;
    const { words, at } = this.#words.extend(count);
    for (let i = 0, to = at; i < count; i++) {
      words[to++] = (ends[i] as number) - (starts[i] as number);
      words[to++] = 0;
    }
    // Neighbours in memory are copied together.
    for (let i = 0; i < count; ) {
      const start = starts[i] as number;
      let end = ends[i] as number;
      for (i++; i < count && starts[i] === end; i++) end = ends[i] as number;
      out.append(bytes.subarray(start, end));
    }
  }

  flush(): void {
    this.#lengths.append(this.#words.take());
  }

  finish(): ColumnBody {
    return { streams: [this.#data.finish("data"), this.#lengths.finish("length")], encoding: directV2 };
  }
}

/** The sum of the lengths. */
export function bytesIn({ starts, ends, count }: VaryingValues): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += (ends[i] as number) - (starts[i] as number);
  return total;
}

/** binary, and values of a fixed size. */
export class BinaryColumn extends ColumnEncoder {
  readonly #direct: DirectBytes;

  constructor(node: OrcNode, memory: WorkMemory) {
    super(node);
    this.#direct = new DirectBytes(memory);
  }

  protected override newStatistics(): BinaryStatistics {
    return new BinaryStatistics();
  }

  protected override mark(): void {
    this.#direct.mark();
  }

  protected override take(column: Column, places: Places): void {
    const values = bytesOf(column, this.node.type, places);
    (this.group.typed as BinaryStatistics).update(bytesIn(values));
    this.#direct.append(values);
  }

  protected override flush(): void {
    this.#direct.flush();
  }

  protected override finishBody(): ColumnBody {
    return this.#direct.finish();
  }
}

function bytesOf(column: Column, type: DataType, places: Places): VaryingValues {
  const values = extract(column, type, places);
  if (values.form === "varying") return values;
  const { bytes, width, count } = values as FixedValues;
  const offsets = Int32Array.from({ length: count + 1 }, (_, i) => i * width);
  return { form: "varying", count, bytes, starts: offsets.subarray(0, count), ends: offsets.subarray(1) };
}

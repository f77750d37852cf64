import type { Columns, Schema } from "@ingest-ts/core";
import type {
  PartitionPlace,
  PartitionSpan,
  SlabReader,
  SlabStream,
  StreamSlab,
} from "../../src/stream/window-source.ts";

const int64 = { kind: "int", bits: 64, signed: true } as const;

/** A row is partition × 1,000,000 + offset. */
const fakeSchema: Schema = { metadata: {}, fields: [{ name: "id", type: int64, nullable: false }] };

function idsOf(partition: number, offsets: readonly number[]): Columns {
  const data = new Uint8Array(BigInt64Array.from(offsets, (offset) => BigInt(partition * 1_000_000 + offset)).buffer);
  const none = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null } as const;
  return { rows: offsets.length, columns: [{ ...none, type: int64, length: offsets.length, data }] };
}

export interface FakePartition {
  readonly partition: number;
  /** Offsets with a row, rising. */
  offsets: number[];
  /** The end of the log. */
  end: number;
}

/** A topic in memory: partitions are read in turn, in runs of a few offsets; `grow` wakes whoever waits. */
export class FakeStream implements SlabStream {
  readonly url = "fake://topic";
  readonly digest = "fake";
  readonly schema = fakeSchema;
  readonly partitions: FakePartition[];
  /** Runs of so many offsets. */
  readonly #run: number;
  readonly #bounded: boolean;
  #waiting: (() => void)[] = [];
  followed = 0;
  replayed = 0;

  constructor(partitions: readonly FakePartition[], options: { run?: number; bounded?: boolean } = {}) {
    this.partitions = partitions.map((partition) => ({ ...partition }));
    this.#run = options.run ?? 7;
    this.#bounded = options.bounded ?? true;
  }

  grow(partition: number, rows: number): void {
    const found = this.partitions[partition] as FakePartition;
    for (let i = 0; i < rows; i++) found.offsets.push(found.end++);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async begin(): Promise<readonly PartitionPlace[]> {
    return this.partitions.map(({ partition }) => ({ topic: "t", partition, offset: 0 }));
  }

  async follow(from: readonly PartitionPlace[]): Promise<SlabReader> {
    this.followed++;
    const known = new Map(from.map(({ partition, offset }) => [partition, offset]));
    return this.#reader((partition) => known.get(partition) ?? 0, undefined);
  }

  async replay(spans: readonly PartitionSpan[]): Promise<SlabReader> {
    this.replayed++;
    const ends = new Map(spans.map(({ partition, endOffset }) => [partition, endOffset]));
    const starts = new Map(spans.map(({ partition, offset }) => [partition, offset]));
    return this.#reader((partition) => starts.get(partition) ?? 0, ends);
  }

  #reader(startOf: (partition: number) => number, ends: ReadonlyMap<number, number> | undefined): SlabReader {
    const places = new Map<number, number>();
    let turn = 0;
    let closed = false;
    const take = (): StreamSlab | undefined => {
      for (let tried = 0; tried < this.partitions.length; tried++) {
        const { partition, offsets, end } = this.partitions[turn++ % this.partitions.length] as FakePartition;
        if (ends !== undefined && !ends.has(partition)) continue;
        const start = places.get(partition) ?? startOf(partition);
        const stop = Math.min(ends?.get(partition) ?? end, start + this.#run);
        if (start >= stop) continue;
        places.set(partition, stop);
        const own = offsets.filter((offset) => offset >= start && offset < stop);
        return {
          topic: "t",
          partition,
          startOffset: start,
          endOffset: stop,
          rows: idsOf(partition, own),
          rowOffsets: own,
        };
      }
      return undefined;
    };
    return {
      next: async () => {
        for (;;) {
          const slab = take();
          if (slab !== undefined || closed || ends !== undefined || this.#bounded) return slab;
          await new Promise<void>((wake) => this.#waiting.push(wake));
        }
      },
      close: async () => {
        closed = true;
        for (const wake of this.#waiting.splice(0)) wake();
      },
    };
  }
}

/** A partition whose offsets all hold rows but those that `holes` says. */
export function filled(
  partition: number,
  end: number,
  holes: (offset: number) => boolean = () => false,
): FakePartition {
  return { partition, end, offsets: Array.from({ length: end }, (_, i) => i).filter((offset) => !holes(offset)) };
}

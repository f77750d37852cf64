import type { Columns, Schema } from "@ingest-ts/core";
import type { AckOutcome, PartitionPosition } from "@ingest-ts/kafka";
import type { DecodedSlab } from "@ingest-ts/kafka/payload";
import type { SlabReader } from "../../src/consume/consumer.ts";
import type { SafePlace } from "../../src/consume/output.ts";

const int64 = { kind: "int", bits: 64, signed: true } as const;

/** The columns that the fake decoder gives: the offset of each record. */
const offsetSchema: Schema = { metadata: {}, fields: [{ name: "offset", type: int64, nullable: false }] };

function offsetsFrom(from: number, to: number): Columns {
  const data = new Uint8Array(BigInt64Array.from({ length: to - from }, (_, i) => BigInt(from + i)).buffer);
  const column = { type: int64, length: to - from, nullCount: 0, validity: null, offsets: null, data } as const;
  return { rows: to - from, columns: [{ ...column, children: [], dictionary: null }] };
}

/** A slab with a row for each offset; `empty`: its offsets hold none. */
export function slabOf(topic: string, partition: number, from: number, to: number, empty = false): DecodedSlab {
  const gaps = empty ? [{ cause: "control", start: from, end: to } as const] : [];
  const columns = empty ? offsetsFrom(from, from) : offsetsFrom(from, to);
  const log = { highWatermark: to, lastStableOffset: to, leaderEpoch: 0, epoch: 1 };
  return {
    topic,
    partition,
    startOffset: from,
    endOffset: to,
    columns,
    gaps,
    schema: offsetSchema,
    badRecords: 0,
    ...log,
  };
}

/** A reader that gives the slabs it is told, and notes what is acknowledged. */
export class FakeReader implements SlabReader {
  readonly acked: string[] = [];
  positions: PartitionPosition[] = [];
  outcome: AckOutcome = "committed";
  /** The offset whose slab cannot be decoded. */
  failAt: number | undefined;
  readonly #slabs: DecodedSlab[];
  #wake: () => void = () => {};
  #ended: boolean;

  /** @param open wait for more when these are read, until `end` */
  constructor(slabs: readonly DecodedSlab[], open = false) {
    this.#slabs = [...slabs];
    this.#ended = !open;
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async next(): Promise<IteratorResult<DecodedSlab, undefined>> {
    const value = this.#slabs.shift();
    if (value !== undefined && value.startOffset === this.failAt) throw new Error("bad record");
    if (value !== undefined) return { done: false, value };
    if (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return { done: true, value: undefined };
  }

  async ack({ topic, partition, endOffset }: SafePlace): Promise<AckOutcome> {
    this.acked.push(`${topic}/${partition}:${endOffset}`);
    return this.outcome;
  }
}

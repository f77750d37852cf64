import { addWhere, type Column, getBit, OptionsError } from "@ingest-ts/core";
import type { KafkaSlab } from "../reader/types.ts";
import type { RecordToProduce, Transport } from "../transport/types.ts";
import type { BadRecord } from "./policy.ts";

/** Names of the headers that say why a record is a dead letter, after those that it had. As Kafka Connect's, of our own. */
export const deadLetterHeaders = {
  topic: "__ingest.errors.topic",
  partition: "__ingest.errors.partition",
  offset: "__ingest.errors.offset",
  /** Milliseconds since 1970; left out where the record had none. */
  timestamp: "__ingest.errors.timestamp",
  /** "key" or "value". */
  stage: "__ingest.errors.stage",
  className: "__ingest.errors.exception.class.name",
  message: "__ingest.errors.exception.message",
} as const;

const MOST_MESSAGE = 1024;
/** Of one request: well below the broker's usual limit of 1 MiB, unless one record is larger. */
const REQUEST_BYTES = 512 * 1024;
const UNKNOWN_TOPIC = 3;

type Header = RecordToProduce["headers"][number];

const encoder = new TextEncoder();

function bytesAt(column: Column, i: number): Uint8Array | null {
  if (column.validity !== null && !getBit(column.validity, i)) return null;
  const offsets = column.offsets as Int32Array;
  // A copy: the slab's memory is the reader's again soon.
  return (column.data as Uint8Array).slice(offsets[i], offsets[i + 1]);
}

function headersAt(column: Column, row: number): Header[] {
  const offsets = column.offsets as Int32Array;
  const [names, values] = (column.children[0] as Column).children as [Column, Column];
  const found: Header[] = [];
  for (let i = offsets[row] as number; i < (offsets[row + 1] as number); i++) {
    found.push([new TextDecoder().decode(bytesAt(names, i) ?? undefined), bytesAt(values, i)]);
  }
  return found;
}

function letterOf({ columns }: KafkaSlab, row: number, bad: BadRecord): RecordToProduce {
  const [, , , timestamps, keys, values, headers] = columns.columns as [Column, Column, Column, Column, ...Column[]];
  const timestamp =
    timestamps.validity !== null && !getBit(timestamps.validity, row)
      ? undefined
      : new DataView((timestamps.data as Uint8Array).buffer, (timestamps.data as Uint8Array).byteOffset)
          .getBigInt64(row * 8, true)
          .toString();
  const text = (name: string, value: string): Header => [name, encoder.encode(value)];
  return {
    key: bytesAt(keys as Column, row),
    value: bytesAt(values as Column, row),
    headers: [
      ...headersAt(headers as Column, row),
      text(deadLetterHeaders.topic, bad.topic),
      text(deadLetterHeaders.partition, String(bad.partition)),
      text(deadLetterHeaders.offset, String(bad.kafkaOffset)),
      ...(timestamp === undefined ? [] : [text(deadLetterHeaders.timestamp, timestamp)]),
      text(deadLetterHeaders.stage, bad.side),
      text(deadLetterHeaders.className, bad.error.name),
      text(deadLetterHeaders.message, bad.error.what.slice(0, MOST_MESSAGE)),
    ],
    // Its own would let the topic's retention delete it at once.
    timestampMs: Date.now(),
  };
}

function sizeOf({ key, value, headers }: RecordToProduce): number {
  const header = headers.reduce((sum, [name, bytes]) => sum + name.length + (bytes?.length ?? 0), 0);
  return (key?.length ?? 0) + (value?.length ?? 0) + header;
}

/** Writes bad records to a topic of their own. */
export class DeadLetters {
  readonly #topic: string;
  readonly #transport: Transport;
  #partitions: number | undefined;

  constructor({ topic, transport }: { readonly topic: string; readonly transport: Transport }) {
    this.#topic = topic;
    this.#transport = transport;
  }

  /** How many partitions the topic has. @throws OptionsError when there is no such topic */
  async #partitionCount(): Promise<number> {
    if (this.#partitions !== undefined) return this.#partitions;
    const { topics } = await this.#transport.metadata([this.#topic]);
    const found = topics.find(({ name }) => name === this.#topic);
    if (found === undefined || found.errorCode === UNKNOWN_TOPIC || found.partitions.length === 0) {
      throw new OptionsError("there is no such topic for dead letters", {
        where: { topic: this.#topic },
        remedy: "Create it.",
      });
    }
    this.#partitions = found.partitions.length;
    return this.#partitions;
  }

  /**
   * Writes rows of `slab` in their order, and resolves when every in-sync replica has them. Letters of one partition stay
   * in one partition. After a failure they may be there twice.
   *
   * @throws SourceError when they are not known to be written
   */
  async write(slab: KafkaSlab, rows: readonly number[], bad: readonly BadRecord[]): Promise<void> {
    if (slab.topic === this.#topic) {
      throw new OptionsError("the topic for dead letters is one of those that are read", {
        where: { topic: this.#topic },
      });
    }
    const partition = slab.partition % (await this.#partitionCount());
    let letters: RecordToProduce[] = [];
    let sizeBytes = 0;
    const send = async (): Promise<void> => {
      if (letters.length === 0) return;
      const records = letters;
      letters = [];
      sizeBytes = 0;
      try {
        await this.#transport.produce({ topic: this.#topic, partition }, records);
      } catch (error) {
        throw addWhere(error, { topic: this.#topic, partition });
      }
    };
    for (const [k, row] of rows.entries()) {
      const letter = letterOf(slab, row, bad[k] as BadRecord);
      const letterBytes = sizeOf(letter);
      if (sizeBytes + letterBytes > REQUEST_BYTES) await send();
      letters.push(letter);
      sizeBytes += letterBytes;
    }
    await send();
  }
}

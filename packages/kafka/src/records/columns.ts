import type { Column, Columns, DataType } from "@ingest-ts/core";
import type { RecordPlace } from "./errors.ts";
import { Blobs, Ends, plainColumn, Words } from "./growing.ts";
import { recordSchema } from "./schema.ts";

function typeOf(name: string): DataType {
  const field = recordSchema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`records have no column ${name}`);
  return field.type;
}

const types = {
  topic: typeOf("topic"),
  partition: typeOf("partition"),
  kafkaOffset: typeOf("kafkaOffset"),
  timestamp: typeOf("timestamp"),
  bytes: typeOf("value"),
  headers: typeOf("headers"),
} as const;
const utf8: DataType = { kind: "utf8" };
const entryType: DataType = types.headers.kind === "map" ? types.headers.child.type : types.headers;

/** What a row takes beside its bytes: topic, partition, offset, timestamp and the offsets of key, value and headers. */
const ROW_BYTES = 4 + 4 + 8 + 8 + 12;

/** How much a slab may hold, to begin with arrays of about that size. */
export interface SizeGuess {
  readonly rows: number;
  readonly valueBytes: number;
}

/** Rows as the kernel lays them out: no headers, all values and timestamps valid, keys all null or none. Views, which are copied. */
export interface RowBlock {
  readonly rows: number;
  /** As pairs of words. */
  readonly offsets: Int32Array;
  readonly timestamps: Int32Array;
  readonly nullKeys: boolean;
  /** They count on from what the columns hold. */
  readonly keyEnds: Int32Array;
  readonly valueEnds: Int32Array;
  /** The values one behind the other, and whatever follows. */
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
}

/** The columns of one slab while they grow. */
export class RecordBuilder {
  readonly #topic: string;
  readonly #partition: number;
  readonly #offsets: Words;
  readonly #timestamps: Words;
  readonly #headerEnds: Ends;
  readonly keys: Blobs;
  readonly values: Blobs;
  readonly headerKeys: Blobs = new Blobs(0);
  readonly headerValues: Blobs = new Blobs(0);
  lastTimestampMs: number | undefined;

  constructor(topic: string, partition: number, { rows, valueBytes }: SizeGuess = { rows: 0, valueBytes: 0 }) {
    this.#topic = topic;
    this.#partition = partition;
    this.#offsets = new Words(rows);
    this.#timestamps = new Words(rows);
    this.#headerEnds = new Ends(rows);
    this.keys = new Blobs(rows);
    this.values = new Blobs(rows, valueBytes);
  }

  get rows(): number {
    return this.#offsets.length;
  }

  get sizeBytes(): number {
    const { keys, values, headerKeys, headerValues } = this;
    const blobs = keys.sizeBytes + values.sizeBytes + headerKeys.sizeBytes + headerValues.sizeBytes;
    return blobs + this.rows * ROW_BYTES + headerKeys.length * 8;
  }

  /** Ends the row whose key, value and headers were pushed. */
  end(kafkaOffset: number, timestampMs: number): void {
    this.#offsets.push(kafkaOffset);
    if (timestampMs === -1) this.#timestamps.pushNull();
    else {
      this.#timestamps.push(timestampMs);
      this.lastTimestampMs = timestampMs;
    }
    this.#headerEnds.push(this.headerKeys.length);
  }

  /** Whether keys and values of `sizeBytes` together can be addressed. */
  hasRoom(sizeBytes: number): boolean {
    return this.keys.hasRoom(sizeBytes) && this.values.hasRoom(sizeBytes);
  }

  append(block: RowBlock): void {
    const { rows, timestamps } = block;
    this.#offsets.append(block.offsets);
    this.#timestamps.append(timestamps);
    this.keys.append(block.keyEnds, block.keys, block.nullKeys);
    this.values.append(block.valueEnds, block.values, false);
    this.#headerEnds.pushMany(rows, this.headerKeys.length);
    const [low = 0, high = 0] = timestamps.subarray(-2);
    this.lastTimestampMs = high * 2 ** 32 + (low >>> 0);
  }

  finish(): Columns {
    const { rows } = this;
    const entries: Column = {
      ...plainColumn(entryType, this.headerKeys.length, new Uint8Array(0)),
      data: null,
      children: [this.headerKeys.finish(utf8), this.headerValues.finish(types.bytes)],
    };
    const headers: Column = {
      ...plainColumn(types.headers, rows, new Uint8Array(0)),
      data: null,
      offsets: this.#headerEnds.finish(),
      children: [entries],
    };
    const partitions = new Int32Array(rows).fill(this.#partition);
    const columns: Column[] = [
      { ...plainColumn(types.topic, rows, new Uint8Array(rows * 4)), dictionary: this.#topicName() },
      plainColumn(types.partition, rows, new Uint8Array(partitions.buffer)),
      this.#offsets.finish(types.kafkaOffset),
      this.#timestamps.finish(types.timestamp),
      this.keys.finish(types.bytes),
      this.values.finish(types.bytes),
      headers,
    ];
    return { rows, columns };
  }

  #topicName(): Column {
    const name = new Blobs(1);
    const text = new TextEncoder().encode(this.#topic);
    const place: RecordPlace = { topic: this.#topic, partition: this.#partition, kafkaOffset: 0 };
    name.push(text, 0, text.length, place);
    return name.finish(utf8);
  }
}

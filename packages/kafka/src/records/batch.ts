import type { RecordBuilder } from "./columns.ts";
import { corrupt, type RecordPlace, unsupported } from "./errors.ts";
import type { BatchHeader } from "./header.ts";

/** Offsets from which rows are wanted, and the one before which they end. */
export interface OffsetSpan {
  readonly start: number;
  readonly end: number;
}

/** Called with offsets that hold no record, the end exclusive. */
export type OnGap = (start: number, end: number) => void;

const strict = new TextDecoder("utf-8", { fatal: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Reads the records of one batch, uncompressed, into columns. */
export class BatchDecoder {
  readonly #bytes: Uint8Array;
  readonly #header: BatchHeader;
  readonly #place: { topic: string; partition: number; kafkaOffset: number };
  #at = 0;
  #end = 0;

  constructor(bytes: Uint8Array, header: BatchHeader, place: RecordPlace) {
    this.#bytes = bytes;
    this.#header = header;
    this.#place = { topic: place.topic, partition: place.partition, kafkaOffset: header.baseOffset };
  }

  #fail(what: string): never {
    throw corrupt(what, this.#place);
  }

  /** A zigzag varint within the record (or, for its length, within the batch). */
  #varint(limit: number): number {
    const at = this.#at;
    if (at < limit) {
      const byte = this.#bytes[at] as number;
      if (byte < 0x80) {
        this.#at = at + 1;
        return (byte >>> 1) ^ -(byte & 1);
      }
    }
    return this.#longVarint(limit);
  }

  #longVarint(limit: number): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++, scale *= 128) {
      if (this.#at >= limit) this.#fail("a record ends inside of a number");
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) {
        throw unsupported("a number in a record is beyond 2^53", this.#place, "Such values are not read.");
      }
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    return this.#fail("a number in a record has over ten bytes");
  }

  /** Steps over bytes of `size` (-1: null) and returns where they began. */
  #skip(size: number, least: number, name: string): number {
    const start = this.#at;
    if (size < least || size > this.#end - start) this.#fail(`a record's ${name} claims ${size} bytes`);
    if (size > 0) this.#at = start + size;
    return start;
  }

  /** Opens the next record: all that follows must lie in its length. */
  #open(): void {
    const limit = this.#bytes.length;
    const length = this.#varint(limit);
    if (length < 1 || length > limit - this.#at) this.#fail(`a record claims ${length} bytes`);
    this.#end = this.#at + length;
    this.#at++; // attributes, of which none are defined
  }

  /** The type of a control batch's marker: 0 aborts, 1 commits. */
  controlType(): number {
    this.#open();
    this.#varint(this.#end);
    this.#varint(this.#end);
    const size = this.#varint(this.#end);
    const start = this.#skip(size, 4, "control key");
    return ((this.#bytes[start + 2] as number) << 8) | (this.#bytes[start + 3] as number);
  }

  /** Appends the records of `span` and names the offsets between records that have none. */
  decode(builder: RecordBuilder, span: OffsetSpan, onGap: OnGap): void {
    const { baseOffset, lastOffset, recordCount } = this.#header;
    let expected = baseOffset;
    for (let i = 0; i < recordCount; i++) {
      const kafkaOffset = this.#record(builder, span, expected);
      if (kafkaOffset > expected) onGap(expected, kafkaOffset);
      expected = kafkaOffset + 1;
      this.#place.kafkaOffset = expected;
    }
    if (this.#at !== this.#bytes.length) this.#fail(`${this.#bytes.length - this.#at} bytes follow the last record`);
    if (expected <= lastOffset) onGap(expected, lastOffset + 1);
  }

  /** @returns its offset */
  #record(builder: RecordBuilder, span: OffsetSpan, expected: number): number {
    const header = this.#header;
    this.#open();
    const timestampDelta = this.#varint(this.#end);
    const kafkaOffset = header.baseOffset + this.#varint(this.#end);
    if (kafkaOffset < expected || kafkaOffset > header.lastOffset) {
      this.#fail(
        `a record has kafkaOffset ${kafkaOffset} in a batch up to ${header.lastOffset}, after ${expected - 1}`,
      );
    }
    if (kafkaOffset < span.start || kafkaOffset >= span.end) {
      this.#at = this.#end;
      return kafkaOffset;
    }
    const timestampMs = header.logAppendTime ? header.timestampMs : header.timestampMs + timestampDelta;
    if (!Number.isSafeInteger(timestampMs)) {
      throw unsupported("a timestamp is beyond 2^53", this.#place, "Such values are not read.");
    }
    this.#fields(builder);
    if (this.#at !== this.#end) this.#fail("a record's fields do not fill its length");
    builder.end(kafkaOffset, timestampMs);
    return kafkaOffset;
  }

  #fields(builder: RecordBuilder): void {
    const bytes = this.#bytes;
    const place = this.#place;
    let size = this.#varint(this.#end);
    builder.keys.push(bytes, this.#skip(size, -1, "key"), size, place);
    size = this.#varint(this.#end);
    builder.values.push(bytes, this.#skip(size, -1, "value"), size, place);
    const headers = this.#varint(this.#end);
    // A header takes two bytes at least.
    if (headers < 0 || headers * 2 > this.#end - this.#at) this.#fail(`a record claims ${headers} headers`);
    for (let i = 0; i < headers; i++) {
      size = this.#varint(this.#end);
      builder.headerKeys.push(bytes, this.#name(size), size, place);
      size = this.#varint(this.#end);
      builder.headerValues.push(bytes, this.#skip(size, -1, "header value"), size, place);
    }
  }

  /** Steps over the name of a header and returns where it began: Arrow's strings are UTF-8. */
  #name(size: number): number {
    const start = this.#skip(size, 0, "header key");
    for (let i = start; i < this.#at; i++) {
      if ((this.#bytes[i] as number) < 0x80) continue;
      if (!isUtf8(this.#bytes.subarray(start, this.#at))) this.#fail("the name of a header is not UTF-8");
      break;
    }
    return start;
  }
}

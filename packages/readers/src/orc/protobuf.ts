import { FormatError } from "@ingest-ts/core";

const decoder = new TextDecoder("utf-8");

/** A field of a message: number and wire type (0 varint, 1 fixed 64, 2 bytes, 5 fixed 32). */
export interface ProtobufField {
  readonly number: number;
  readonly wireType: number;
}

/**
 * Reads the protobuf wire format (https://protobuf.dev/programming-guides/encoding/) from untrusted bytes. Numbers above
 * 2^53 are an error: no length, count or offset of a file can be so large.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next field, or undefined at the end. */
  next(): ProtobufField | undefined {
    if (this.#at >= this.#bytes.length) return undefined;
    const tag = this.varint();
    const number = Math.floor(tag / 8);
    if (number === 0) throw new FormatError(`a field number is 0 at byte ${this.#at} of a protobuf message`);
    return { number, wireType: tag % 8 };
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new FormatError("a protobuf message ends inside a number");
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte >= 128) continue;
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    throw new FormatError(`a number at byte ${this.#at} of a protobuf message is out of range`);
  }

  bytes(): Uint8Array {
    const length = this.varint();
    const start = this.#at;
    if (length > this.#bytes.length - start) {
      throw new FormatError(`a protobuf field of ${length} bytes passes the end of its message`);
    }
    this.#at += length;
    return this.#bytes.subarray(start, start + length);
  }

  string(): string {
    return decoder.decode(this.bytes());
  }

  /** A signed number of 64 bits (sint64). */
  zigzag64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new FormatError("a protobuf message ends inside a number");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, (BigInt.asUintN(64, value) >> 1n) ^ -(value & 1n));
    }
    throw new FormatError(`a number at byte ${this.#at} of a protobuf message is too long`);
  }

  /** Bytes of a field of fixed size. */
  fixed(sizeBytes: 4 | 8): Uint8Array {
    const start = this.#at;
    this.#at += sizeBytes;
    if (this.#at > this.#bytes.length) throw new FormatError("a protobuf message ends inside a number");
    return this.#bytes.subarray(start, this.#at);
  }

  /** Eight bytes, IEEE 754. */
  double(): number {
    const { buffer, byteOffset } = this.fixed(8);
    return new DataView(buffer, byteOffset, 8).getFloat64(0, true);
  }

  /** A repeated number, packed or not. */
  varints(field: ProtobufField, into: number[]): void {
    if (field.wireType !== 2) {
      into.push(this.varint());
      return;
    }
    const packed = new ProtobufReader(this.bytes());
    while (packed.#at < packed.#bytes.length) into.push(packed.varint());
  }

  skip(field: ProtobufField): void {
    switch (field.wireType) {
      case 0:
        this.varint64();
        break;
      case 1:
        this.#at += 8;
        break;
      case 2:
        this.bytes();
        break;
      case 5:
        this.#at += 4;
        break;
      default:
        throw new FormatError(`wire type ${field.wireType} of field ${field.number} is not protobuf`);
    }
    if (this.#at > this.#bytes.length) throw new FormatError("a protobuf message ends inside a field");
  }

  /** Passes a varint of any size. */
  varint64(): void {
    for (let i = 0; i < 10; i++) if ((this.#bytes[this.#at++] ?? 0) < 128) return;
    throw new FormatError(`a number at byte ${this.#at} of a protobuf message is too long`);
  }
}

/** Calls `read` for every field of a message; a field that it answers false for is skipped. */
export function readMessage(bytes: Uint8Array, read: (field: ProtobufField, reader: ProtobufReader) => boolean): void {
  const reader = new ProtobufReader(bytes);
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    if (!read(field, reader)) reader.skip(field);
  }
}

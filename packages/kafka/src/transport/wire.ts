import { SourceError, UnsupportedError } from "@ingest-ts/core";

// The primitive types of the protocol: https://kafka.apache.org/protocol#protocol_types

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes a request's body. */
export class WireWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  #room(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#at, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  bool(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int8(value: number): this {
    this.#view.setInt8(this.#room(1), value);
    return this;
  }

  int16(value: number): this {
    const at = this.#room(2);
    this.#view.setInt16(at, value);
    return this;
  }

  int32(value: number): this {
    const at = this.#room(4);
    this.#view.setInt32(at, value);
    return this;
  }

  int64(value: number | bigint): this {
    const at = this.#room(8);
    this.#view.setBigInt64(at, BigInt(value));
    return this;
  }

  /** Unsigned, as flexible versions write lengths. */
  uvarint(value: number): this {
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 128)) this.int8((left & 0x7f) | 0x80);
    return this.int8(left);
  }

  varint(value: number): this {
    return this.uvarint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = encoder.encode(value);
    return this.int16(bytes.length).raw(bytes);
  }

  compactString(value: string): this {
    const bytes = encoder.encode(value);
    return this.uvarint(bytes.length + 1).raw(bytes);
  }

  /** Of 32 hex digits. */
  uuid(hex: string): this {
    const bytes = new Uint8Array(16);
    for (let i = 0; i < 16; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
    return this.raw(bytes);
  }

  bytes(value: Uint8Array | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).raw(value);
  }

  compactArray<T>(values: readonly T[], write: (value: T) => unknown): this {
    this.uvarint(values.length + 1);
    for (const value of values) write(value);
    return this;
  }

  array<T>(values: readonly T[], write: (value: T) => unknown): this {
    this.int32(values.length);
    for (const value of values) write(value);
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Reads a response's body; whatever contradicts itself is a `SourceError` "Corrupt". */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #take(count: number): number {
    const at = this.#at;
    if (count < 0 || count > this.#bytes.length - at) {
      throw new SourceError(`a broker's answer claims ${count} bytes where ${this.left} are left`, {
        reason: "Corrupt",
        retryable: true,
      });
    }
    this.#at += count;
    return at;
  }

  bool(): boolean {
    return this.int8() !== 0;
  }

  int8(): number {
    return this.#view.getInt8(this.#take(1));
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  bigint(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  /** An offset or a time. @throws UnsupportedError beyond 2^53 */
  int64(): number {
    const at = this.#take(8);
    const value = this.#view.getInt32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) {
      throw new UnsupportedError("a broker names an offset or a time beyond 2^53", {
        remedy: "Such values are not read.",
      });
    }
    return value;
  }

  uvarint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      const byte = this.int8() & 0xff;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new SourceError("a broker's answer has a number of over five bytes", { reason: "Corrupt", retryable: true });
  }

  raw(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  nullableString(): string | null {
    const length = this.int16();
    return length === -1 ? null : decoder.decode(this.raw(length));
  }

  string(): string {
    return this.nullableString() ?? "";
  }

  compactNullableString(): string | null {
    const length = this.uvarint();
    return length === 0 ? null : decoder.decode(this.raw(length - 1));
  }

  compactString(): string {
    return this.compactNullableString() ?? "";
  }

  /** A view; null bytes are none. */
  bytes(): Uint8Array {
    const length = this.int32();
    return length === -1 ? new Uint8Array(0) : this.raw(length);
  }

  /** A view; null bytes are none. */
  compactBytes(): Uint8Array {
    const length = this.uvarint();
    return length === 0 ? new Uint8Array(0) : this.raw(length - 1);
  }

  /** 32 hex digits. */
  uuid(): string {
    return Array.from(this.raw(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  #items<T>(count: number, read: () => T): T[] {
    // An item takes a byte at least: a count that cannot be is refused before anything is allocated.
    if (count > this.left) this.#take(count);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  /** A null array is an empty one. */
  array<T>(read: () => T): T[] {
    return this.#items(Math.max(0, this.int32()), read);
  }

  compactArray<T>(read: () => T): T[] {
    return this.#items(Math.max(0, this.uvarint() - 1), read);
  }

  /** The answer must be read to its end: else it was no answer to the request. */
  end(): void {
    if (this.left === 0) return;
    throw new SourceError(`${this.left} bytes follow a broker's answer`, { reason: "Corrupt", retryable: true });
  }

  /** Steps over tagged fields, none of which are read. */
  tags(): void {
    const count = this.uvarint();
    for (let i = 0; i < count; i++) {
      this.uvarint();
      this.raw(this.uvarint());
    }
  }
}

/** Partitions under their topics, in the order of the first of each. */
export function byTopic<T extends { readonly topic: string }>(
  items: readonly T[],
): { readonly topic: string; readonly items: T[] }[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.topic);
    if (group === undefined) groups.set(item.topic, [item]);
    else group.push(item);
  }
  return [...groups].map(([topic, items]) => ({ topic, items }));
}

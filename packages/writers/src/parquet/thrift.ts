import { ByteBuffer } from "../columns/byte-buffer.ts";

/** Types of the Thrift compact protocol, as fields and list elements carry them. */
const ThriftType = {
  STOP: 0,
  TRUE: 1,
  FALSE: 2,
  BYTE: 3,
  I16: 4,
  I32: 5,
  I64: 6,
  BINARY: 8,
  LIST: 9,
  STRUCT: 12,
} as const;

const utf8 = new TextEncoder();

/**
 * Writes structures in the Thrift compact protocol (thrift-compact-protocol.md). Fields of a structure are written in
 * ascending order of their ids.
 */
export class CompactWriter {
  readonly #out = new ByteBuffer(256);
  #lastId = 0;

  /** Everything written so far, sharing memory. */
  view(): Uint8Array {
    return this.#out.view();
  }

  #header(id: number, type: number): void {
    const delta = id - this.#lastId;
    this.#lastId = id;
    if (delta > 0 && delta <= 15) {
      this.#out.byte((delta << 4) | type);
      return;
    }
    this.#out.byte(type);
    this.#zigzag(id);
  }

  #zigzag(value: number): void {
    this.#out.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  #bytes(bytes: Uint8Array): void {
    this.#out.varint(bytes.length);
    this.#out.append(bytes);
  }

  bool(id: number, value: boolean): void {
    this.#header(id, value ? ThriftType.TRUE : ThriftType.FALSE);
  }

  i8(id: number, value: number): void {
    this.#header(id, ThriftType.BYTE);
    this.#out.byte(value);
  }

  i16(id: number, value: number): void {
    this.#header(id, ThriftType.I16);
    this.#zigzag(value);
  }

  i32(id: number, value: number): void {
    this.#header(id, ThriftType.I32);
    this.#zigzag(value);
  }

  /** @param value a safe integer. */
  i64(id: number, value: number): void {
    this.#header(id, ThriftType.I64);
    this.#zigzag(value);
  }

  binary(id: number, value: Uint8Array): void {
    this.#header(id, ThriftType.BINARY);
    this.#bytes(value);
  }

  string(id: number, value: string): void {
    this.binary(id, utf8.encode(value));
  }

  /** Field `id` of the structure being written is a structure that `body` writes. */
  struct(id: number, body: () => void): void {
    this.#header(id, ThriftType.STRUCT);
    this.message(body);
  }

  /** A structure that is no field: the outermost one, or an element of a list. */
  message(body: () => void): void {
    const outer = this.#lastId;
    this.#lastId = 0;
    body();
    this.#out.byte(ThriftType.STOP);
    this.#lastId = outer;
  }

  #list(id: number, elementType: number, length: number): void {
    this.#header(id, ThriftType.LIST);
    if (length < 15) this.#out.byte((length << 4) | elementType);
    else {
      this.#out.byte(0xf0 | elementType);
      this.#out.varint(length);
    }
  }

  structs<T>(id: number, items: readonly T[], body: (item: T, index: number) => void): void {
    this.#list(id, ThriftType.STRUCT, items.length);
    items.forEach((item, index) => {
      this.message(() => {
        body(item, index);
      });
    });
  }

  strings(id: number, items: readonly string[]): void {
    this.#list(id, ThriftType.BINARY, items.length);
    for (const item of items) this.#bytes(utf8.encode(item));
  }

  i32s(id: number, items: readonly number[]): void {
    this.#list(id, ThriftType.I32, items.length);
    for (const item of items) this.#zigzag(item);
  }

  i64s(id: number, items: readonly number[]): void {
    this.#list(id, ThriftType.I64, items.length);
    for (const item of items) this.#zigzag(item);
  }
}

import { FormatError } from "@ingest-ts/core";

/** Types of the Thrift compact protocol, as fields and list elements carry them. */
export const ThriftType = {
  STOP: 0,
  TRUE: 1,
  FALSE: 2,
  BYTE: 3,
  I16: 4,
  I32: 5,
  I64: 6,
  DOUBLE: 7,
  BINARY: 8,
  LIST: 9,
  SET: 10,
  MAP: 11,
  STRUCT: 12,
  UUID: 13,
} as const;

/** Structures inside structures; Parquet's own go 6 deep, so anything near this is hostile. */
const MAX_DEPTH = 32;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads the Thrift compact protocol (thrift-compact-protocol.md) from `bytes`, which lie at `baseOffset` of the file.
 *
 * Nothing is believed: every length is checked against the bytes there are, every type against what is expected, depth
 * is bounded, and unknown fields of any type are skipped. @throws FormatError with the offset of the fault.
 */
export class CompactReader {
  readonly #bytes: Uint8Array;
  readonly #baseOffset: number;
  #depth = 0;
  /** Next byte, relative to `bytes`. */
  position: number;

  constructor(bytes: Uint8Array, baseOffset: number, position = 0) {
    this.#bytes = bytes;
    this.#baseOffset = baseOffset;
    this.position = position;
  }

  /** An error at the current position. */
  fail(what: string): FormatError {
    return new FormatError(what, { where: { offset: this.#baseOffset + this.position } });
  }

  byte(): number {
    const value = this.#bytes[this.position];
    if (value === undefined) throw this.fail("thrift: the structure is cut short");
    this.position++;
    return value;
  }

  /** An unsigned LEB128 number; exact up to 2^53, larger ones come out rounded. */
  #varint(maxBytes: number): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < maxBytes; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw this.fail(`thrift: a varint of more than ${maxBytes} bytes`);
  }

  #zigzag(maxBytes: number): number {
    const value = this.#varint(maxBytes);
    if (value > 2 * Number.MAX_SAFE_INTEGER) throw this.fail("thrift: an integer beyond 2^53");
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #expect(type: number, wanted: number, what: string): void {
    if (type !== wanted) throw this.fail(`thrift: expected type ${wanted} for ${what}, found ${type}`);
  }

  /** @param type the field's type, as given to the visitor of `struct`. */
  i8(type: number, what: string): number {
    this.#expect(type, ThriftType.BYTE, what);
    return (this.byte() << 24) >> 24;
  }

  i16(type: number, what: string): number {
    this.#expect(type, ThriftType.I16, what);
    return this.#ranged(this.#zigzag(5), -(2 ** 15), 2 ** 15 - 1, what);
  }

  i32(type: number, what: string): number {
    this.#expect(type, ThriftType.I32, what);
    return this.#ranged(this.#zigzag(5), -(2 ** 31), 2 ** 31 - 1, what);
  }

  i64(type: number, what: string): number {
    this.#expect(type, ThriftType.I64, what);
    return this.#zigzag(10);
  }

  #ranged(value: number, low: number, high: number, what: string): number {
    if (value < low || value > high) throw this.fail(`thrift: ${what} = ${value} is out of range`);
    return value;
  }

  /** A count, size or offset: an i32 or i64 that must not be negative. */
  count(type: number, wanted: typeof ThriftType.I32 | typeof ThriftType.I64, what: string): number {
    const value = wanted === ThriftType.I32 ? this.i32(type, what) : this.i64(type, what);
    if (value < 0) throw this.fail(`${what} is negative: ${value}`);
    return value;
  }

  bool(type: number, what: string): boolean {
    if (type !== ThriftType.TRUE && type !== ThriftType.FALSE)
      throw this.fail(`thrift: expected a boolean for ${what}, found type ${type}`);
    return type === ThriftType.TRUE;
  }

  binary(type: number, what: string): Uint8Array {
    this.#expect(type, ThriftType.BINARY, what);
    const length = this.#length(what);
    const start = this.position;
    this.position += length;
    return this.#bytes.subarray(start, start + length);
  }

  string(type: number, what: string): string {
    const bytes = this.binary(type, what);
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.fail(`thrift: ${what} is not UTF-8`);
    }
  }

  /** A length of bytes that must still be there. */
  #length(what: string): number {
    const length = this.#varint(5);
    if (length > this.#bytes.length - this.position)
      throw this.fail(`thrift: ${what} claims ${length} bytes, ${this.#bytes.length - this.position} are left`);
    return length;
  }

  /**
   * Elements of a list, each read by `element`. A list of no elements may claim any element type: some writers do.
   */
  list<T>(type: number, elementType: number, what: string, element: (elementType: number) => T): T[] {
    this.#expect(type, ThriftType.LIST, what);
    const { size, found } = this.#listHeader(what);
    if (size === 0) return [];
    this.#expect(found, elementType, `elements of ${what}`);
    this.#enter();
    const out: T[] = [];
    for (let i = 0; i < size; i++) out.push(element(found));
    this.#depth--;
    return out;
  }

  /** A list of booleans, each of which takes a byte. */
  booleans(type: number, what: string): boolean[] {
    this.#expect(type, ThriftType.LIST, what);
    const { size, found } = this.#listHeader(what);
    if (size > 0 && found !== ThriftType.TRUE && found !== ThriftType.FALSE)
      throw this.fail(`thrift: expected booleans as elements of ${what}, found type ${found}`);
    return Array.from({ length: size }, () => this.byte() === ThriftType.TRUE);
  }

  /** Every element takes at least one byte, so a list cannot have more elements than bytes are left. */
  #listHeader(what: string): { size: number; found: number } {
    const header = this.byte();
    const size = header >> 4 === 15 ? this.#varint(5) : header >> 4;
    if (size > this.#bytes.length - this.position)
      throw this.fail(`thrift: ${what} claims ${size} elements, ${this.#bytes.length - this.position} bytes are left`);
    return { size, found: header & 15 };
  }

  /** Calls `field` for every field; it must read or skip the value. */
  struct(type: number, what: string, field: (id: number, type: number) => void): void {
    this.#expect(type, ThriftType.STRUCT, what);
    this.#enter();
    let id = 0;
    for (;;) {
      const header = this.byte();
      if (header === ThriftType.STOP) break;
      const delta = header >> 4;
      id = delta === 0 ? this.#zigzag(3) : id + delta;
      field(id, header & 15);
    }
    this.#depth--;
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw this.fail(`thrift: structures nest deeper than ${MAX_DEPTH}`);
  }

  /** Passes over a value of any type. */
  skip(type: number): void {
    switch (type) {
      case ThriftType.TRUE:
      case ThriftType.FALSE:
        return;
      case ThriftType.BYTE:
        return this.#pass(1);
      case ThriftType.I16:
      case ThriftType.I32:
      case ThriftType.I64:
        this.#varint(10);
        return;
      case ThriftType.DOUBLE:
        return this.#pass(8);
      case ThriftType.UUID:
        return this.#pass(16);
      case ThriftType.BINARY:
        return this.#pass(this.#length("a skipped value"));
      case ThriftType.LIST:
      case ThriftType.SET:
        return this.#skipList();
      case ThriftType.MAP:
        return this.#skipMap();
      case ThriftType.STRUCT:
        return this.struct(type, "a skipped structure", (_, inner) => this.skip(inner));
      default:
        throw this.fail(`thrift: type ${type} does not exist`);
    }
  }

  /** Passes over a value of any type and answers its bytes, which are those of the structure itself. */
  raw(type: number): Uint8Array {
    const start = this.position;
    this.skip(type);
    return this.#bytes.subarray(start, this.position);
  }

  #pass(length: number): void {
    if (length > this.#bytes.length - this.position) throw this.fail("thrift: the structure is cut short");
    this.position += length;
  }

  #skipList(): void {
    const { size, found } = this.#listHeader("a skipped list");
    this.#enter();
    for (let i = 0; i < size; i++) this.#skipElement(found);
    this.#depth--;
  }

  #skipMap(): void {
    const size = this.#varint(5);
    if (size === 0) return;
    if (size > this.#bytes.length - this.position) throw this.fail(`thrift: a map claims ${size} entries`);
    const types = this.byte();
    this.#enter();
    for (let i = 0; i < size; i++) {
      this.#skipElement(types >> 4);
      this.#skipElement(types & 15);
    }
    this.#depth--;
  }

  /** Booleans take no byte as fields, but one byte as elements. */
  #skipElement(type: number): void {
    if (type === ThriftType.TRUE || type === ThriftType.FALSE) this.#pass(1);
    else this.skip(type);
  }
}

import { ByteBuffer } from "../columns/byte-buffer.ts";

const utf8 = new TextEncoder();

/** Writes one message of the protobuf wire format (https://protobuf.dev/programming-guides/encoding/). */
export class ProtobufWriter {
  readonly #out: ByteBuffer = new ByteBuffer();

  #tag(field: number, wireType: number): void {
    this.#out.varint(field * 8 + wireType);
  }

  /** Unsigned, exact up to 2^53. */
  uint(field: number, value: number): this {
    this.#tag(field, 0);
    this.#out.varint(value);
    return this;
  }

  bool(field: number, value: boolean): this {
    return this.uint(field, value ? 1 : 0);
  }

  /** sint64: zigzag. */
  sint(field: number, value: bigint): this {
    this.#tag(field, 0);
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    for (; rest >= 128n; rest >>= 7n) this.#out.byte(Number(rest & 127n) | 128);
    this.#out.byte(Number(rest));
    return this;
  }

  double(field: number, value: number): this {
    this.#tag(field, 1);
    this.#out.append(new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, 2);
    this.#out.varint(value.length);
    this.#out.append(value);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  message(field: number, value: ProtobufWriter): this {
    return this.bytes(field, value.finish());
  }

  /** A packed list of unsigned numbers. */
  uints(field: number, values: readonly number[]): this {
    const packed = new ByteBuffer();
    for (const value of values) packed.varint(value);
    return this.bytes(field, packed.view());
  }

  finish(): Uint8Array {
    return this.#out.view();
  }
}

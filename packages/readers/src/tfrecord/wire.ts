import { wireTypes } from "./spec.ts";

/** Groups within groups that `skip` follows. */
const GROUP_DEPTH = 64;

/** Bytes that are not the protocol buffer they should be. Plain: the decoder turns it into a FormatError. */
export class WireError extends Error {
  /** Index into the bytes that were read. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = "WireError";
    this.at = at;
  }
}

/** Reads protocol buffer fields of `bytes` from `position` on; `end` is of the message being read. */
export class Wire {
  readonly bytes: Uint8Array;
  position: number;
  /** Of the tag read last. */
  field = 0;
  wireType = 0;
  #tagAt = 0;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  /** An unsigned varint; exact up to 2^53, and above that still too large for every use it has here. */
  uint(end: number): number {
    const { bytes } = this;
    const start = this.position;
    let value = 0;
    let scale = 1;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      value += (byte & 127) * scale;
      if (byte < 128) {
        this.position = i + 1;
        return value;
      }
      if (i - start === 9) throw new WireError("a varint is longer than 10 bytes", start);
      scale *= 128;
    }
    throw new WireError("a varint is cut", start);
  }

  /** Reads the next tag into `field` and `wireType`. */
  tag(end: number): void {
    const at = this.position;
    const tag = this.uint(end);
    this.#tagAt = at;
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0 || tag > 0xffff_ffff) throw new WireError(`a tag of ${tag} names no field`, at);
  }

  /** Reads a length and answers where what it covers ends; `position` is then its start. */
  lengthEnd(end: number): number {
    const at = this.position;
    const length = this.uint(end);
    if (length > end - this.position) {
      throw new WireError(`a length of ${length} passes the end of its message`, at);
    }
    return this.position + length;
  }

  /** The message that the tag read last announces: `position` its start, the answer its end. */
  message(end: number, what: string): number {
    if (this.wireType !== wireTypes.length) {
      throw new WireError(`${what} has wire type ${this.wireType}, not ${wireTypes.length}`, this.#tagAt);
    }
    return this.lengthEnd(end);
  }

  /** Passes over the field whose tag was read last: one this reader does not know. */
  skip(end: number): void {
    const groups: number[] = [];
    const at = this.#tagAt;
    for (;;) {
      switch (this.wireType) {
        case wireTypes.varint:
          this.uint(end);
          break;
        case wireTypes.fixed64:
          this.#pass(8, end);
          break;
        case wireTypes.fixed32:
          this.#pass(4, end);
          break;
        case wireTypes.length:
          this.position = this.lengthEnd(end);
          break;
        case wireTypes.startGroup:
          if (groups.push(this.field) > GROUP_DEPTH) throw new WireError("groups are nested too deep", at);
          break;
        case wireTypes.endGroup:
          if (groups.pop() !== this.field) throw new WireError("a group ends that did not begin", this.#tagAt);
          break;
        default:
          throw new WireError(`wire type ${this.wireType} does not exist`, this.#tagAt);
      }
      if (groups.length === 0) return;
      this.tag(end);
    }
  }

  #pass(length: number, end: number): void {
    if (length > end - this.position) throw new WireError(`a value of ${length} bytes is cut`, this.position);
    this.position += length;
  }
}

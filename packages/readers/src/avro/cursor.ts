import { FormatError } from "@ingest-ts/core";

/** Reads Avro's binary encoding ("Binary Encoding") from untrusted bytes, front to back. */
export class Cursor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  at: number;
  /** The halves of the last `long`: low as uint32, high as int32. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get leftBytes(): number {
    return this.bytes.length - this.at;
  }

  /** @throws FormatError when there are fewer bytes left. @returns where they begin */
  take(sizeBytes: number): number {
    const start = this.at;
    if (sizeBytes < 0 || sizeBytes > this.bytes.length - start) {
      throw new FormatError(`a value of ${sizeBytes} bytes passes the end of its data at byte ${start}`);
    }
    this.at = start + sizeBytes;
    return start;
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw new FormatError(`the data end inside a value at byte ${this.at}`);
    this.at++;
    return value;
  }

  /** A 32-bit zigzag varint. */
  int(): number {
    this.long();
    const { low, high } = this;
    if (high !== low >> 31) throw new FormatError(`an int does not fit 32 bits at byte ${this.at}`);
    return low | 0;
  }

  /** A 64-bit zigzag varint into `low` and `high`. */
  long(): void {
    const { bytes } = this;
    let at = this.at;
    let low = 0;
    let high = 0;
    let byte = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      byte = bytes[at++] ?? -1;
      if (byte < 0) break;
      const part = byte & 127;
      if (shift < 28) low |= part << shift;
      else if (shift === 28) {
        low |= part << 28;
        high = part >> 4;
      } else high |= part << (shift - 32);
      if (shift === 63 && part > 1) break;
      if (byte >= 128) continue;
      this.at = at;
      const sign = -(low & 1);
      this.low = (((low >>> 1) | (high << 31)) ^ sign) >>> 0;
      this.high = (high >>> 1) ^ sign;
      return;
    }
    throw new FormatError(`a number is cut off or longer than 10 bytes at byte ${this.at}`);
  }

  /** A long that counts something: in ±2^53. */
  count(): number {
    this.long();
    const value = this.high * 2 ** 32 + this.low;
    if (!Number.isSafeInteger(value)) throw new FormatError(`a count of ${value} is out of range at byte ${this.at}`);
    return value;
  }

  float32Bits(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  uint32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** The length of bytes or a string, checked against what is left. */
  length(): number {
    const length = this.count();
    if (length < 0 || length > this.leftBytes) {
      throw new FormatError(`a length of ${length} with ${this.leftBytes} bytes left at byte ${this.at}`);
    }
    return length;
  }
}

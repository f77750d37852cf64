import { CodecError } from "@ingest-ts/kernels/codecs";

/** Larger outputs are left to the garbage collector. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024;

let kept = new Uint8Array(0);

/** Memory of any content, which the next call may give away again. */
function take(sizeBytes: number): Uint8Array {
  if (sizeBytes > kept.length) {
    const larger = new Uint8Array(2 ** Math.ceil(Math.log2(sizeBytes)));
    if (larger.length > MOST_KEPT_BYTES) return larger;
    kept = larger;
  }
  return kept;
}

/**
 * What a batch decompresses to, put together from its blocks. One at a time: its memory is used again by the next, since
 * batches are decoded into copies before the next one is decompressed.
 */
export class Output {
  #bytes: Uint8Array;
  size = 0;
  readonly #codec: string;
  readonly #limit: number;

  /** @param guessBytes what there will be, more or less */
  constructor(codec: string, guessBytes: number, limit: number) {
    this.#codec = codec;
    this.#limit = limit;
    this.#bytes = take(Math.max(64, Math.min(guessBytes, limit)));
  }

  /** What is there. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  get left(): number {
    return this.#limit - this.size;
  }

  #reserve(count: number): void {
    const needed = this.size + count;
    if (count > this.left) throw new CodecError(this.#codec, `there are more than ${this.#limit} bytes`);
    if (needed <= this.#bytes.length) return;
    const old = this.bytes;
    this.#bytes = take(Math.max(needed, Math.min(this.#limit, this.#bytes.length * 2)));
    if (this.#bytes.buffer !== old.buffer) this.#bytes.set(old);
  }

  /** Room for `count` bytes behind what is there. @throws CodecError past the limit */
  room(count: number): Uint8Array {
    this.#reserve(count);
    return this.#bytes.subarray(this.size, this.size + count);
  }

  append(part: Uint8Array): void {
    this.room(part.length).set(part);
    this.size += part.length;
  }

  /** Counts a part that was put into `room`, or copies it when it lies elsewhere. */
  take(part: Uint8Array): void {
    const isInPlace = part.buffer === this.#bytes.buffer && part.byteOffset === this.#bytes.byteOffset + this.size;
    if (isInPlace) this.size += part.length;
    else this.append(part);
  }

  /** `count` bytes again from `distance` back; they may overlap what is written. @throws CodecError */
  repeat(distance: number, count: number): void {
    const { size } = this;
    if (distance === 0 || distance > size) {
      throw new CodecError(this.#codec, `a match lies ${distance} back at ${size}`);
    }
    this.#reserve(count);
    const bytes = this.#bytes;
    if (distance >= count) bytes.copyWithin(size, size - distance, size - distance + count);
    else for (let i = size; i < size + count; i++) bytes[i] = bytes[i - distance] as number;
    this.size += count;
  }
}

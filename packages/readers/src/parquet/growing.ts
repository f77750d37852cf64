import { copyBits, countBits } from "@ingest-ts/core";

/** Guesses come from the file, so they are believed only so far. */
const MAX_GUESS_BYTES = 2 ** 26;

/** Bytes that grow at the end and are taken from the front. What was taken is never written again. */
export class GrowingBytes {
  #bytes: Uint8Array = new Uint8Array(0);
  length = 0;

  /** @param expected a guess of the final length that saves growing. */
  append(source: Uint8Array, expected = 0): void {
    const needed = this.length + source.length;
    if (needed > this.#bytes.length) this.#grow(needed, expected);
    this.#bytes.set(source, this.length);
    this.length = needed;
  }

  #grow(needed: number, expected: number): void {
    const capacity = Math.max(
      needed,
      Math.min(expected, MAX_GUESS_BYTES),
      Math.min(this.#bytes.length * 2, this.#bytes.length + 2 ** 26),
    );
    // A multiple of 8 so that the buffer can be seen as any element type.
    const grown = new Uint8Array(Math.ceil(capacity / 8) * 8);
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
  }

  /** The 32-bit integer at `index`; the bytes must be a row of such. */
  int32At(index: number): number {
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getInt32(index * 4, true);
  }

  /** The first `length` bytes; the rest moves to a new buffer. */
  take(length: number): Uint8Array {
    const bytes = this.#bytes;
    const rest = bytes.slice(length, this.length);
    this.#bytes = rest;
    this.length = rest.length;
    // A much too large guess is not worth keeping alive.
    return length * 2 < bytes.length ? bytes.slice(0, length) : bytes.subarray(0, length);
  }
}

/** Bits that grow at the end and are taken from the front. */
export class GrowingBits {
  #bits: Uint8Array = new Uint8Array(0);
  length = 0;

  /** Place of the next bit within its byte. */
  get bit(): number {
    return this.length & 7;
  }

  #reserve(extra: number): Uint8Array {
    const needed = (this.length + extra + 7) >> 3;
    if (this.#bits.length < needed) {
      const grown = new Uint8Array(Math.max(needed, this.#bits.length * 2, 64));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    return this.#bits;
  }

  /** Appends `count` set bits. */
  fill(count: number): void {
    const bits = this.#reserve(count);
    const end = this.length + count;
    let i = this.length;
    for (; i < end && (i & 7) !== 0; i++) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
    if (i < end) {
      bits.fill(0xff, i >> 3, end >> 3);
      if ((end & 7) !== 0) bits[end >> 3] = (1 << (end & 7)) - 1;
    }
    this.length = end;
  }

  /** Appends `count` bits of `source` from its bit `this.bit` on; bits of its last byte past them must be clear. */
  append(source: Uint8Array, count: number): void {
    if (count === 0) return;
    const bits = this.#reserve(count);
    const first = this.length >> 3;
    const low = (1 << this.bit) - 1;
    const head = ((bits[first] as number) & low) | ((source[0] as number) & ~low);
    bits.set(source.subarray(0, (this.bit + count + 7) >> 3), first);
    bits[first] = head;
    this.length += count;
  }

  /** The first `count` bits; the rest moves to a new buffer. */
  take(count: number): Uint8Array {
    const bits = this.#bits;
    const rest = this.length - count;
    this.#bits = rest === 0 ? new Uint8Array(0) : copyBits(bits, count, rest);
    this.length = rest;
    return rest === 0 ? bits.subarray(0, (count + 7) >> 3) : copyBits(bits, 0, count);
  }
}

/** Validity of slots; nothing is stored while all are valid. */
export class GrowingValidity {
  #bits: GrowingBits | undefined;
  #length = 0;
  #nulls = 0;

  /** Where within its byte a kernel should write the next slot. */
  get bit(): number {
    return this.#length & 7;
  }

  fill(count: number): void {
    this.#bits?.fill(count);
    this.#length += count;
  }

  /** As `GrowingBits.append`; `valid` of the bits are set. */
  append(source: Uint8Array, count: number, valid: number): void {
    if (valid === count) {
      this.fill(count);
      return;
    }
    if (this.#bits === undefined) {
      this.#bits = new GrowingBits();
      this.#bits.fill(this.#length);
    }
    this.#bits.append(source, count);
    this.#length += count;
    this.#nulls += count - valid;
  }

  /** The first `count` bits, or null when all of them are set. */
  take(count: number): { validity: Uint8Array | null; nullCount: number } {
    this.#length -= count;
    if (this.#bits === undefined) return { validity: null, nullCount: 0 };
    const validity = this.#bits.take(count);
    const nullCount = this.#length === 0 ? this.#nulls : count - countBits(validity, count);
    this.#nulls -= nullCount;
    if (this.#nulls === 0) this.#bits = undefined;
    return { validity: nullCount === 0 ? null : validity, nullCount };
  }
}

/**
 * Arrow offsets that grow at the end and are taken from the front: the starts of values, and `end`, the end of the last.
 */
export class GrowingOffsets {
  readonly #starts: GrowingBytes = new GrowingBytes();
  /** Where the next value starts. */
  end = 0;

  get length(): number {
    return this.#starts.length / 4;
  }

  /** @param starts Int32 starts of more values, little endian, the first of them being `this.end`. */
  append(starts: Uint8Array, end: number, expected = 0): void {
    this.#starts.append(starts, expected);
    this.end = end;
  }

  /** Where value `index` starts; `end` for the one after the last. */
  at(index: number): number {
    return index === this.length ? this.end : this.#starts.int32At(index);
  }

  /** Offsets of the first `count` values; those of the rest are counted from 0 again. */
  take(count: number): Int32Array {
    const split = this.at(count);
    const partial = count < this.length;
    if (!partial) this.#starts.append(new Uint8Array(Int32Array.of(this.end).buffer));
    const taken = this.#starts.take((partial ? count : count + 1) * 4);
    if (!partial) {
      this.end = 0;
      return new Int32Array(taken.buffer, taken.byteOffset, count + 1);
    }
    const offsets = new Int32Array(count + 1);
    offsets.set(new Int32Array(taken.buffer, taken.byteOffset, count));
    offsets[count] = split;
    const rest = this.#starts.take(this.#starts.length);
    const starts = new Int32Array(rest.buffer, rest.byteOffset, rest.length / 4);
    for (let i = 0; i < starts.length; i++) starts[i] = (starts[i] as number) - split;
    this.append(rest, this.end - split);
    return offsets;
  }
}

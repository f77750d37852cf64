import { createHash, type Hash } from "node:crypto";
import { type Column, getBit } from "@ingest-ts/core";

const BLOCK_BITS = 1 << 16;

/** Bits packed without gaps, whatever runs they arrive in, and hashed a block at a time. */
export class BitStream {
  readonly #hash: Hash = createHash("sha256");
  readonly #block = new Uint8Array(BLOCK_BITS / 8);
  #bits = 0;

  #flushWhenFull(): void {
    if (this.#bits < BLOCK_BITS) return;
    this.#hash.update(this.#block);
    this.#block.fill(0);
    this.#bits = 0;
  }

  addBit(bit: boolean): void {
    if (bit) {
      const at = this.#bits >> 3;
      this.#block[at] = (this.#block[at] as number) | (1 << (this.#bits & 7));
    }
    this.#bits++;
    this.#flushWhenFull();
  }

  /** Adds bits [from, to) of `bits`. */
  addBits(bits: Uint8Array, from: number, to: number): void {
    let i = from;
    while (i < to && (this.#bits & 7) !== 0) this.addBit(getBit(bits, i++));
    while (to - i >= 8) {
      const bytes = Math.min((to - i) >> 3, (BLOCK_BITS - this.#bits) >> 3);
      this.#copyBytes(bits, i, bytes);
      this.#bits += bytes * 8;
      i += bytes * 8;
      this.#flushWhenFull();
    }
    while (i < to) this.addBit(getBit(bits, i++));
  }

  /** Moves `count` × 8 bits from bit `from` on to the block's next byte. */
  #copyBytes(bits: Uint8Array, from: number, count: number): void {
    const first = from >> 3;
    const shift = from & 7;
    const at = this.#bits >> 3;
    if (shift === 0) {
      this.#block.set(bits.subarray(first, first + count), at);
      return;
    }
    for (let k = 0; k < count; k++) {
      this.#block[at + k] = ((bits[first + k] as number) >> shift) | ((bits[first + k + 1] as number) << (8 - shift));
    }
  }

  /** Adds `count` set bits. */
  addOnes(count: number): void {
    let rest = count;
    while (rest > 0 && (this.#bits & 7) !== 0) {
      this.addBit(true);
      rest--;
    }
    while (rest >= 8) {
      const bytes = Math.min(rest >> 3, (BLOCK_BITS - this.#bits) >> 3);
      this.#block.fill(0xff, this.#bits >> 3, (this.#bits >> 3) + bytes);
      this.#bits += bytes * 8;
      rest -= bytes * 8;
      this.#flushWhenFull();
    }
    for (; rest > 0; rest--) this.addBit(true);
  }

  addValidity(column: Column, from: number, to: number): void {
    if (column.nullCount === 0 || column.validity === null) this.addOnes(to - from);
    else this.addBits(column.validity, from, to);
  }

  finish(): string {
    this.#hash.update(this.#block.subarray(0, (this.#bits + 7) >> 3));
    return `${this.#hash.digest("hex")}:${this.#bits & 7}`;
  }
}

const BLOCK_LENGTHS = 16_384;

/** Lengths of variable-sized values as 32-bit integers; 0 for a null. */
export class LengthStream {
  readonly #hash: Hash = createHash("sha256");
  readonly #block = new Uint32Array(BLOCK_LENGTHS);

  addLengths(column: Column, from: number, to: number): void {
    const block = this.#block;
    const nulls = column.nullCount === 0 ? null : column.validity;
    for (let start = from; start < to; start += BLOCK_LENGTHS) {
      const end = Math.min(to, start + BLOCK_LENGTHS);
      if (column.offsets instanceof Int32Array) {
        const { offsets } = column;
        let previous = offsets[start] as number;
        for (let i = start; i < end; i++) {
          const next = offsets[i + 1] as number;
          block[i - start] = next - previous;
          previous = next;
        }
      } else {
        // The low words are enough: one value is below 2 GiB.
        const offsets = column.offsets as BigInt64Array;
        const low = new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length * 2);
        for (let i = start; i < end; i++) block[i - start] = (low[2 * i + 2] as number) - (low[2 * i] as number);
      }
      if (nulls !== null) for (let i = start; i < end; i++) if (!getBit(nulls, i)) block[i - start] = 0;
      this.#hash.update(new Uint8Array(block.buffer, 0, (end - start) * 4));
    }
  }

  finish(): string {
    return this.#hash.digest("hex");
  }
}

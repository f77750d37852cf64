/** Bytes that grow by doubling. `take` gives them away and starts anew at the same size. */
export class GrowingBytes {
  bytes: Uint8Array;
  /** The same memory as int32. */
  words: Int32Array;
  length = 0;

  constructor(sizeBytes = 1024) {
    this.bytes = new Uint8Array(Math.ceil(sizeBytes / 8) * 8);
    this.words = new Int32Array(this.bytes.buffer);
  }

  /** Room for `sizeBytes` more, zeros that now count as used; may replace `bytes`. @returns where they begin */
  extend(sizeBytes: number): number {
    const start = this.length;
    this.length = start + sizeBytes;
    if (this.length > this.bytes.length) this.#grow();
    return start;
  }

  #grow(): void {
    const grown = new Uint8Array(Math.ceil(Math.max(this.length, this.bytes.length * 2) / 8) * 8);
    grown.set(this.bytes);
    this.bytes = grown;
    this.words = new Int32Array(grown.buffer);
  }

  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length);
    const size = this.length;
    this.length = 0;
    this.bytes = new Uint8Array(Math.ceil(Math.max(size, 1024) / 8) * 8);
    this.words = new Int32Array(this.bytes.buffer);
    return taken;
  }
}

/** A validity bitmap that costs nothing until the first null. */
export class GrowingValidity {
  #bits: GrowingBytes | undefined;
  nullCount = 0;

  /** Value `index`, the next one, is valid. */
  valid(index: number): void {
    const bits = this.#bits;
    if (bits === undefined) return;
    const at = index >> 3;
    if ((index & 7) === 0) bits.extend(1);
    bits.bytes[at] = (bits.bytes[at] as number) | (1 << (index & 7));
  }

  /** Value `index`, the next one, is null. */
  null(index: number): void {
    this.nullCount++;
    let bits = this.#bits;
    if (bits === undefined) {
      // All values before are valid.
      const sizeBytes = (index + 7) >> 3;
      bits = new GrowingBytes(sizeBytes + 64);
      bits.extend(sizeBytes);
      bits.bytes.fill(255, 0, sizeBytes);
      if ((index & 7) !== 0) bits.bytes[index >> 3] = (1 << (index & 7)) - 1;
      this.#bits = bits;
    }
    if ((index & 7) === 0) bits.extend(1);
  }

  take(): { validity: Uint8Array | null; nullCount: number } {
    const taken = { validity: this.#bits?.take() ?? null, nullCount: this.nullCount };
    this.#bits = undefined;
    this.nullCount = 0;
    return taken;
  }
}

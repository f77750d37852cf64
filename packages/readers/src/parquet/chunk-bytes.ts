import { type ByteSpan, FormatError } from "@ingest-ts/core";

/** The fetched part of one column chunk: a window that moves forward over bytes [start, end) of the file. */
export class ChunkBytes {
  readonly #end: number;
  readonly #pieceBytes: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart: number;
  /** What to fetch next; set when `view` answers undefined. */
  wanted: ByteSpan | undefined;

  /** @param pieceBytes how much to fetch at a time. */
  constructor(start: number, end: number, pieceBytes: number) {
    this.#windowStart = start;
    this.#end = end;
    this.#pieceBytes = pieceBytes;
  }

  get #windowEnd(): number {
    return this.#windowStart + this.#window.length;
  }

  /** Whether the window reaches the chunk's end. */
  get complete(): boolean {
    return this.#windowEnd === this.#end;
  }

  /** Bytes from `offset` to the window's end: at least `atLeast`, or undefined when they must be fetched first. */
  view(offset: number, atLeast: number): Uint8Array | undefined {
    if (offset + atLeast > this.#end)
      throw new FormatError(
        `a page of bytes ${offset} to ${offset + atLeast} in a column chunk that ends at ${this.#end}`,
        {
          where: { offset },
        },
      );
    if (offset + atLeast <= this.#windowEnd) return this.#window.subarray(offset - this.#windowStart);
    // Bytes before `offset` are done with, also when they were never fetched.
    this.#window = this.#window.subarray(Math.min(offset - this.#windowStart, this.#window.length));
    this.#windowStart = offset;
    const from = this.#windowEnd;
    this.wanted = { start: from, end: Math.min(this.#end, Math.max(offset + atLeast, from + this.#pieceBytes)) };
    return undefined;
  }

  /** Answers `wanted`. */
  give(bytes: Uint8Array): void {
    if (this.#window.length === 0) this.#window = bytes;
    else {
      const joined = new Uint8Array(this.#window.length + bytes.length);
      joined.set(this.#window);
      joined.set(bytes, this.#window.length);
      this.#window = joined;
    }
    this.wanted = undefined;
  }

  /** Forgets everything before `offset`. */
  release(offset: number): void {
    if (offset < this.#windowEnd) return;
    this.#window = new Uint8Array(0);
    this.#windowStart = offset;
  }
}

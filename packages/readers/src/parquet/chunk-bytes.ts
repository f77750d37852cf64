import { type ByteSpan, FormatError } from "@ingest-ts/core";

/**
 * Chunks are fetched in ranges of at most so much. Buffers of this size go back to the allocator's heap and are used
 * again; larger ones are mapped anew each time, and touching fresh memory costs more than decoding it.
 */
const RANGE_BYTES = 8 * 1024 * 1024;

/** One array of all `parts`, which is the only one itself when there is but one. */
export function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

interface Piece extends ByteSpan {
  readonly bytes: Uint8Array;
}

/** The fetched part of one column chunk, which lies at bytes [start, end) of the file; read from front to back. */
export class ChunkBytes {
  readonly #end: number;
  readonly #aheadBytes: number;
  #pieces: Piece[] = [];
  /** End of what was fetched or is about to be. */
  #fetchedEnd: number;
  /** What to fetch next; not empty when `view` answers undefined. */
  wanted: ByteSpan[] = [];

  /** @param aheadBytes how much to fetch at a time. */
  constructor(start: number, end: number, aheadBytes: number) {
    this.#fetchedEnd = start;
    this.#end = end;
    this.#aheadBytes = aheadBytes;
  }

  /** Contiguous bytes from `offset` on: at least `atLeast`, or undefined when `wanted` must be fetched first. */
  view(offset: number, atLeast: number): Uint8Array | undefined {
    if (!this.#has(offset, atLeast)) return undefined;
    const end = offset + atLeast;
    const piece = this.#pieces.find((each) => each.end > offset) as Piece;
    if (piece.end >= end) return piece.bytes.subarray(offset - piece.start);
    return joinParts(this.parts(offset, atLeast) ?? []);
  }

  /** Bytes [offset, offset + length) as they lie in memory, in one part or more; undefined as `view`. */
  parts(offset: number, length: number): Uint8Array[] | undefined {
    if (!this.#has(offset, length)) return undefined;
    const end = offset + length;
    return this.#pieces
      .filter((piece) => piece.end > offset && piece.start < end)
      .map(({ start, end: pieceEnd, bytes }) =>
        bytes.subarray(Math.max(start, offset) - start, Math.min(pieceEnd, end) - start),
      );
  }

  /** Whether the bytes are fetched; if not, they are wanted. */
  #has(offset: number, length: number): boolean {
    const end = offset + length;
    if (end > this.#end)
      throw new FormatError(`a page of bytes ${offset} to ${end} in a column chunk that ends at ${this.#end}`, {
        where: { offset },
      });
    if (end <= this.#fetchedEnd) return true;
    this.#want(offset, end);
    return false;
  }

  #want(offset: number, end: number): void {
    // Bytes before `offset` are done with, also when they were never fetched.
    let from = Math.max(this.#fetchedEnd, offset);
    const stop = Math.min(this.#end, Math.max(end, from + this.#aheadBytes));
    this.wanted = [];
    for (; from < stop; from += RANGE_BYTES) this.wanted.push({ start: from, end: Math.min(stop, from + RANGE_BYTES) });
  }

  /** Answers `wanted`, in its order. */
  give(answers: readonly Uint8Array[]): void {
    this.wanted.forEach((span, i) => this.#pieces.push({ ...span, bytes: answers[i] as Uint8Array }));
    this.#fetchedEnd = this.wanted.at(-1)?.end ?? this.#fetchedEnd;
    this.wanted = [];
  }

  /** Forgets everything before `offset`. */
  release(offset: number): void {
    while (this.#pieces.length > 0 && (this.#pieces[0] as Piece).end <= offset) this.#pieces.shift();
  }
}

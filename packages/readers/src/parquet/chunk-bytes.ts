import { type ByteSpan, FormatError } from "@ingest-ts/core";
import { SCRATCH_BYTES, type Scratch } from "../scratch.ts";

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
  /** The memory they lie in, when it is scratch. */
  readonly home: Uint8Array | undefined;
}

/** The fetched part of one column chunk, which lies at bytes [start, end) of the file; read from front to back. */
export class ChunkBytes {
  readonly #end: number;
  readonly #aheadBytes: number;
  /** Fetched, in order, none overlapping another. */
  #pieces: Piece[] = [];
  #preferred: readonly ByteSpan[];
  /** What to fetch next; not empty when `view` answers undefined. */
  wanted: ByteSpan[] = [];
  /** Where from memory for the answers is taken; undefined: the source brings it. */
  readonly #scratch: Scratch | undefined;
  #places: readonly Uint8Array[] = [];

  /** @param aheadBytes how much to fetch at a time. */
  constructor(start: number, end: number, aheadBytes: number, scratch?: Scratch) {
    this.#end = end;
    this.#aheadBytes = aheadBytes;
    this.#scratch = scratch;
    this.#preferred = [{ start, end }];
  }

  /** Fetches ahead only what lies in `spans`, which ascend; other bytes when they are asked for. */
  prefer(spans: readonly ByteSpan[]): void {
    this.#preferred = spans;
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
    const missing = this.#missing(offset, end);
    const [first] = missing;
    if (first === undefined) return true;
    const stop = Math.min(this.#end, first.start + this.#aheadBytes);
    for (const span of this.#preferred) {
      const [from, to] = [Math.max(span.start, end), Math.min(span.end, stop)];
      if (from < to) missing.push(...this.#missing(from, to));
    }
    this.wanted = missing
      .reduce(joinAdjacent, [])
      .flatMap((span) => cut(span, this.#scratch === undefined ? RANGE_BYTES : SCRATCH_BYTES));
    return false;
  }

  /** What of [start, end) is not fetched. */
  #missing(start: number, end: number): ByteSpan[] {
    const out: ByteSpan[] = [];
    let at = start;
    for (const piece of this.#pieces) {
      if (piece.end <= at) continue;
      if (piece.start >= end) break;
      if (piece.start > at) out.push({ start: at, end: piece.start });
      at = piece.end;
    }
    if (at < end) out.push({ start: at, end });
    return out;
  }

  /** Memory for the answers to `wanted`. */
  places(): readonly Uint8Array[] {
    const scratch = this.#scratch;
    this.#places = scratch === undefined ? [] : this.wanted.map(() => scratch.take());
    return this.#places;
  }

  /** Answers `wanted`, in its order. */
  give(answers: readonly Uint8Array[]): void {
    this.wanted.forEach((span, i) => {
      const bytes = answers[i] as Uint8Array;
      const place = this.#places[i];
      // Where the answer does not lie somebody may still be writing: that place is forgotten, not used again.
      this.#pieces.push({ ...span, bytes, home: place?.buffer === bytes.buffer ? place : undefined });
    });
    this.#pieces.sort((a, b) => a.start - b.start);
    this.wanted = [];
    this.#places = [];
  }

  /** Forgets everything before `offset`, and that no view of it may be used any more. */
  release(offset: number): void {
    for (let first = this.#pieces[0]; first !== undefined && first.end <= offset; first = this.#pieces[0]) {
      if (first.home !== undefined) this.#scratch?.give(first.home);
      this.#pieces.shift();
    }
  }
}

function joinAdjacent(spans: ByteSpan[], span: ByteSpan): ByteSpan[] {
  const last = spans.at(-1);
  if (last?.end !== span.start) return [...spans, span];
  return [...spans.slice(0, -1), { start: last.start, end: span.end }];
}

function cut({ start, end }: ByteSpan, mostBytes: number): ByteSpan[] {
  const out: ByteSpan[] = [];
  for (let at = start; at < end; at += mostBytes) out.push({ start: at, end: Math.min(end, at + mostBytes) });
  return out;
}

import type { ByteSpan, Need } from "@ingest-ts/core";
import { readChunkHeader } from "./chunks.ts";
import { CHUNK_HEADER_BYTES } from "./spec.ts";

/** A computation that asks for bytes on its way. */
export type Reading<T> = Generator<Need, T, Uint8Array[]>;

/** When the streams do not fit into limits.bytesInFlight together, each is fetched in pieces of this size at least. */
const LEAST_PIECE_BYTES = 64 * 1024;

/** Fetched at least when a stream has to be read further than was thought. */
const EXTENSION_BYTES = 16 * 1024;

/** How far content is thought to expand at most, and usually. */
const MOST_RATIO = 1033;
const GUESSED_RATIO = 8;

const noBytes = new Uint8Array(0);

/** A part of a stream that is going to be read from one end to the other, and what is held of it. */
interface Stretch extends ByteSpan {
  /** Where `held` begins; what came before was read and given up. */
  heldFrom: number;
  held: Uint8Array;
  /** What comes before is not going to be read again. */
  readAt: number;
}

function stretchOf(start: number, end: number): Stretch {
  return { start, end, heldFrom: start, held: noBytes, readAt: start };
}

function heldEnd({ heldFrom, held }: Stretch): number {
  return heldFrom + held.length;
}

/** Bytes of one stream, fetched when they are wanted. */
export class StreamSource {
  /** Where the stream lies in the object. */
  readonly span: ByteSpan;
  readonly #owner: StripeBytes;
  readonly stretches: Stretch[] = [];

  constructor(span: ByteSpan, owner: StripeBytes) {
    this.span = span;
    this.#owner = owner;
  }

  /** Says that bytes [start, end) are going to be read; ascending. */
  want(start: number, end: number): void {
    const last = this.stretches.at(-1);
    if (last !== undefined && start <= last.end) {
      this.stretches[this.stretches.length - 1] = stretchOf(last.start, Math.max(last.end, end));
    } else if (start < end) this.stretches.push(stretchOf(start, end));
  }

  /** Whether the byte at `at` is held or going to be read. */
  isWanted(at: number): boolean {
    return this.stretches.some((each) => at >= each.start && at < Math.max(each.end, heldEnd(each)));
  }

  /** The bytes from `at` on that are held, `least` of them when the stream has as many. */
  *from(at: number, least: number): Reading<Uint8Array> {
    const until = Math.min(this.span.end, at + least);
    const stretch = this.#stretchAt(at);
    if (at < stretch.heldFrom || at > heldEnd(stretch)) {
      stretch.heldFrom = at;
      stretch.held = noBytes;
    }
    stretch.readAt = at;
    if (heldEnd(stretch) < until) {
      const further = until > stretch.end ? Math.min(this.span.end, at + EXTENSION_BYTES) : until;
      yield* this.#owner.fetch(stretch, Math.max(until, further));
    }
    return stretch.held.subarray(at - stretch.heldFrom);
  }

  #stretchAt(at: number): Stretch {
    const found = this.stretches.find((each) => at >= each.start && at <= Math.max(each.end, heldEnd(each)));
    if (found !== undefined) return found;
    const stretch = stretchOf(at, at);
    this.stretches.push(stretch);
    return stretch;
  }
}

/**
 * The bytes of a stripe's streams. What is going to be read is fetched at once when it fits into limits.bytesInFlight;
 * else in pieces, as the streams are read side by side.
 */
export class StripeBytes {
  readonly #sources: StreamSource[] = [];
  readonly #budgetBytes: number;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  /** A stream of the stripe. */
  add(span: ByteSpan): StreamSource {
    const source = new StreamSource(span, this);
    this.#sources.push(source);
    return source;
  }

  /** Bytes that are going to be read. */
  get wantedBytes(): number {
    return this.#sources.reduce(
      (sum, { stretches }) => stretches.reduce((each, { start, end }) => each + end - start, sum),
      0,
    );
  }

  /** Fetches what is going to be read, or the first pieces of it. */
  *load(): Reading<void> {
    for (const source of this.#sources) {
      const [first] = source.stretches;
      if (first !== undefined) return void (yield* source.from(first.start, 1));
    }
  }

  /**
   * The most content that what is wanted may have, as far as its chunks are held; a guess for the rest.
   *
   * @param blockBytes the most that a compressed chunk expands to; undefined when nothing is compressed
   */
  contentBytes(blockBytes: number | undefined): number {
    if (blockBytes === undefined) return this.wantedBytes;
    let sum = 0;
    for (const { stretches } of this.#sources) {
      for (const { start, end, held } of stretches) {
        for (let at = 0; at + CHUNK_HEADER_BYTES <= held.length; ) {
          const { sizeBytes, isOriginal } = readChunkHeader(held, at);
          sum += isOriginal ? sizeBytes : Math.min(blockBytes, sizeBytes * MOST_RATIO);
          at += CHUNK_HEADER_BYTES + sizeBytes;
        }
        sum += (end - start - held.length) * GUESSED_RATIO;
      }
    }
    return sum;
  }

  /** Fetches `stretch` up to `until`, and of the others what will be wanted soon. */
  *fetch(stretch: Stretch, until: number): Reading<void> {
    const isWhole = this.wantedBytes <= this.#budgetBytes;
    // Half of the budget is for what is held, half for what comes.
    const share = Math.floor(this.#budgetBytes / 2 / Math.max(1, this.#sources.length));
    const pieceBytes = isWhole ? Number.POSITIVE_INFINITY : Math.max(LEAST_PIECE_BYTES, share);
    const end = Math.max(until, Math.min(stretch.end, heldEnd(stretch) + pieceBytes));
    const asked = [{ stretch, start: heldEnd(stretch), end }];
    let left = this.#budgetBytes - (end - heldEnd(stretch));
    for (const other of this.#others(stretch, isWhole ? Number.POSITIVE_INFINITY : pieceBytes / 2)) {
      const start = heldEnd(other);
      const stop = Math.min(other.end, start + pieceBytes);
      if (stop - start > left) continue;
      asked.push({ stretch: other, start, end: stop });
      left -= stop - start;
    }
    const answers = yield { need: asked.map((each) => ({ start: each.start, end: each.end })) };
    asked.forEach((each, i) => hold(each.stretch, answers[i] as Uint8Array));
  }

  /** What is not held to its end; unless all fits, of every stream the first that has less than `leastBytes` unread. */
  *#others(stretch: Stretch, leastBytes: number): Generator<Stretch, void> {
    for (const { stretches } of this.#sources) {
      for (const other of stretches) {
        if (heldEnd(other) >= other.end) continue;
        if (other !== stretch && heldEnd(other) - other.readAt < leastBytes) yield other;
        if (leastBytes !== Number.POSITIVE_INFINITY) break;
      }
    }
  }
}

/** Lays `bytes` behind what is held, and gives up what was read. */
function hold(stretch: Stretch, bytes: Uint8Array): void {
  const kept = stretch.held.subarray(stretch.readAt - stretch.heldFrom);
  stretch.heldFrom = stretch.readAt;
  if (kept.length === 0) {
    stretch.held = bytes;
    return;
  }
  const joined = new Uint8Array(kept.length + bytes.length);
  joined.set(kept);
  joined.set(bytes, kept.length);
  stretch.held = joined;
}

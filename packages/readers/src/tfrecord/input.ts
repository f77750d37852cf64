import { FormatError, type Need } from "@ingest-ts/core";
import { CodecError, createInflater, type Inflater } from "@ingest-ts/kernels/inflate";

/** Asks for bytes and waits for them: `yield*` inside a decoder. */
export type Pull<T> = Generator<Need, T, Uint8Array[]>;

/**
 * The bytes of records, a window at a time. `bytes` from `position` on are what is at hand; the byte there is `offset`
 * bytes from the start of the object (or of what it inflates to). Values may point into `bytes` once `keep` was called.
 */
export interface RecordInput {
  readonly bytes: Uint8Array;
  position: number;
  readonly offset: number;
  /** Makes `count` bytes available; false when the input ends before. */
  fill(count: number): Pull<boolean>;
  /** The array of `bytes` is never written again. */
  keep(): void;
  /**
   * Gives the array of `bytes` away when all of its memory is the input's own; what it holds from `position` on is read
   * again. undefined: it stays as it is.
   */
  take(): Uint8Array | undefined;
  /** Passes over `count` bytes; false when the input ends before. */
  skip(count: number): Pull<boolean>;
}

const none = new Uint8Array(0);

/** Bytes [start, end) of an uncompressed object. Windows begin at records, so nothing is copied to join two. */
export class PlainInput implements RecordInput {
  bytes: Uint8Array = none;
  position = 0;
  /** Memory for the next window. */
  #spare: Uint8Array | undefined;
  /** Of `bytes[0]`. */
  #base: number;
  readonly #end: number;
  readonly #readBytes: number;

  constructor(start: number, end: number, readBytes: number) {
    this.#base = start;
    this.#end = end;
    this.#readBytes = readBytes;
  }

  get offset(): number {
    return this.#base + this.position;
  }

  *fill(count: number): Pull<boolean> {
    if (this.bytes.length - this.position >= count) return true;
    const start = this.offset;
    const end = Math.min(this.#end, start + Math.max(count, this.#readBytes));
    // Nothing is asked when all there is is at hand.
    if (end > this.#base + this.bytes.length) {
      const spare = this.#spare;
      const into = spare !== undefined && spare.length >= end - start ? [spare] : undefined;
      const [bytes] = yield { need: [{ start, end }], into };
      this.#base = start;
      this.bytes = bytes ?? none;
      this.position = 0;
      this.#spare = this.#whole();
    }
    return this.bytes.length - this.position >= count;
  }

  /** All memory behind `bytes`; undefined where others may have a part of it. */
  #whole(): Uint8Array | undefined {
    const { buffer, byteOffset, length } = this.bytes;
    if (this.#spare?.buffer === buffer) return this.#spare;
    return byteOffset === 0 && length === buffer.byteLength ? this.bytes : undefined;
  }

  keep(): void {
    this.#spare = undefined;
  }

  take(): Uint8Array | undefined {
    const whole = this.#whole();
    if (whole === undefined) return undefined;
    const bytes = this.bytes;
    this.#base = this.offset;
    this.bytes = none;
    this.position = 0;
    this.#spare = undefined;
    return bytes;
  }

  // oxlint-disable-next-line require-yield -- what lies between is not read at all
  *skip(count: number): Pull<boolean> {
    if (this.offset + count > this.#end) return false;
    this.position += count;
    return true;
  }
}

/** What a gzip or zlib object inflates to. */
export class InflatedInput implements RecordInput {
  bytes: Uint8Array = none;
  position = 0;
  /** Of `bytes[0]`. */
  #base = 0;
  #fetched = 0;
  #pieces: Iterator<Uint8Array, void, void> | undefined;
  #ended = false;
  readonly #inflater: Inflater;
  readonly #end: number;
  readonly #readBytes: number;
  readonly #url: string;

  constructor(format: "gzip" | "zlib", end: number, readBytes: number, pieceBytes: number, url: string) {
    this.#inflater = createInflater(format, pieceBytes);
    this.#end = end;
    this.#readBytes = readBytes;
    this.#url = url;
  }

  get offset(): number {
    return this.#base + this.position;
  }

  #guard<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      const where = { url: this.#url, offset: this.#fetched };
      throw new FormatError(`the compressed data are damaged: ${error.message}`, { where, cause: error });
    }
  }

  /** The next piece, or undefined after the last. */
  *#next(): Pull<Uint8Array | undefined> {
    for (;;) {
      const next = this.#pieces === undefined ? undefined : this.#guard(() => this.#pieces?.next());
      if (next !== undefined && next.done !== true) return next.value;
      if (this.#fetched === this.#end) {
        if (!this.#ended) this.#guard(() => this.#inflater.finish());
        this.#ended = true;
        return undefined;
      }
      const start = this.#fetched;
      const end = Math.min(this.#end, start + this.#readBytes);
      const [chunk] = yield { need: [{ start, end }] };
      this.#fetched = end;
      this.#pieces = this.#inflater.push(chunk ?? none);
    }
  }

  *fill(count: number): Pull<boolean> {
    let have = this.bytes.length - this.position;
    if (have >= count) return true;
    const parts = have > 0 ? [this.bytes.subarray(this.position)] : [];
    while (have < count) {
      const piece = yield* this.#next();
      if (piece === undefined) break;
      parts.push(piece);
      have += piece.length;
    }
    this.#base = this.offset;
    this.position = 0;
    this.bytes = parts.length === 1 ? (parts[0] as Uint8Array) : joined(parts, have);
    return have >= count;
  }

  /** Nothing to do: every window is new. */
  keep(): void {}

  /** What is left of a piece would have to be inflated again. */
  take(): undefined {
    return undefined;
  }

  *skip(count: number): Pull<boolean> {
    const filled = yield* this.fill(count);
    if (filled) this.position += count;
    return filled;
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

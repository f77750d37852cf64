import { FormatError, type Limits } from "@ingest-ts/core";
import type { ArenaScope } from "./arena-scope.ts";
import { chunkInArena, decompressChunk, readChunkHeader } from "./chunks.ts";
import { CHUNK_HEADER_BYTES, type Postscript } from "./spec.ts";
import type { Reading, StreamSource } from "./stripe-bytes.ts";

/** What is not compressed is taken in pieces of this size. */
const PIECE_BYTES = 128 * 1024;

const LEAST_CAPACITY_BYTES = 16 * 1024;

/** Whose stream it is, for errors. */
export interface StreamPlace {
  readonly column: string;
  readonly stream: string;
  /** Bytes from the start of the object. */
  readonly offset: number;
}

/** A place in a stream: a chunk (or byte, when nothing is compressed) and bytes of its content to pass. */
export interface ChunkPlace {
  /** Bytes from the start of the stream. */
  readonly chunk: number;
  readonly offset: number;
}

/** Everything that windows of one stripe are made from. */
export interface WindowSpace {
  readonly scope: ArenaScope;
  readonly postscript: Postscript;
  readonly limits: Limits;
}

interface StoredChunk {
  readonly bytes: Uint8Array;
  readonly isOriginal: boolean;
}

interface Chunk {
  /** Bytes from the start of the object. */
  readonly at: number;
  /** Where its content begins, counted from the window's first byte on; negative where its start was passed over. */
  readonly from: number;
}

/**
 * The content of one stream from some place on, decompressed into the arena as far as it is needed: bytes [from, to) of
 * the arena are there and not yet read.
 */
export class StreamWindow {
  readonly place: StreamPlace;
  readonly #space: WindowSpace;
  readonly #source: StreamSource | undefined;
  /** The next chunk. */
  #at: number;
  /** Bytes of the next content to pass over. */
  #skip: number;
  #chunks: Chunk[] = [];
  #address = 0;
  #capacity = 0;
  from = 0;
  to = 0;
  /** Bytes taken before `#address`. */
  #base = 0;

  constructor(space: WindowSpace, source: StreamSource | undefined, place: StreamPlace, start: ChunkPlace) {
    this.place = place;
    this.#space = space;
    this.#source = source;
    this.#at = (source?.span.start ?? 0) + start.chunk;
    this.#skip = start.offset;
  }

  get unreadBytes(): number {
    return this.to - this.from;
  }

  get #isAtEnd(): boolean {
    return this.#source === undefined || this.#at >= this.#source.span.end;
  }

  /**
   * Brings in content until `sizeBytes` are unread, as far as it is going to be read anyway; `leastBytes` in any case.
   * Fewer when the stream ends.
   */
  *fill(sizeBytes: number, leastBytes: number): Reading<void> {
    while (!this.#isAtEnd) {
      const unread = this.unreadBytes;
      const isEnough = unread >= sizeBytes || this.#source?.isWanted(this.#at) !== true;
      if (unread >= leastBytes && isEnough) return;
      yield* this.#bringIn();
    }
  }

  /** Lays the content of the next chunk behind what is unread, without a detour where its codec is a kernel. */
  *#bringIn(): Reading<void> {
    const { scope, postscript, limits } = this.#space;
    if (postscript.compression === "none") return this.#append(yield* this.#next());
    const at = this.#at;
    const chunk = yield* this.#nextChunk(this.#source as StreamSource);
    const direct = chunk.isOriginal ? undefined : chunkInArena(chunk.bytes, postscript, limits, at, scope.kernels);
    if (direct === undefined) return this.#append(this.#begin(at, this.#contentOf(chunk, at)));
    this.#makeRoom(direct.roomBytes);
    const size = direct.to(this.to);
    const passed = Math.min(this.#skip, size);
    this.#skip -= passed;
    this.#chunks.push({ at, from: this.#base + (this.to - this.#address) });
    this.to += size;
    // Only what nothing was read of is passed over: all before it is read.
    this.from += passed;
  }

  /** The next `sizeBytes` outside of the arena, fewer when the stream ends before. */
  *take(sizeBytes: number): Reading<Uint8Array> {
    const held = Math.min(this.unreadBytes, sizeBytes);
    const parts = [this.#space.scope.copyOut(this.from, held)];
    this.from += held;
    let size = held;
    while (size < sizeBytes && !this.#isAtEnd) {
      const content = yield* this.#next();
      const part = content.subarray(0, sizeBytes - size);
      this.#append(content.subarray(part.length), part.length);
      parts.push(part);
      size += part.length;
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : joined(parts, size);
  }

  /**
   * Where the next byte lies, said in one way only: the chunk, in bytes from the start of the object, and the byte of its
   * content, which the chunk has.
   */
  *whereabouts(): Reading<ChunkPlace> {
    // A place behind the content of a chunk is the start of the next one.
    if (this.#skip > 0) yield* this.fill(1, 1);
    const read = this.#base + (this.from - this.#address);
    const chunk = this.#chunks.findLast(({ from }) => from <= read);
    if (chunk === undefined || this.from === this.to) return { chunk: this.#at, offset: this.#skip };
    const offset = read - chunk.from;
    return this.#space.postscript.compression === "none"
      ? { chunk: chunk.at + offset, offset: 0 }
      : { chunk: chunk.at, offset };
  }

  /** The content of the next chunk, less what is passed over. */
  *#next(): Reading<Uint8Array> {
    const source = this.#source as StreamSource;
    const at = this.#at;
    if (this.#space.postscript.compression !== "none") {
      return this.#begin(at, this.#contentOf(yield* this.#nextChunk(source), at));
    }
    const content = (yield* source.from(at, 1)).subarray(0, Math.min(PIECE_BYTES, source.span.end - at));
    this.#at += content.length;
    return this.#begin(at, content);
  }

  /** Notes where a chunk begins. Returns its content less what is passed over. */
  #begin(at: number, content: Uint8Array): Uint8Array {
    const passed = Math.min(this.#skip, content.length);
    this.#skip -= passed;
    this.#chunks.push({ at, from: this.#base + (this.to - this.#address) - passed });
    return content.subarray(passed);
  }

  #contentOf({ bytes, isOriginal }: StoredChunk, at: number): Uint8Array {
    const { postscript, limits } = this.#space;
    return isOriginal ? bytes : decompressChunk(bytes, postscript, limits, at);
  }

  /** The next chunk as it is stored. */
  *#nextChunk(source: StreamSource): Reading<StoredChunk> {
    const at = this.#at;
    const { end } = source.span;
    const head = yield* source.from(at, CHUNK_HEADER_BYTES);
    if (at + CHUNK_HEADER_BYTES > end) throw new FormatError("a chunk header is cut off", { where: { offset: at } });
    const header = readChunkHeader(head, 0);
    const sizeBytes = CHUNK_HEADER_BYTES + header.sizeBytes;
    if (at + sizeBytes > end) {
      throw new FormatError(`a chunk of ${header.sizeBytes} bytes passes the end of its stream`, {
        where: { offset: at },
      });
    }
    const bytes = (yield* source.from(at, sizeBytes)).subarray(CHUNK_HEADER_BYTES, sizeBytes);
    this.#at = at + sizeBytes;
    return { bytes, isOriginal: header.isOriginal };
  }

  /** Lays `content` behind what is unread; `passed` bytes before it went elsewhere. */
  #append(content: Uint8Array, passed = 0): void {
    this.#makeRoom(content.length);
    if (passed > 0) this.#base += passed;
    this.#space.scope.kernels.bytes.set(content, this.to);
    this.to += content.length;
  }

  /** Makes room for `moreBytes` behind what is unread: where there is none, that moves to the front of a block. */
  #makeRoom(moreBytes: number): void {
    if (this.to + moreBytes <= this.#address + this.#capacity) return;
    const { scope } = this.#space;
    const unread = this.unreadBytes;
    const sizeBytes = unread + moreBytes;
    const read = this.from - this.#address;
    let address = this.#address;
    if (sizeBytes > this.#capacity) {
      const capacity = Math.max(LEAST_CAPACITY_BYTES, sizeBytes, 1.5 * this.#capacity);
      address = scope.allocate(capacity);
      this.#capacity = capacity;
    }
    scope.kernels.bytes.copyWithin(address, this.from, this.to);
    if (address !== this.#address && this.#address !== 0) scope.release(this.#address);
    this.#address = address;
    this.from = address;
    this.to = address + unread;
    this.#base += read;
    const base = this.#base;
    const first = this.#chunks.findLastIndex(({ from }) => from <= base);
    if (first > 0) this.#chunks = this.#chunks.slice(first);
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const out = new Uint8Array(size);
  let filled = 0;
  for (const part of parts) {
    out.set(part, filled);
    filled += part.length;
  }
  return out;
}

import { addWhere, type ByteSpan, checkLimit, FormatError, type Limits, type Need } from "@ingest-ts/core";
import { Cursor } from "./cursor.ts";
import { SYNC_BYTES } from "./spec.ts";

/** One block of an object container file. */
export interface Block {
  /** Bytes from the start of the object to the block's head. */
  readonly offset: number;
  /** Bytes from the start of the object to the next block. */
  readonly end: number;
  readonly rows: number;
  /** As stored; overwritten when the next block is asked for. */
  readonly data: Uint8Array;
}

const CHUNK_BYTES = 8 * 1024 * 1024;
/** So much of a block that is cut by the end of a chunk is rather read again than copied before the next one. */
const AGAIN_BYTES = 1024 * 1024;
/** Two varints of ten bytes. */
const HEAD_BYTES = 20;

const noBytes = new Uint8Array(0);

/** A window of the object that moves forward. What `from` answered is overwritten when it is called again. */
class Input {
  readonly #end: number;
  #bytes: Uint8Array = noBytes;
  /** Memory for the next window. */
  #spare: Uint8Array | undefined;
  /** Where the bytes begin in the object. */
  #start: number;

  constructor({ start, end }: ByteSpan) {
    this.#start = start;
    this.#end = end;
  }

  /** At least `sizeBytes` from `offset` on (fewer at the end of the span). */
  *from(offset: number, sizeBytes: number): Generator<Need, Uint8Array, Uint8Array[]> {
    const wanted = Math.min(sizeBytes, this.#end - offset);
    const held = this.#bytes.subarray(offset - this.#start);
    if (held.length >= wanted) return held;
    this.#start = offset;
    if (held.length <= AGAIN_BYTES) {
      const to = Math.min(this.#end, offset + Math.max(CHUNK_BYTES, wanted));
      const into = (this.#spare?.length ?? 0) >= to - offset ? [this.#spare as Uint8Array] : undefined;
      [this.#bytes] = (yield { need: [{ start: offset, end: to }], into }) as [Uint8Array];
      this.#spare = this.#whole();
      return this.#bytes;
    }
    const from = offset + held.length;
    const to = Math.min(this.#end, from + Math.max(CHUNK_BYTES, wanted - held.length));
    const [more] = (yield { need: [{ start: from, end: to }] }) as [Uint8Array];
    this.#bytes = new Uint8Array(held.length + more.length);
    this.#bytes.set(held);
    this.#bytes.set(more, held.length);
    this.#spare = undefined;
    return this.#bytes;
  }

  /** All memory behind `bytes`; undefined where others may have a part of it. */
  #whole(): Uint8Array | undefined {
    const { buffer, byteOffset, length } = this.#bytes;
    if (this.#spare?.buffer === buffer) return this.#spare;
    return byteOffset === 0 && length === buffer.byteLength ? this.#bytes : undefined;
  }
}

/**
 * The blocks in a span of an object, each checked against the file's sync marker.
 *
 * @throws FormatError when one is cut, negative or out of step; UnsupportedError over limits.pageBytes
 */
export function* readBlocks(
  span: ByteSpan,
  sync: Uint8Array,
  limits: Limits,
): Generator<Need | Block, void, Uint8Array[]> {
  const input = new Input(span);
  for (let offset = span.start; offset < span.end; ) {
    try {
      const block = yield* readOne(input, offset, span, sync, limits);
      yield block;
      offset = block.end;
    } catch (error) {
      throw addWhere(error, { offset });
    }
  }
}

function* readOne(
  input: Input,
  offset: number,
  span: ByteSpan,
  sync: Uint8Array,
  limits: Limits,
): Generator<Need, Block, Uint8Array[]> {
  const head = new Cursor(yield* input.from(offset, HEAD_BYTES));
  const rows = head.count();
  const sizeBytes = head.count();
  if (rows < 0 || sizeBytes < 0) throw new FormatError(`a block claims ${rows} rows in ${sizeBytes} bytes`);
  checkLimit(limits, "pageBytes", sizeBytes, "a block");
  const end = offset + head.at + sizeBytes + SYNC_BYTES;
  if (end > span.end) {
    throw new FormatError(`a block of ${sizeBytes} bytes passes the end of the file`, {
      remedy: "The file is cut; write it again.",
    });
  }
  const bytes = yield* input.from(offset, end - offset);
  const data = bytes.subarray(head.at, head.at + sizeBytes);
  const marker = head.at + sizeBytes;
  for (let i = 0; i < SYNC_BYTES; i++) {
    if (bytes[marker + i] === sync[i]) continue;
    throw new FormatError("the sync marker behind a block is not the file's", {
      remedy: "The file is corrupt; write it again.",
    });
  }
  return { offset, end, rows, data };
}

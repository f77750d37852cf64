import { orcIntegersBound } from "@ingest-ts/kernels";
import type { streamKinds } from "@ingest-ts/readers/orc/spec";
import { ByteBuffer } from "../columns/byte-buffer.ts";
import type { WorkMemory } from "../columns/work-memory.ts";

/** Where a row group begins in a stream: bytes before it, and what a reader has to skip behind them. */
export interface Mark {
  readonly offset: number;
  /** Values in the run, and bits in the byte; nothing for streams without runs. */
  readonly inside: readonly number[];
}

/** A stream of one stripe, before compression. */
export interface Stream {
  readonly kind: keyof typeof streamKinds;
  readonly bytes: Uint8Array;
  /** One for each row group; none for a dictionary, which every row group needs whole. */
  readonly marks: readonly Mark[];
}

const NO_RUN: readonly number[] = [];
/** Every row group begins a run. */
const RUN_START: readonly number[] = [0];

/** Bytes without runs: values as they are, text, varints. */
export class RawStream {
  readonly out: ByteBuffer = new ByteBuffer();
  #marks: Mark[] = [];

  mark(): void {
    this.#marks.push({ offset: this.out.length, inside: NO_RUN });
  }

  finish(kind: Stream["kind"]): Stream {
    const stream = { kind, bytes: this.out.view().slice(), marks: this.#marks };
    this.out.clear();
    this.#marks = [];
    return stream;
  }
}

/** Integers in runs, version 2. */
export class IntegerStream {
  readonly #memory: WorkMemory;
  readonly #isSigned: boolean;
  readonly #out = new ByteBuffer();
  #marks: Mark[] = [];

  constructor(memory: WorkMemory, isSigned: boolean) {
    this.#memory = memory;
    this.#isSigned = isSigned;
  }

  mark(): void {
    this.#marks.push({ offset: this.#out.length, inside: RUN_START });
  }

  /** @param words the int64 values as pairs of words, the low one first */
  append(words: Int32Array): void {
    const count = words.length >> 1;
    if (count === 0) return;
    const memory = this.#memory;
    const out = memory.scratch("out", orcIntegersBound(count));
    const source = memory.load("source", words);
    const length = memory.exports.orcWriteIntegers(source, count, this.#isSigned ? 1 : 0, out);
    memory.appendTo(this.#out, out, length);
  }

  finish(kind: Stream["kind"]): Stream {
    const stream = { kind, bytes: this.#out.view().slice(), marks: this.#marks };
    this.#out.clear();
    this.#marks = [];
    return stream;
  }
}

/** "Byte Run Length Encoding": three to 130 equal bytes, or up to 128 different ones. */
function appendByteRuns(bytes: Uint8Array, out: ByteBuffer): void {
  const end = bytes.length;
  const repeats = (from: number): number => {
    const stop = Math.min(end, from + 130);
    let i = from + 1;
    while (i < stop && bytes[i] === bytes[from]) i++;
    return i - from;
  };
  for (let i = 0; i < end; ) {
    const same = repeats(i);
    if (same >= 3) {
      out.byte(same - 3);
      out.byte(bytes[i] as number);
      i += same;
      continue;
    }
    let stop = i + same;
    while (stop < end && stop - i < 128) {
      const next = repeats(stop);
      if (next >= 3) break;
      stop += next;
    }
    stop = Math.min(stop, i + 128);
    out.byte(256 - (stop - i));
    out.append(bytes.subarray(i, stop));
    i = stop;
  }
}

/** Bytes in runs. */
export class ByteRunStream {
  readonly #out = new ByteBuffer();
  #marks: Mark[] = [];

  mark(): void {
    this.#marks.push({ offset: this.#out.length, inside: RUN_START });
  }

  append(bytes: Uint8Array): void {
    appendByteRuns(bytes, this.#out);
  }

  finish(kind: Stream["kind"]): Stream {
    const stream = { kind, bytes: this.#out.view().slice(), marks: this.#marks };
    this.#out.clear();
    this.#marks = [];
    return stream;
  }
}

/** Bits in bytes in runs, the highest bit first. Row groups may begin inside of a byte. */
export class BitStream {
  #bytes = new Uint8Array(1024);
  #marks: number[] = [];
  length = 0;
  /** How many bits are 0. */
  zeros = 0;

  mark(): void {
    this.#marks.push(this.length);
  }

  #reserve(count: number): void {
    const needed = (this.length + count + 7) >> 3;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  /** `count` ones. */
  ones(count: number): void {
    this.#reserve(count);
    const bytes = this.#bytes;
    const end = this.length + count;
    let at = this.length;
    for (; at < end && (at & 7) !== 0; at++) bytes[at >> 3] = (bytes[at >> 3] as number) | (128 >> (at & 7));
    const whole = at + ((end - at) & ~7);
    if (whole > at) bytes.fill(255, at >> 3, whole >> 3);
    for (at = Math.max(at, whole); at < end; at++) bytes[at >> 3] = (bytes[at >> 3] as number) | (128 >> (at & 7));
    this.length = end;
  }

  /** `count` bits of which those at `set` (ascending, from 0 on) are ones. */
  some(set: Int32Array, count: number): void {
    this.#reserve(count);
    const bytes = this.#bytes;
    for (let i = 0; i < set.length; i++) {
      const at = this.length + (set[i] as number);
      bytes[at >> 3] = (bytes[at >> 3] as number) | (128 >> (at & 7));
    }
    this.length += count;
    this.zeros += count - set.length;
  }

  /** One bit for each byte, 0 or 1. */
  values(flags: Uint8Array): void {
    this.#reserve(flags.length);
    const bytes = this.#bytes;
    let at = this.length;
    for (let i = 0; i < flags.length; i++, at++) {
      if (flags[i] !== 0) bytes[at >> 3] = (bytes[at >> 3] as number) | (128 >> (at & 7));
    }
    this.length = at;
  }

  finish(kind: Stream["kind"]): Stream {
    const out = new ByteBuffer();
    const marks: Mark[] = [];
    let from = 0;
    // A run begins at the byte of each row group's first bit.
    for (const bit of this.#marks) {
      const byte = bit >> 3;
      appendByteRuns(this.#bytes.subarray(from, byte), out);
      marks.push({ offset: out.length, inside: [0, bit & 7] });
      from = byte;
    }
    const end = (this.length + 7) >> 3;
    appendByteRuns(this.#bytes.subarray(from, end), out);
    this.clear();
    return { kind, bytes: out.view(), marks };
  }

  clear(): void {
    this.#bytes.fill(0, 0, (this.length + 7) >> 3);
    this.length = 0;
    this.zeros = 0;
    this.#marks = [];
  }
}

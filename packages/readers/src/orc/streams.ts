import { FormatError } from "@ingest-ts/core";
import {
  checked,
  KernelError,
  kernelFaults,
  ORC_BYTE_DONE,
  ORC_BYTE_STATE_BYTES,
  ORC_INTEGER_DONE,
  ORC_INTEGER_STATE_BYTES,
} from "@ingest-ts/kernels";
import type { ArenaScope } from "./arena-scope.ts";
import { type ChunkPlace, type StreamPlace, StreamWindow, type WindowSpace } from "./stream-window.ts";
import type { Reading, StreamSource } from "./stripe-bytes.ts";

/** Where reading begins: a place, and how many values (bits of booleans) from there on are passed over. */
export interface StreamStart extends ChunkPlace {
  readonly values: number;
}

/** The first value of a stream. */
export const streamBeginning: StreamStart = { chunk: 0, offset: 0, values: 0 };

/** No run of any kind takes more bytes: 512 values of 64 bits, patches and headers, or 128 varints. */
const LONGEST_RUN_BYTES = 8 * 1024;
/** Content that is brought in at a time, at least. */
const FILL_BYTES = 64 * 1024;
/** Values whose room is taken at once; more only when there is data for them. */
const STEP_VALUES = 1024 * 1024;

/** Runs `body`; a kernel's complaint becomes a FormatError that names the stream. */
export function atStream<T>(place: StreamPlace, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    throw new FormatError(`${place.stream} stream: ${error.message}`, {
      where: { column: place.column, offset: place.offset },
      remedy: "The file is corrupt; write it again.",
      cause: error,
    });
  }
}

function refuse(place: StreamPlace, count: number): never {
  throw new FormatError(`${place.stream} stream ends before its ${count} next values`, {
    where: { column: place.column, offset: place.offset },
    remedy: "The file is corrupt; write it again.",
  });
}

/** A stream of runs, whose decoder keeps its place in a state block. */
abstract class RunStream {
  readonly place: StreamPlace;
  protected readonly scope: ArenaScope;
  protected readonly state: number;
  readonly #window: StreamWindow;
  readonly #doneWord: number;
  /** Values still to be passed over. */
  #passing: number;

  constructor(
    space: WindowSpace,
    source: StreamSource | undefined,
    place: StreamPlace,
    start: StreamStart,
    stateBytes: number,
    doneWord: number,
  ) {
    this.place = place;
    this.scope = space.scope;
    this.state = space.scope.zeros(stateBytes);
    this.#window = new StreamWindow(space, source, place, start);
    this.#doneWord = doneWord;
    this.#passing = start.values;
  }

  protected get words(): Uint32Array {
    return new Uint32Array(this.scope.kernels.exports.memory.buffer, this.state, 8);
  }

  /** Passes over what comes before the first value that is wanted. */
  protected *settle(scope: ArenaScope): Reading<void> {
    const count = this.#passing;
    this.#passing = 0;
    if (count > 0) yield* this.pass(count, scope);
  }

  protected abstract pass(count: number, scope: ArenaScope): Reading<void>;

  /** What tells this place from all others: the same for every way that leads here. */
  *cursor(scope: ArenaScope): Reading<string> {
    yield* this.settle(scope);
    const { chunk, offset } = yield* this.#window.whereabouts();
    return [chunk, offset, ...this.held()].join(":");
  }

  /** Values that were decoded and not yet taken. */
  protected abstract held(): readonly number[];

  /** Calls `next` with how many values there are, until it has got all `count`; brings in more content in between. */
  protected *decode(count: number, next: (done: number) => number): Reading<void> {
    const { exports } = this.scope.kernels;
    for (let done = 0; done < count; ) {
      const status = next(done);
      this.#window.from = this.words[0] as number;
      if (status >= 0) return;
      if (kernelFaults[status as keyof typeof kernelFaults] !== "TRUNCATED")
        atStream(this.place, () => checked(exports, status));
      done += this.words[this.#doneWord] as number;
      const unread = this.#window.unreadBytes;
      if (unread >= LONGEST_RUN_BYTES) atStream(this.place, () => checked(exports, status));
      yield* this.#window.fill(FILL_BYTES, unread + 1);
      if (this.#window.unreadBytes === unread) refuse(this.place, count - done);
      const words = this.words;
      words[0] = this.#window.from;
      words[1] = this.#window.to;
    }
  }
}

/** A stream of run-length encoded integers. */
export class IntegerStream extends RunStream {
  readonly #version: 1 | 2;
  readonly #isSigned: number;

  constructor(
    space: WindowSpace,
    source: StreamSource | undefined,
    place: StreamPlace,
    start: StreamStart,
    version: 1 | 2,
    isSigned: boolean,
  ) {
    super(space, source, place, start, ORC_INTEGER_STATE_BYTES, ORC_INTEGER_DONE);
    this.#version = version;
    this.#isSigned = isSigned ? 1 : 0;
  }

  /** The next `count` values as int64 in a block of `scope`. */
  *read(count: number, scope: ArenaScope): Reading<number> {
    yield* this.settle(scope);
    const { exports } = scope.kernels;
    let capacity = Math.min(count, STEP_VALUES);
    let out = scope.allocate(capacity * 8);
    for (let done = 0; ; ) {
      const [target, rest] = [out + done * 8, capacity - done];
      yield* this.decode(rest, (some) =>
        exports.orcIntegers(this.state, this.#version, this.#isSigned, target + some * 8, rest - some),
      );
      done = capacity;
      if (done === count) return out;
      capacity = Math.min(count, capacity * 2);
      const larger = scope.allocate(capacity * 8);
      scope.kernels.bytes.copyWithin(larger, out, out + done * 8);
      scope.release(out);
      out = larger;
    }
  }

  protected *pass(count: number, scope: ArenaScope): Reading<void> {
    scope.release(yield* this.read(count, scope));
  }

  protected held(): readonly number[] {
    const [, , taken, all] = this.words as unknown as [number, number, number, number];
    return [all - taken];
  }
}

/** A stream of run-length encoded bytes or, with `readBits`, of booleans. */
export class ByteStream extends RunStream {
  readonly #isBits: boolean;

  constructor(
    space: WindowSpace,
    source: StreamSource | undefined,
    place: StreamPlace,
    start: StreamStart,
    isBits: boolean,
  ) {
    super(space, source, place, start, ORC_BYTE_STATE_BYTES, ORC_BYTE_DONE);
    this.#isBits = isBits;
  }

  /** The next `count` bytes in a block of `scope`. */
  *read(count: number, scope: ArenaScope): Reading<number> {
    yield* this.settle(scope);
    const { exports } = scope.kernels;
    let capacity = Math.min(count, STEP_VALUES);
    let out = scope.allocate(capacity);
    for (let done = 0; ; ) {
      const [target, rest] = [out + done, capacity - done];
      yield* this.decode(rest, (some) => exports.orcBytes(this.state, target + some, rest - some));
      done = capacity;
      if (done === count) return out;
      capacity = Math.min(count, capacity * 2);
      const larger = scope.allocate(capacity);
      scope.kernels.bytes.copyWithin(larger, out, out + done);
      scope.release(out);
      out = larger;
    }
  }

  /** The next `count` bits as a bitmap in a block of `scope`, and how many are set. */
  *readBits(count: number, scope: ArenaScope): Reading<{ address: number; set: number }> {
    yield* this.settle(scope);
    const { exports } = scope.kernels;
    let capacity = Math.min(count, 8 * STEP_VALUES);
    let address = scope.zeros((capacity + 7) >> 3);
    let set = 0;
    for (let done = 0; ; ) {
      const [target, from, to] = [address, done, capacity];
      yield* this.decode(to - from, (some) => {
        const status = exports.orcBooleans(this.state, target, from + some, to);
        set += exports.validCount();
        return status;
      });
      done = capacity;
      if (done === count) return { address, set };
      capacity = Math.min(count, capacity * 2);
      const larger = scope.zeros((capacity + 7) >> 3);
      scope.kernels.bytes.copyWithin(larger, address, address + (done >> 3));
      scope.release(address);
      address = larger;
    }
  }

  protected *pass(count: number, scope: ArenaScope): Reading<void> {
    scope.release(this.#isBits ? (yield* this.readBits(count, scope)).address : yield* this.read(count, scope));
  }

  protected held(): readonly number[] {
    const [, , left, , , , bits] = this.words as unknown as [number, number, number, number, number, number, number];
    return this.#isBits ? [left, bits] : [left];
  }
}

/** A stream of bytes taken as they are. */
export class RawStream {
  readonly place: StreamPlace;
  readonly #window: StreamWindow;

  constructor(space: WindowSpace, source: StreamSource | undefined, place: StreamPlace, start: StreamStart) {
    this.place = place;
    this.#window = new StreamWindow(space, source, place, start);
  }

  /** Passes `sizeBytes` and answers where in the arena they begin; they stay there until more is asked for. */
  *take(sizeBytes: number): Reading<number> {
    yield* this.#window.fill(sizeBytes, sizeBytes);
    if (sizeBytes > this.#window.unreadBytes) refuse(this.place, sizeBytes);
    const address = this.#window.from;
    this.#window.from += sizeBytes;
    return address;
  }

  /** Passes `sizeBytes` and answers them outside of the arena. */
  *takeOut(sizeBytes: number): Reading<Uint8Array> {
    const bytes = yield* this.#window.take(sizeBytes);
    if (bytes.length < sizeBytes) refuse(this.place, sizeBytes);
    return bytes;
  }

  /** Brings in about `sizeBytes`, `leastBytes` where there are so many; what is there: its address and size. */
  *peek(sizeBytes: number, leastBytes: number): Reading<{ address: number; sizeBytes: number }> {
    yield* this.#window.fill(sizeBytes, leastBytes);
    return { address: this.#window.from, sizeBytes: this.#window.unreadBytes };
  }

  *cursor(): Reading<string> {
    const { chunk, offset } = yield* this.#window.whereabouts();
    return `${chunk}:${offset}`;
  }
}

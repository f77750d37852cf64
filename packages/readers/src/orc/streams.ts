import { FormatError } from "@ingest-ts/core";
import { checked, KernelError, ORC_BYTE_STATE_BYTES, ORC_INTEGER_STATE_BYTES } from "@ingest-ts/kernels";
import type { ArenaScope } from "./arena-scope.ts";

/** Whose stream it is, for errors. */
export interface StreamPlace {
  readonly column: string;
  readonly stream: string;
  /** Bytes from the start of the object. */
  readonly offset: number;
}

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

function stateOf(scope: ArenaScope, bytes: Uint8Array, stateBytes: number): number {
  const address = scope.place(bytes);
  const state = scope.zeros(stateBytes);
  new DataView(scope.kernels.exports.memory.buffer).setUint32(state, address, true);
  new DataView(scope.kernels.exports.memory.buffer).setUint32(state + 4, address + bytes.length, true);
  return state;
}

function bytesLeft(scope: ArenaScope, state: number): number {
  const view = new DataView(scope.kernels.exports.memory.buffer);
  return view.getUint32(state + 4, true) - view.getUint32(state, true);
}

/** A stream of run-length encoded integers. */
export class IntegerStream {
  readonly place: StreamPlace;
  readonly #scope: ArenaScope;
  readonly #state: number;
  readonly #version: 1 | 2;
  readonly #isSigned: boolean;

  constructor(scope: ArenaScope, bytes: Uint8Array, version: 1 | 2, isSigned: boolean, place: StreamPlace) {
    this.#scope = scope;
    this.#state = stateOf(scope, bytes, ORC_INTEGER_STATE_BYTES);
    this.#version = version;
    this.#isSigned = isSigned;
    this.place = place;
  }

  /** The next `count` values as int64 in a block of `scope`. No run gives more than 256 values a byte. */
  read(count: number, scope: ArenaScope): number {
    if (count > (bytesLeft(this.#scope, this.#state) + 2) * 256) refuse(this.place, count);
    const out = scope.allocate(count * 8);
    const { exports } = scope.kernels;
    const isSigned = this.#isSigned ? 1 : 0;
    atStream(this.place, () => checked(exports, exports.orcIntegers(this.#state, this.#version, isSigned, out, count)));
    return out;
  }
}

/** A stream of run-length encoded bytes or, with `bits`, of booleans. */
export class ByteStream {
  readonly place: StreamPlace;
  readonly #scope: ArenaScope;
  readonly #state: number;

  constructor(scope: ArenaScope, bytes: Uint8Array, place: StreamPlace) {
    this.#scope = scope;
    this.#state = stateOf(scope, bytes, ORC_BYTE_STATE_BYTES);
    this.place = place;
  }

  /** The next `count` bytes in a block of `scope`. No run gives more than 65 bytes a byte. */
  read(count: number, scope: ArenaScope): number {
    if (count > (bytesLeft(this.#scope, this.#state) + 2) * 65) refuse(this.place, count);
    const out = scope.allocate(count);
    const { exports } = scope.kernels;
    atStream(this.place, () => checked(exports, exports.orcBytes(this.#state, out, count)));
    return out;
  }

  /** The next `count` bits as a bitmap in a block of `scope`, and how many are set. */
  readBits(count: number, scope: ArenaScope): { address: number; set: number } {
    if (count > (bytesLeft(this.#scope, this.#state) + 3) * 520) refuse(this.place, count);
    const address = scope.zeros((count + 7) >> 3);
    const { exports } = scope.kernels;
    atStream(this.place, () => checked(exports, exports.orcBooleans(this.#state, address, count)));
    return { address, set: exports.validCount() };
  }
}

/** A stream of bytes taken as they are. */
export class RawStream {
  readonly place: StreamPlace;
  #at: number;
  readonly #end: number;

  constructor(scope: ArenaScope, bytes: Uint8Array, place: StreamPlace) {
    this.#at = scope.place(bytes);
    this.#end = this.#at + bytes.length;
    this.place = place;
  }

  get leftBytes(): number {
    return this.#end - this.#at;
  }

  /** Address of the next byte. */
  get address(): number {
    return this.#at;
  }

  /** Passes `sizeBytes` and answers where they begin. */
  take(sizeBytes: number): number {
    if (sizeBytes > this.leftBytes) refuse(this.place, sizeBytes);
    const address = this.#at;
    this.#at += sizeBytes;
    return address;
  }
}

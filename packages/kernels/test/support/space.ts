import {
  acquireKernels,
  type KernelExports,
  type Kernels,
  kernelFaults,
  loadKernels,
  SLACK_BYTES,
} from "@ingest-ts/kernels";
import { expect } from "vitest";

const GUARD = 0xa5;
const GUARD_BYTES = 64;
const SPACE_BYTES = 16 << 20;

interface Room {
  readonly address: number;
  readonly sizeBytes: number;
  readonly overshoot: number;
}

/**
 * Memory for one kernel call. Output rooms stand between guard bytes. A source ends SLACK bytes before the end of the
 * whole memory, so that a read past its slack traps.
 */
export class Space {
  readonly kernels: Kernels;
  readonly exports: KernelExports;
  #next = 0;
  #start = 0;
  #rooms: Room[] = [];

  private constructor(kernels: Kernels) {
    this.kernels = kernels;
    this.exports = kernels.exports;
  }

  static async create(): Promise<Space> {
    await loadKernels();
    const space = new Space(acquireKernels());
    space.#start = space.kernels.arena.allocate(SPACE_BYTES);
    space.reset();
    return space;
  }

  /** Forgets all rooms. */
  reset(): void {
    this.#next = this.#start;
    this.#rooms = [];
  }

  /** A guarded block that kernels may write `sizeBytes` and up to `overshoot` more bytes to. */
  room(sizeBytes: number, overshoot: number = 0): number {
    const address = this.#next + GUARD_BYTES;
    this.#next = Math.ceil((address + sizeBytes + SLACK_BYTES + GUARD_BYTES) / 16) * 16;
    if (this.#next > this.#start + SPACE_BYTES - (1 << 20)) throw new Error("the space is used up");
    this.kernels.bytes.fill(GUARD, address - GUARD_BYTES, this.#next);
    this.#rooms.push({ address, sizeBytes, overshoot });
    return address;
  }

  /** A guarded block that holds `bytes`. */
  put(bytes: Uint8Array | Int32Array | BigInt64Array | Uint32Array): number {
    const raw = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const address = this.room(raw.length);
    this.kernels.bytes.set(raw, address);
    return address;
  }

  /** `bytes` at the end of memory; one at a time. */
  source(bytes: Uint8Array): number {
    const memory = this.kernels.bytes;
    const address = memory.length - SLACK_BYTES - bytes.length;
    memory.fill(GUARD, address + bytes.length);
    memory.set(bytes, address);
    return address;
  }

  bytes(address: number, length: number): Uint8Array {
    return this.kernels.bytes.slice(address, address + length);
  }

  int32(address: number, length: number): Int32Array {
    return new Int32Array(this.kernels.exports.memory.buffer.slice(address, address + length * 4));
  }

  int64(address: number, length: number): BigInt64Array {
    return new BigInt64Array(this.kernels.exports.memory.buffer.slice(address, address + length * 8));
  }

  /** Fails when a guard byte has changed. */
  checkGuards(): void {
    const memory = this.kernels.bytes;
    for (const { address, sizeBytes, overshoot } of this.#rooms) {
      for (let i = address - GUARD_BYTES; i < address; i++)
        if (memory[i] !== GUARD) expect.fail(`byte ${i - address} before a block was written`);
      for (let i = address + sizeBytes + overshoot; i < address + sizeBytes + SLACK_BYTES + GUARD_BYTES - 16; i++)
        if (memory[i] !== GUARD) expect.fail(`byte ${i - address - sizeBytes} past a block was written`);
    }
  }
}

/** What a twin throws where its kernel answers a negative code. */
export class Fault extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** A twin's result, or the name of its fault. */
export function outcome<T>(twin: () => T): T | string {
  try {
    return twin();
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
}

/** A kernel's answer, or the name of its fault. */
export function named(answer: number): number | string {
  return answer < 0 ? kernelFaults[answer as keyof typeof kernelFaults] : answer;
}

import { createKernels, type KernelExports, type Kernels, loadKernels, SLACK_BYTES } from "@ingest-ts/kernels";

const ALIGN_BYTES = 64;

/** Places of several regions in one block: each aligned, each with room behind it for stores of 16 bytes. */
export class Layout {
  #end = 0;

  /** @returns where the next region of `sizeBytes` starts. */
  add(sizeBytes: number): number {
    const at = this.#end;
    this.#end = Math.ceil((at + sizeBytes + SLACK_BYTES) / ALIGN_BYTES) * ALIGN_BYTES;
    return at;
  }

  get sizeBytes(): number {
    return this.#end;
  }
}

/** Sizes that vary a little are made equal, so that a block given back fits the next window. */
function roundedUp(sizeBytes: number): number {
  const step = 2 ** Math.max(6, Math.floor(Math.log2(sizeBytes + 1)) - 3);
  return Math.ceil(sizeBytes / step) * step;
}

/**
 * Where windows lie while they are woven: the memory of one instance of the kernels, which no batch ever reaches, so that
 * blocks of it are written again and again. `loadKernels` must have been awaited.
 */
export class ShuffleMemory {
  readonly #kernels: Kernels = createKernels();

  get exports(): KernelExports {
    return this.#kernels.exports;
  }

  /** Bytes held, which never shrink. */
  get sizeBytes(): number {
    return this.#kernels.arena.sizeBytes;
  }

  /** True when no block is owned. */
  get idle(): boolean {
    return this.#kernels.arena.idle;
  }

  /** The address of a block with any content. Growing detaches views: take them anew. */
  allocate(sizeBytes: number): number {
    return this.#kernels.arena.allocate(roundedUp(sizeBytes));
  }

  release(address: number): void {
    this.#kernels.arena.release(address);
  }

  /** Bytes [address, address + sizeBytes) as they lie. */
  view(address: number, sizeBytes: number): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer, address, sizeBytes);
  }

  /** A copy of bytes [address, address + sizeBytes). */
  copy(address: number, sizeBytes: number): ArrayBuffer {
    return this.exports.memory.buffer.slice(address, address + sizeBytes);
  }

  /** Runs `body` with a block that is given back afterwards. */
  with<T>(sizeBytes: number, body: (address: number) => T): T {
    const address = this.allocate(sizeBytes);
    try {
      return body(address);
    } finally {
      this.release(address);
    }
  }
}

/** A memory past this size is not kept for the next owner. */
const KEEP_BYTES = 256 * 1024 * 1024;

let spare: ShuffleMemory | undefined;

/** A memory of one's own until it is given back; that of an earlier owner when there is one, whose pages are warm. */
export function acquireShuffleMemory(): ShuffleMemory {
  const memory = spare ?? new ShuffleMemory();
  spare = undefined;
  return memory;
}

/** For the next owner. Memory of which a block is still owned, or which grew large, is left to the garbage collector. */
export function releaseShuffleMemory(memory: ShuffleMemory): void {
  if (memory.idle && memory.sizeBytes <= KEEP_BYTES) spare = memory;
}

/** Loads what shuffling needs, once per thread. */
export function prepareShuffle(): Promise<void> {
  return loadKernels();
}

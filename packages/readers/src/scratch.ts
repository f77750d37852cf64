/** Size of every array: what asks for memory is cut into such pieces. */
export const SCRATCH_BYTES: number = 256 * 1024;

/** Memory kept for the next taker, at most. */
export const KEPT_BYTES: number = 48 * 1024 * 1024;

/**
 * Memory for fetched bytes that nobody outside ever sees, in arrays of one size, so that any of them fits. New arrays cost
 * twice: pages of fresh memory are mapped and cleared, and the engine collects garbage by how much was allocated.
 */
export class Scratch {
  readonly #free: Uint8Array[] = [];
  readonly #most: number;

  constructor(mostBytes: number = KEPT_BYTES) {
    this.#most = Math.floor(mostBytes / SCRATCH_BYTES);
  }

  /** An array of `SCRATCH_BYTES` that holds anything, the taker's until it gives it back or forgets it. */
  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(SCRATCH_BYTES);
  }

  /** Takes back what `take` gave. No view of it may be read or written any more, by anybody. */
  give(bytes: Uint8Array): void {
    if (this.#free.length < this.#most) this.#free.push(bytes);
  }
}

/** That of this thread. */
export const scratch: Scratch = new Scratch();

const MiB = 1024 * 1024;
/** Smaller answers are left to the garbage collector. */
const LEAST_BYTES = 64 * 1024;
/** Of memory that waits to be used again. */
const MOST_FREE_BYTES = 32 * MiB;

/**
 * Memory of large answers, used again once their records are decoded: fresh memory costs page faults, and makes the engine
 * collect garbage, which together took more CPU time than decoding. Only what was lent here is taken back, and once.
 */
export class FrameMemory {
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #free: ArrayBuffer[] = [];
  #freeBytes = 0;

  /** Bytes of any content. */
  take(sizeBytes: number): Uint8Array {
    if (sizeBytes < LEAST_BYTES) return new Uint8Array(sizeBytes);
    // Not much larger: what waits to be decoded is counted by what was asked for.
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= sizeBytes && byteLength <= sizeBytes * 1.5);
    const [found] = at < 0 ? [] : this.#free.splice(at, 1);
    if (found !== undefined) this.#freeBytes -= found.byteLength;
    const buffer = found ?? new ArrayBuffer(roundedUp(sizeBytes));
    this.#lent.add(buffer);
    return new Uint8Array(buffer, 0, sizeBytes);
  }

  /** Nobody looks at `bytes`, or at anything else of their buffer, from now on. */
  give({ buffer }: Uint8Array): void {
    if (!(buffer instanceof ArrayBuffer) || !this.#lent.delete(buffer)) return;
    if (buffer.byteLength > MOST_FREE_BYTES) return;
    this.#free.push(buffer);
    this.#freeBytes += buffer.byteLength;
    while (this.#freeBytes > MOST_FREE_BYTES) this.#freeBytes -= this.#free.shift()?.byteLength ?? 0;
  }
}

/** By a quarter at most, so that answers of about the same size fit. */
function roundedUp(sizeBytes: number): number {
  const step = 2 ** (Math.floor(Math.log2(sizeBytes)) - 2);
  return Math.ceil(sizeBytes / step) * step;
}

import { UnsupportedError } from "@ingest-ts/core";
import type { Kernels } from "@ingest-ts/kernels";

/** One slab of one column takes less; what would take more is hostile or wants smaller slabs. */
const BLOCK_BYTES = 1024 * 1024 * 1024;

/** Blocks of the kernels' arena that are released together. */
export class ArenaScope {
  readonly kernels: Kernels;
  readonly #addresses = new Set<number>();
  readonly #children = new Set<ArenaScope>();
  #parent: ArenaScope | undefined;

  constructor(kernels: Kernels) {
    this.kernels = kernels;
  }

  /** @throws UnsupportedError for a block that no slab should need. */
  allocate(sizeBytes: number): number {
    if (sizeBytes > BLOCK_BYTES) {
      throw new UnsupportedError(`a slab would take ${sizeBytes} bytes for one column`, {
        remedy: "Read with a smaller batchRows.",
      });
    }
    const address = this.#take(sizeBytes);
    this.#addresses.add(address);
    return address;
  }

  #take(sizeBytes: number): number {
    try {
      return this.kernels.arena.allocate(sizeBytes);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new UnsupportedError(
        `the columns of a slab take more memory than the kernels have (${sizeBytes} bytes more)`,
        {
          remedy: "Read with a smaller batchRows, or fewer columns at a time.",
          cause,
        },
      );
    }
  }

  /** A block that begins with `bytes`. */
  place(bytes: Uint8Array): number {
    const address = this.allocate(bytes.length);
    this.kernels.bytes.set(bytes, address);
    return address;
  }

  /** A block of zeros. */
  zeros(sizeBytes: number): number {
    const address = this.allocate(sizeBytes);
    this.kernels.bytes.fill(0, address, address + sizeBytes);
    return address;
  }

  /** Bytes [address, address + sizeBytes) copied out, at an address of their own. */
  copyOut(address: number, sizeBytes: number): Uint8Array {
    return this.kernels.bytes.slice(address, address + sizeBytes);
  }

  /** Gives one block back before the others. */
  release(address: number): void {
    this.#addresses.delete(address);
    this.kernels.arena.release(address);
  }

  /** A scope inside of this one: it can be released before, and is together with it. */
  child(): ArenaScope {
    const scope = new ArenaScope(this.kernels);
    this.#children.add(scope);
    scope.#parent = this;
    return scope;
  }

  releaseAll(): void {
    for (const address of this.#addresses) this.kernels.arena.release(address);
    this.#addresses.clear();
    for (const scope of this.#children) scope.releaseAll();
    this.#children.clear();
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
    this.#parent = undefined;
  }
}

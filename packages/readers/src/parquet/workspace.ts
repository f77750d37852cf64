import { UnsupportedError } from "@ingest-ts/core";
import type { KernelExports, Kernels } from "@ingest-ts/kernels";

/** A growable region of the kernels' memory. Contents do not survive growth. */
export class Block {
  readonly #kernels: Kernels;
  /** Valid until the next `ensure`. */
  address = 0;
  #sizeBytes = 0;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  /** Makes room for `sizeBytes`. @returns the address. @throws UnsupportedError past 4 GiB in total. */
  ensure(sizeBytes: number): number {
    if (this.address !== 0 && sizeBytes <= this.#sizeBytes) return this.address;
    this.release();
    try {
      this.address = this.#kernels.arena.allocate(sizeBytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new UnsupportedError("decoding this row group needs more memory than 4 GiB", {
        cause: error,
        remedy: "Select fewer columns, or write smaller row groups or pages.",
      });
    }
    this.#sizeBytes = sizeBytes;
    return this.address;
  }

  release(): void {
    if (this.address !== 0) this.#kernels.arena.release(this.address);
    this.address = 0;
    this.#sizeBytes = 0;
  }
}

/**
 * The memory of one decoder in the kernels' arena: blocks that columns keep, and scratch that all columns share between
 * two yields.
 */
export class Workspace {
  readonly kernels: Kernels;
  readonly #blocks: Block[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  readonly x: KernelExports;
  /** A page as it is stored. */
  readonly compressed: Block;
  /** A decompressed page that nobody needs after it was looked at once. */
  readonly page: Block;
  /** Values of one step, dense. */
  readonly values: Block;
  /** Values of one step with room for nulls. */
  readonly spread: Block;
  /** Offsets of one step, dense. */
  readonly offsets: Block;
  /** Validity of one step. */
  readonly bits: Block;

  constructor(kernels: Kernels) {
    this.kernels = kernels;
    this.x = kernels.exports;
    this.compressed = this.block();
    this.page = this.block();
    this.values = this.block();
    this.spread = this.block();
    this.offsets = this.block();
    this.bits = this.block();
  }

  /** The whole memory. Take it anew after `ensure`. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.x.memory.buffer) this.#bytes = this.kernels.bytes;
    return this.#bytes;
  }

  block(): Block {
    const block = new Block(this.kernels);
    this.#blocks.push(block);
    return block;
  }

  /** Copies `parts` into `block`, one behind the other. @returns its address. */
  load(block: Block, ...parts: readonly Uint8Array[]): number {
    const address = block.ensure(parts.reduce((sum, part) => sum + part.length, 0));
    let at = address;
    for (const part of parts) {
      this.bytes.set(part, at);
      at += part.length;
    }
    return address;
  }

  close(): void {
    for (const block of this.#blocks) block.release();
  }
}

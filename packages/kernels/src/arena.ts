/** Bytes behind every block that kernels may read and write past its end. */
export const SLACK_BYTES = 64;

const ALIGN_BYTES = 64;
const WASM_PAGE_BYTES = 65_536;
const WASM_MAX_BYTES = 65_536 * WASM_PAGE_BYTES;

interface FreeBlock {
  start: number;
  end: number;
}

/**
 * First-fit allocator over a WebAssembly memory. Blocks are 64-byte aligned, followed by `SLACK_BYTES`, and hold what
 * they held before: callers clear what must be zero.
 *
 * Growing the memory detaches every view: take `bytes` anew after each `allocate`.
 */
export class Arena {
  readonly #memory: WebAssembly.Memory;
  readonly #free: FreeBlock[] = [];
  readonly #sizes = new Map<number, number>();
  #end: number;

  constructor(memory: WebAssembly.Memory, heapBase: number) {
    this.#memory = memory;
    this.#end = Math.ceil(heapBase / ALIGN_BYTES) * ALIGN_BYTES;
  }

  /** Size of the whole memory; it never shrinks. */
  get sizeBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** True when no block is owned. */
  get idle(): boolean {
    return this.#sizes.size === 0;
  }

  /** @returns the address of a block of `sizeBytes`, owned until `release`. @throws RangeError past 4 GiB. */
  allocate(sizeBytes: number): number {
    const size = Math.ceil((sizeBytes + SLACK_BYTES) / ALIGN_BYTES) * ALIGN_BYTES;
    for (let i = 0; i < this.#free.length; i++) {
      const block = this.#free[i] as FreeBlock;
      if (block.end - block.start < size) continue;
      const start = block.start;
      block.start += size;
      if (block.start === block.end) this.#free.splice(i, 1);
      this.#sizes.set(start, size);
      return start;
    }
    return this.#extend(size);
  }

  #extend(size: number): number {
    const last = this.#free.at(-1);
    const start = last !== undefined && last.end === this.#end ? last.start : this.#end;
    const missing = start + size - this.#memory.buffer.byteLength;
    if (missing > 0) this.#grow(missing);
    if (start !== this.#end) this.#free.pop();
    this.#end = start + size;
    this.#sizes.set(start, size);
    return start;
  }

  /**
   * Growing detaches every view and makes the engine collect garbage, which costs more than address space: the
   * memory grows by a quarter at least; only what is touched takes physical memory.
   */
  #grow(missingBytes: number): void {
    const { byteLength } = this.#memory.buffer;
    const room = WASM_MAX_BYTES - byteLength;
    const wanted = Math.max(missingBytes, Math.min(byteLength / 4, room));
    this.#memory.grow(Math.ceil(wanted / WASM_PAGE_BYTES));
  }

  /** Gives a block back. @throws Error when `address` is not owned: a defect of the caller. */
  release(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) throw new Error(`kernels: block ${address} is not owned`);
    this.#sizes.delete(address);
    let i = 0;
    while (i < this.#free.length && (this.#free[i] as FreeBlock).start < address) i++;
    this.#free.splice(i, 0, { start: address, end: address + size });
    this.#merge(i);
    if (i > 0) this.#merge(i - 1);
  }

  #merge(i: number): void {
    const block = this.#free[i];
    const next = this.#free[i + 1];
    if (block === undefined || next === undefined || block.end !== next.start) return;
    block.end = next.end;
    this.#free.splice(i + 1, 1);
  }
}

import { createKernels, type KernelExports, type Kernels } from "@ingest-ts/kernels";
import type { ByteBuffer } from "./byte-buffer.ts";
import type { VaryingValues } from "./values.ts";

/** What a block of scratch memory is for; each purpose has one, good until it is asked for again. */
type Purpose = "source" | "starts" | "ends" | "out";

/** Byte arrays inside the kernels' memory: value i is bytes [starts[i], ends[i]) from `data` on, all below `dataLength`. */
export interface LoadedVarying {
  /** May lie before the memory's start: offsets are those of the source, whose first bytes were left out. */
  readonly data: number;
  readonly dataLength: number;
  readonly starts: number;
  readonly ends: number;
}

/** A writer's own instance of the kernels with scratch memory; it goes when the writer does. */
export class WorkMemory {
  readonly #kernels: Kernels = createKernels();
  readonly #blocks = new Map<Purpose, { address: number; sizeBytes: number }>();

  get exports(): KernelExports {
    return this.#kernels.exports;
  }

  /** The whole memory. Stale after whatever allocates. */
  get bytes(): Uint8Array {
    return this.#kernels.bytes;
  }

  allocate(sizeBytes: number): number {
    return this.#kernels.arena.allocate(sizeBytes);
  }

  release(address: number): void {
    this.#kernels.arena.release(address);
  }

  /** A block of at least `sizeBytes`. What it held is lost. */
  scratch(purpose: Purpose, sizeBytes: number): number {
    const block = this.#blocks.get(purpose);
    if (block !== undefined && block.sizeBytes >= sizeBytes) return block.address;
    if (block !== undefined) this.release(block.address);
    const grown = Math.max(4096, sizeBytes, 2 * (block?.sizeBytes ?? 0));
    const address = this.allocate(grown);
    this.#blocks.set(purpose, { address, sizeBytes: grown });
    return address;
  }

  /** Copies an array into a scratch block. */
  load(purpose: Purpose, array: Uint8Array | Int32Array): number {
    const address = this.scratch(purpose, array.byteLength);
    this.bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), address);
    return address;
  }

  /** Copies the bytes that the values lie in; values far apart are laid together. */
  loadVarying(values: VaryingValues): LoadedVarying {
    const { starts, ends, count, bytes } = values;
    let low = Infinity;
    let high = 0;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const start = starts[i] as number;
      const end = ends[i] as number;
      if (start < low) low = start;
      if (end > high) high = end;
      total += end - start;
    }
    if (count === 0) low = 0;
    if (high - low > 65_536 + 4 * total) return this.#loadScattered(values, total);
    const address = this.load("source", bytes.subarray(low, high));
    return {
      starts: this.load("starts", starts),
      ends: this.load("ends", ends),
      data: address - low,
      dataLength: high,
    };
  }

  #loadScattered({ starts, ends, count, bytes }: VaryingValues, total: number): LoadedVarying {
    const data = this.scratch("source", total);
    const offsets = new Int32Array(count + 1);
    const target = this.bytes;
    for (let i = 0, at = 0; i < count; i++) {
      const value = bytes.subarray(starts[i], ends[i]);
      target.set(value, data + at);
      at += value.length;
      offsets[i + 1] = at;
    }
    return {
      starts: this.load("starts", offsets.subarray(0, count)),
      ends: this.load("ends", offsets.subarray(1)),
      data,
      dataLength: total,
    };
  }

  /** Appends `length` bytes at `address` to `out`. */
  appendTo(out: ByteBuffer, address: number, length: number): void {
    out.append(this.bytes.subarray(address, address + length));
  }
}

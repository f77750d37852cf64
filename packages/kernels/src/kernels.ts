import type { AvroKernels } from "./api/avro.ts";
import type { BitKernels } from "./api/bits.ts";
import type { BlockKernels } from "./api/blocks.ts";
import type { FixedKernels } from "./api/fixed.ts";
import type { KafkaKernels } from "./api/kafka.ts";
import type { LevelKernels } from "./api/levels.ts";
import type { NumberKernels } from "./api/numbers.ts";
import type { OrcKernels } from "./api/orc.ts";
import type { OrcWriteKernels } from "./api/orc-write.ts";
import type { ParquetWriteKernels } from "./api/parquet-write.ts";
import type { RleKernels } from "./api/rle.ts";
import type { RowWalkKernels } from "./api/row-walks.ts";
import type { ShuffleKernels } from "./api/shuffle.ts";
import type { StringKernels } from "./api/strings.ts";
import type { TFRecordKernels } from "./api/tfrecord.ts";
import { Arena } from "./arena.ts";
import { wasmBase64 } from "./generated/wasm.ts";

/**
 * What the module exports, one interface per idea. Arguments are addresses in `memory` and lengths in bytes or values as
 * named. A kernel answers a negative number for bad input (see `kernelFaults`), never reads or writes outside of what it
 * was given plus SLACK, and leaves `position()` and `validCount()` behind.
 */
export interface KernelExports
  extends AvroKernels,
    BitKernels,
    BlockKernels,
    FixedKernels,
    KafkaKernels,
    LevelKernels,
    NumberKernels,
    OrcKernels,
    OrcWriteKernels,
    ParquetWriteKernels,
    RleKernels,
    RowWalkKernels,
    ShuffleKernels,
    StringKernels,
    TFRecordKernels {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  /** Where the last kernel stopped. */
  position(): number;
  /** How many values the last kernel found valid, set or at the highest level. */
  validCount(): number;
}

/** An instance past this size is replaced as soon as nobody owns a block of it. */
const RETIRE_BYTES = 256 * 1024 * 1024;

/** One instance of the kernels with its memory. Single-threaded; each thread has its own. */
export class Kernels {
  readonly exports: KernelExports;
  readonly arena: Arena;

  constructor(module: WebAssembly.Module) {
    const instance = new WebAssembly.Instance(module, {
      env: {
        abort: () => {
          throw new Error("kernels: abort");
        },
      },
    });
    this.exports = instance.exports as unknown as KernelExports;
    this.arena = new Arena(this.exports.memory, this.exports.heapBase());
  }

  /** The whole memory as bytes. Stale after the next `arena.allocate`. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer);
  }
}

let module: WebAssembly.Module | undefined;
let current: Kernels | undefined;

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Compiles the module once per thread. Resolves at once when repeated. */
export async function loadKernels(): Promise<void> {
  module ??= await WebAssembly.compile(decodeBase64(wasmBase64));
}

/**
 * This thread's instance. A decoder keeps the one it started with, since its blocks live there.
 *
 * @throws Error when `loadKernels` was not awaited before: a defect of the caller.
 */
export function acquireKernels(): Kernels {
  if (module === undefined) throw new Error("kernels: await loadKernels() first");
  if (current === undefined || (current.arena.sizeBytes > RETIRE_BYTES && current.arena.idle))
    current = new Kernels(module);
  return current;
}

/**
 * An instance of its own, for an owner whose blocks outlive a fragment and would keep the thread's instance from ever
 * being replaced.
 *
 * @throws Error when `loadKernels` was not awaited before: a defect of the caller.
 */
export function createKernels(): Kernels {
  if (module === undefined) throw new Error("kernels: await loadKernels() first");
  return new Kernels(module);
}

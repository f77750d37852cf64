import { type Crc32c, loadNative } from "#crc32c";
import { acquireKernels, type Kernels } from "./kernels.ts";

/** Bytes copied into the arena at a time when no native code is at hand. */
const PIECE_BYTES = 256 * 1024;

let native: Crc32c | null | undefined;

function kernelCrc32c(kernels: Kernels, bytes: Uint8Array): number {
  const block = kernels.arena.allocate(Math.min(bytes.length, PIECE_BYTES));
  try {
    let crc = 0;
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      kernels.bytes.set(piece, block);
      crc = kernels.exports.crc32c(crc, block, piece.length);
    }
    return crc >>> 0;
  } finally {
    kernels.arena.release(block);
  }
}

/** Looks for native code once per thread; without it `crc32c` uses the kernel, which must be loaded then. */
export async function prepareCrc32c(): Promise<void> {
  if (native === undefined) native = await loadNative();
}

/** CRC-32C of bytes anywhere. Meant for kilobytes and more: for short records call the kernel on many at once. */
export function crc32c(bytes: Uint8Array): number {
  return native === undefined || native === null ? kernelCrc32c(acquireKernels(), bytes) : native(bytes);
}

/** The mask TFRecord puts on a CRC that is stored beside its data. */
export function maskCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The same by the kernel alone, for tests. */
export function crc32cByKernel(bytes: Uint8Array): number {
  return kernelCrc32c(acquireKernels(), bytes);
}

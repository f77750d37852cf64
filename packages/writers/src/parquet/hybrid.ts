import { hybridBound } from "@ingest-ts/kernels";
import type { ByteBuffer } from "../columns/byte-buffer.ts";
import type { WorkMemory } from "../columns/work-memory.ts";

/** Bits that hold every number from 0 to `max`. */
export function bitWidthOf(max: number): number {
  return 32 - Math.clz32(max);
}

/**
 * Appends `values` in the RLE / bit-packed hybrid (Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"), without
 * length and bit width.
 *
 * @param values each from 0 to 2^bitWidth - 1
 * @param bitWidth 0..32
 */
export function encodeHybrid(
  values: Uint8Array | Int32Array,
  bitWidth: number,
  out: ByteBuffer,
  memory: WorkMemory,
): void {
  const source = memory.load("source", values);
  const target = memory.scratch("out", hybridBound(values.length, bitWidth));
  const kernel = values instanceof Uint8Array ? "encodeLevels" : "encodeIndices";
  memory.appendTo(out, target, memory.exports[kernel](source, values.length, bitWidth, target));
}

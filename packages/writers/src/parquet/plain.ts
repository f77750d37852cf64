import { checked } from "@ingest-ts/kernels";
import type { ByteBuffer } from "../columns/byte-buffer.ts";
import { type Values, varyingBytes, type VaryingValues } from "../columns/values.ts";
import type { WorkMemory } from "../columns/work-memory.ts";

/** From this mean length on, values go straight to the page: the kernel would copy them twice more. */
const LONG_BYTES = 256;

/**
 * Appends values in PLAIN encoding (Encodings.md, "Plain"). Booleans are appended as one byte each: their bits are packed
 * when the page is complete, see `packBits`.
 */
export function appendPlain(values: Values, out: ByteBuffer, memory: WorkMemory): void {
  switch (values.form) {
    case "bool":
    case "fixed":
      out.append(values.bytes);
      break;
    case "words": {
      const { words } = values;
      out.append(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
      break;
    }
    case "varying": {
      const total = varyingBytes(values);
      if (total >= LONG_BYTES * values.count) appendLong(values, total, out);
      else appendShort(values, total, out, memory);
    }
  }
}

function appendShort(values: VaryingValues, total: number, out: ByteBuffer, memory: WorkMemory): void {
  const { count } = values;
  const { data, dataLength, starts, ends } = memory.loadVarying(values);
  const capacity = total + 4 * count;
  const target = memory.scratch("out", capacity);
  const { exports } = memory;
  const size = checked(exports, exports.encodePlainStrings(data, dataLength, starts, ends, count, target, capacity));
  memory.appendTo(out, target, size);
}

function appendLong({ count, starts, ends, bytes }: VaryingValues, total: number, out: ByteBuffer): void {
  out.reserve(total + 4 * count);
  for (let i = 0; i < count; i++) {
    const value = bytes.subarray(starts[i], ends[i]);
    out.u32(value.length);
    out.append(value);
  }
}

/** Bytes of 0 and 1 as bits, the least significant first. */
export function packBits(flags: Uint8Array, out: ByteBuffer): void {
  const size = Math.ceil(flags.length / 8);
  out.reserve(size);
  for (let i = 0, at = out.length; i < flags.length; at++) {
    let byte = 0;
    for (let bit = 0; bit < 8 && i < flags.length; bit++, i++) byte |= (flags[i] as number) << bit;
    out.bytes[at] = byte;
  }
  out.length += size;
}

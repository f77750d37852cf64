import { UnsupportedError } from "../errors.ts";

export type Offsets = Int32Array | BigInt64Array;

const WORD = 2 ** 32;
const MAX_INT32 = 2 ** 31 - 1;

/** `offsets[index]` as a number, without making a bigint. Exact below 2^53, as every offset into memory is. */
export function readOffset(offsets: Offsets | null, index: number): number {
  if (offsets === null || offsets.length === 0) return 0;
  if (offsets instanceof Int32Array) return offsets[index] as number;
  return Number(offsets[index]);
}

/** All offsets as numbers; an `Int32Array` is returned as it is. */
export function numericOffsets(offsets: Offsets | null): Int32Array | Float64Array {
  if (offsets === null) return new Int32Array(1);
  if (offsets.length === 0) return new Int32Array(1);
  if (offsets instanceof Int32Array) return offsets;
  const words = new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length * 2);
  const out = new Float64Array(offsets.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = (words[2 * i + 1] as number) * WORD + ((words[2 * i] as number) >>> 0);
  }
  return out;
}

/** Numbers as the offsets that `like` has; non-negative and below 2^53. */
export function offsetsLike(like: Offsets | null, values: Int32Array | Float64Array): Offsets {
  if (!(like instanceof BigInt64Array)) return values instanceof Int32Array ? values : Int32Array.from(values);
  const out = new BigInt64Array(values.length);
  const words = new Int32Array(out.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    words[2 * i] = value | 0;
    words[2 * i + 1] = Math.floor(value / WORD);
    if (value > MAX_INT32) words[2 * i] = (value % WORD) | 0;
  }
  return out;
}

/** Room for `length` offsets that grow to `total`. @throws UnsupportedError when 32-bit offsets cannot hold it. */
export function newOffsets(like: Offsets | null, length: number, total: number): Int32Array | Float64Array {
  if (like instanceof BigInt64Array) return new Float64Array(length);
  if (total > MAX_INT32) {
    throw new UnsupportedError(`${total} bytes or items of one column in one batch are over 2 GiB`, {
      remedy: "Use smaller batches, or the column's large type.",
    });
  }
  return new Int32Array(length);
}

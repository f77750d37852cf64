/** Bits are packed least significant first, as in Arrow's validity bitmaps. */

/** Bit `index` of `bits`. */
export function getBit(bits: Uint8Array, index: number): boolean {
  return (((bits[index >> 3] as number) >> (index & 7)) & 1) === 1;
}

/** Bits [offset, offset + length) moved to start at bit 0 of a new array; bits past the end are 0. */
export function copyBits(bits: Uint8Array, offset: number, length: number): Uint8Array {
  const out = new Uint8Array((length + 7) >> 3);
  const shift = offset & 7;
  const first = offset >> 3;
  if (shift === 0) {
    out.set(bits.subarray(first, first + out.length));
  } else {
    for (let i = 0; i < out.length; i++) {
      out[i] = ((bits[first + i] as number) >> shift) | ((bits[first + i + 1] ?? 0) << (8 - shift));
    }
  }
  const rest = length & 7;
  if (rest !== 0) out[out.length - 1] = (out[out.length - 1] as number) & ((1 << rest) - 1);
  return out;
}

/** How many of bits [0, length) are set. */
export function countBits(bits: Uint8Array, length: number): number {
  let count = 0;
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) {
    let byte = bits[i] as number;
    byte -= (byte >> 1) & 0x55;
    byte = (byte & 0x33) + ((byte >> 2) & 0x33);
    count += (byte + (byte >> 4)) & 0x0f;
  }
  for (let i = whole * 8; i < length; i++) if (getBit(bits, i)) count++;
  return count;
}

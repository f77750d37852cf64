// int and long: zigzag, then seven bits a byte, the lowest first (Avro specification, "Binary Encoding").

/** Bytes of an unsigned 32-bit number. */
export function bytes32(value: number): number {
  return ((38 - Math.clz32(value | 1)) / 7) | 0;
}

/** Bytes of a zigzagged 64-bit number. */
export function bytes64(low: number, high: number): number {
  return high === 0 ? bytes32(low) : ((70 - Math.clz32(high)) / 7) | 0;
}

/** Writes an unsigned 32-bit number. @returns the place behind it */
export function put32(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >>> 0 > 127) {
    out[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  out[at] = rest;
  return at + 1;
}

/** Writes an unsigned 64-bit number. @returns the place behind it */
export function put64(out: Uint8Array, at: number, low: number, high: number): number {
  let rest = low;
  let upper = high;
  while (upper !== 0) {
    out[at++] = (rest & 127) | 128;
    rest = (rest >>> 7) | (upper << 25);
    upper >>>= 7;
  }
  return put32(out, at, rest);
}

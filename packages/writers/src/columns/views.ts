/** `bytes` as 32-bit words, in place when aligned. */
export function viewInt32(bytes: Uint8Array): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
}

/** `bytes` as 64-bit integers, in place when aligned. */
export function viewInt64(bytes: Uint8Array): BigInt64Array {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  return new BigInt64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 3);
}

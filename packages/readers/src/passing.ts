/** Positions of the ones of a byte mask. */
export function passing(mask: Uint8Array): Int32Array {
  const indices = new Int32Array(mask.length);
  let count = 0;
  for (let i = 0; i < mask.length; i++) {
    indices[count] = i;
    count += mask[i] as number;
  }
  return indices.subarray(0, count);
}

/** Values at `indices` of a column of `byteWidth` bytes each, as new bytes. */
export function gatherFixed(data: Uint8Array, byteWidth: number, indices: Int32Array): Uint8Array {
  const out = new Uint8Array(indices.length * byteWidth);
  const aligned = data.byteOffset % 4 === 0;
  if (byteWidth === 4 && aligned) gather4(data, indices, out);
  else if (byteWidth === 8 && aligned) gather8(data, indices, out);
  else if (byteWidth === 1) for (let i = 0; i < indices.length; i++) out[i] = data[indices[i] as number] as number;
  else if (byteWidth === 2 && data.byteOffset % 2 === 0) gather2(data, indices, out);
  else gatherAny(data, byteWidth, indices, out);
  return out;
}

function gather2(data: Uint8Array, indices: Int32Array, out: Uint8Array): void {
  const from = new Uint16Array(data.buffer, data.byteOffset, data.byteLength >> 1);
  const to = new Uint16Array(out.buffer);
  for (let i = 0; i < indices.length; i++) to[i] = from[indices[i] as number] as number;
}

// Integers, not floats: an engine may change the bits of a NaN that passes through a float register.
function gather4(data: Uint8Array, indices: Int32Array, out: Uint8Array): void {
  const from = new Int32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
  const to = new Int32Array(out.buffer);
  for (let i = 0; i < indices.length; i++) to[i] = from[indices[i] as number] as number;
}

function gather8(data: Uint8Array, indices: Int32Array, out: Uint8Array): void {
  const from = new Int32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
  const to = new Int32Array(out.buffer);
  for (let i = 0; i < indices.length; i++) {
    const j = (indices[i] as number) * 2;
    to[2 * i] = from[j] as number;
    to[2 * i + 1] = from[j + 1] as number;
  }
}

function gatherAny(data: Uint8Array, byteWidth: number, indices: Int32Array, out: Uint8Array): void {
  for (let i = 0; i < indices.length; i++) {
    copyBytes(data, (indices[i] as number) * byteWidth, byteWidth, out, i * byteWidth);
  }
}

/** A call of `set` costs as much as copying so many bytes one by one. */
const SHORT_BYTES = 24;

/** `length` bytes of `from` at `start`, copied to `to` at `at`. */
export function copyBytes(from: Uint8Array, start: number, length: number, to: Uint8Array, at: number): void {
  if (length > SHORT_BYTES) to.set(from.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number;
}

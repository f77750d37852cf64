type Words = Uint16Array | Uint32Array;

/** Each float's exponent and mantissa lie in the words that `bits` selects: f16 in one u16, f64 in two u32. */
function wordsOf(bytes: Uint8Array, bits: number): Words {
  const Word = bits === 16 ? Uint16Array : Uint32Array;
  const aligned = bytes.byteOffset % Word.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Word(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / Word.BYTES_PER_ELEMENT);
}

function isNaNAt(words: Words, i: number, bits: number): boolean {
  if (bits === 64) {
    const high = (words[2 * i + 1] as number) & 0x7fffffff;
    return high > 0x7ff00000 || (high === 0x7ff00000 && words[2 * i] !== 0);
  }
  return bits === 32 ? ((words[i] as number) & 0x7fffffff) > 0x7f800000 : ((words[i] as number) & 0x7fff) > 0x7c00;
}

/** Whether any of the floats of `bits` width is a NaN; 0 bits: no floats. */
export function hasNaN(bytes: Uint8Array, bits: number): boolean {
  if (bits === 0) return false;
  const words = wordsOf(bytes, bits);
  const count = bytes.byteLength / (bits / 8);
  for (let i = 0; i < count; i++) if (isNaNAt(words, i, bits)) return true;
  return false;
}

/** Any NaN equals any NaN: all become the quiet one. `bytes` is changed in place and must be aligned. */
export function makeNaNsEqual(bytes: Uint8Array, bits: number): void {
  if (bits === 0) return;
  const words = wordsOf(bytes, bits);
  const count = bytes.byteLength / (bits / 8);
  for (let i = 0; i < count; i++) {
    if (!isNaNAt(words, i, bits)) continue;
    if (bits === 64) {
      words[2 * i] = 0;
      words[2 * i + 1] = 0x7ff80000;
    } else words[i] = bits === 32 ? 0x7fc00000 : 0x7e00;
  }
}

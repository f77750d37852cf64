function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function finalMix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}

/**
 * The first 64 bits of MurmurHash3_x86_128 with seed 0, as 16 hexadecimal digits: h1, then h2. It finds accidents, not
 * forgeries. `bytes` begins at a multiple of 4 and its buffer has room for 16 bytes more, which are overwritten with 0.
 */
export function murmur128(bytes: Uint8Array, length: number): string {
  // The last block is read with zeros behind it: zero words mix to nothing, as the definition's switch does.
  bytes.fill(0, length, length + 16);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, (length + 15) >> 2);
  let [h1, h2, h3, h4] = [0, 0, 0, 0];
  const whole = (length >> 4) << 2;
  for (let i = 0; i < whole; i += 4) {
    h1 ^= Math.imul(rotate(Math.imul(words[i] as number, C1), 15), C2);
    h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotate(Math.imul(words[i + 1] as number, C2), 16), C3);
    h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotate(Math.imul(words[i + 2] as number, C3), 17), C4);
    h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotate(Math.imul(words[i + 3] as number, C4), 18), C1);
    h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  if ((length & 15) !== 0) {
    h4 ^= Math.imul(rotate(Math.imul(words[whole + 3] ?? 0, C4), 18), C1);
    h3 ^= Math.imul(rotate(Math.imul(words[whole + 2] ?? 0, C3), 17), C4);
    h2 ^= Math.imul(rotate(Math.imul(words[whole + 1] ?? 0, C2), 16), C3);
    h1 ^= Math.imul(rotate(Math.imul(words[whole] as number, C1), 15), C2);
  }
  [h1, h2, h3, h4] = [h1 ^ length, h2 ^ length, h3 ^ length, h4 ^ length];
  h1 = (h1 + h2 + h3 + h4) | 0;
  [h2, h3, h4] = [(h2 + h1) | 0, (h3 + h1) | 0, (h4 + h1) | 0];
  [h1, h2, h3, h4] = [finalMix(h1), finalMix(h2), finalMix(h3), finalMix(h4)];
  h1 = (h1 + h2 + h3 + h4) | 0;
  return `${hex(h1)}${hex((h2 + h1) | 0)}`;
}

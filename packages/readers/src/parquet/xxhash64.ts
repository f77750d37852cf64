const PRIME1 = 0x9e3779b185ebca87n;
const PRIME2 = 0xc2b2ae3d27d4eb4fn;
const PRIME3 = 0x165667b19e3779f9n;
const PRIME4 = 0x85ebca77c2b2ae63n;
const PRIME5 = 0x27d4eb2f165667c5n;
const MASK = 0xffff_ffff_ffff_ffffn;

const times = (a: bigint, b: bigint): bigint => (a * b) & MASK;
const rotated = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & MASK;
const round = (lane: bigint, input: bigint): bigint =>
  times(rotated((lane + times(input, PRIME2)) & MASK, 31n), PRIME1);
const merged = (hash: bigint, lane: bigint): bigint => (times(hash ^ round(0n, lane), PRIME1) + PRIME4) & MASK;

/** XXH64 with seed 0 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). For literals: a few values a file. */
export function xxhash64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash = PRIME5;
  if (bytes.length >= 32) {
    const lanes = [(PRIME1 + PRIME2) & MASK, PRIME2, 0n, -PRIME1 & MASK];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i] as bigint, view.getBigUint64(at + i * 8, true));
    }
    const [a, b, c, d] = lanes as [bigint, bigint, bigint, bigint];
    hash = (rotated(a, 1n) + rotated(b, 7n) + rotated(c, 12n) + rotated(d, 18n)) & MASK;
    for (const lane of lanes) hash = merged(hash, lane);
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    hash = (times(rotated(hash ^ round(0n, view.getBigUint64(at, true)), 27n), PRIME1) + PRIME4) & MASK;
  }
  if (at + 4 <= bytes.length) {
    hash = (times(rotated(hash ^ times(BigInt(view.getUint32(at, true)), PRIME1), 23n), PRIME2) + PRIME3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) hash = times(rotated(hash ^ times(BigInt(bytes[at] as number), PRIME5), 11n), PRIME1);
  hash = times(hash ^ (hash >> 33n), PRIME2);
  hash = times(hash ^ (hash >> 29n), PRIME3);
  return hash ^ (hash >> 32n);
}

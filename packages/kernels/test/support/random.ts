/** A small seeded generator (mulberry32) for differential tests. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer in [0, n). */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** An unsigned integer below 2^bits, at any order of magnitude. */
  bits(bits: number): bigint {
    let value = 0n;
    for (let i = 0; i < bits; i += 16) value = (value << 16n) | BigInt(this.below(65_536));
    return value & ((1n << BigInt(bits)) - 1n);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  /** `bytes` cut short, or with a few of them changed, or as they are. */
  damage(bytes: Uint8Array): Uint8Array {
    const kind = this.below(4);
    const copy = bytes.slice(0, kind === 1 ? this.below(bytes.length + 1) : bytes.length);
    if (kind >= 2 && copy.length > 0)
      for (let k = this.below(3); k >= 0; k--)
        copy[this.below(copy.length)] = this.pick([0, 1, 127, 128, 255, this.below(256)]);
    return copy;
  }

  /** A bitmap of `count` bits from bit `index` on, in runs. */
  bitmap(index: number, count: number): Uint8Array {
    const bits = this.bytes(((index + count + 7) >> 3) + 1);
    const density = this.pick([0, 1, 30, 70, 99, 100]);
    for (let i = index; i < index + count; i++) setBit(bits, i, this.below(100) < density);
    return bits;
  }
}

export function getBit(bits: Uint8Array, i: number): boolean {
  return (((bits[i >> 3] as number) >> (i & 7)) & 1) === 1;
}

export function setBit(bits: Uint8Array, i: number, value: boolean): void {
  const mask = 1 << (i & 7);
  const byte = bits[i >> 3] as number;
  bits[i >> 3] = value ? byte | mask : byte & ~mask;
}

export function countSet(bits: Uint8Array, index: number, count: number): number {
  let set = 0;
  for (let i = index; i < index + count; i++) if (getBit(bits, i)) set++;
  return set;
}

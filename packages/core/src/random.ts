/**
 * Keyed random numbers that any language repeats with 32-bit integers alone (docs/order.md tells how;
 * test/python/order.py is a second implementation). Seeding: NumPy's `SeedSequence` over the words of the key.
 * Generator: xoshiro128** 1.1 (Blackman, Vigna). Golden-tested: a change here breaks every saved state, so it needs a new
 * `orderVersion`.
 */

const INIT_A = 0x43b0d7e5;
const MULT_A = 0x931e8875;
const INIT_B = 0x8b51f9dd;
const MULT_B = 0x58f38ded;
const MIX_LEFT = 0xca01f9dd;
const MIX_RIGHT = 0x4973f715;
const POOL_WORDS = 4;

function foldHigh(value: number): number {
  return (value ^ (value >>> 16)) >>> 0;
}

/** Four words of state from a key of at least four: what `numpy.random.SeedSequence(key).generate_state(4)` gives. */
export function seedWords(key: readonly number[]): Uint32Array {
  let constant = INIT_A;
  const absorb = (word: number): number => {
    const mixed = word ^ constant;
    constant = Math.imul(constant, MULT_A);
    return foldHigh(Math.imul(mixed, constant));
  };
  const pool = new Uint32Array(POOL_WORDS);
  const mixInto = (target: number, hashed: number): void => {
    pool[target] = foldHigh(Math.imul(MIX_LEFT, pool[target] as number) - Math.imul(MIX_RIGHT, hashed));
  };
  for (let i = 0; i < POOL_WORDS; i++) pool[i] = absorb(key[i] ?? 0);
  for (let from = 0; from < POOL_WORDS; from++) {
    for (let to = 0; to < POOL_WORDS; to++) if (from !== to) mixInto(to, absorb(pool[from] as number));
  }
  for (const word of key.slice(POOL_WORDS)) for (let to = 0; to < POOL_WORDS; to++) mixInto(to, absorb(word));
  constant = INIT_B;
  return pool.map((word) => {
    const mixed = word ^ constant;
    constant = Math.imul(constant, MULT_B);
    return foldHigh(Math.imul(mixed, constant));
  });
}

/** xoshiro128** 1.1 from four words of state, of which one at least is not 0. */
export class Xoshiro128 {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(state: Uint32Array) {
    [this.#a, this.#b, this.#c, this.#d] = state as unknown as [number, number, number, number];
    if ((this.#a | this.#b | this.#c | this.#d) === 0) this.#a = 1;
  }

  /** The next 32 bits, in [0, 2^32). */
  next(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = this.#b << 9;
    const c = this.#c ^ this.#a;
    const d = this.#d ^ this.#b;
    this.#b ^= c;
    this.#a ^= d;
    this.#c = c ^ shifted;
    this.#d = (d << 11) | (d >>> 21);
    return result >>> 0;
  }

  /** Uniform in [0, n) for n in [1, 2^31]: the top bits that n − 1 needs, drawn again until below n. 1 draws nothing. */
  below(n: number): number {
    if (n <= 1) return 0;
    const shift = Math.clz32(n - 1);
    for (;;) {
      const value = this.next() >>> shift;
      if (value < n) return value;
    }
  }
}

/** What a stream of random numbers is for; part of its key, so that no two uses share a stream. */
export const purposes = { fragments: 1, window: 2 } as const;

/** Everything that a permutation depends on, besides its length. */
export interface OrderKey {
  readonly purpose: keyof typeof purposes;
  /** In [0, 2^53). */
  readonly seed: number;
  /** In [0, 2^32), as the rest. */
  readonly epoch: number;
  readonly segment: number;
  /** 0 for fragments. */
  readonly lane: number;
  /** 0 for fragments. */
  readonly window: number;
}

/** The generator of one key: words [purpose, seed mod 2^32, ⌊seed / 2^32⌋, epoch, segment, lane, window]. */
export function keyedRandom(key: OrderKey): Xoshiro128 {
  const { seed, epoch, segment, lane, window } = key;
  const words = [purposes[key.purpose], seed % 2 ** 32, Math.floor(seed / 2 ** 32), epoch, segment, lane, window];
  return new Xoshiro128(seedWords(words));
}

/**
 * The permutation of [0, length) of one key: Fisher–Yates from the last place down, `swap(i, below(i + 1))`. Place i of
 * the output holds what stood at place `result[i]`. Length ≤ 2^31.
 */
export function keyedPermutation(key: OrderKey, length: number): Int32Array {
  const out = new Int32Array(length);
  for (let i = 0; i < length; i++) out[i] = i;
  const random = keyedRandom(key);
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const value = out[i] as number;
    out[i] = out[j] as number;
    out[j] = value;
  }
  return out;
}

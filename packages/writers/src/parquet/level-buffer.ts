import type { ByteBuffer } from "../columns/byte-buffer.ts";
import { bitWidthOf, encodeHybrid } from "./hybrid.ts";
import type { WorkMemory } from "../columns/work-memory.ts";

/** The definition or repetition levels of one page. Costs nothing while they are all the same. */
export class LevelBuffer {
  /** The highest level there may be. */
  readonly max: number;
  readonly #memory: WorkMemory;
  #levels = new Uint8Array(0);
  /** The level of every entry so far, or -1 when they differ and lie in #levels. */
  #uniform = 0;
  #length = 0;

  constructor(max: number, memory: WorkMemory) {
    this.max = max;
    this.#memory = memory;
  }

  get length(): number {
    return this.#length;
  }

  /** @param levels [count], or the one level of all. */
  append(levels: Uint8Array | number, count: number): void {
    if (count === 0) return;
    if (typeof levels === "number" && (this.#length === 0 || this.#uniform === levels)) this.#uniform = levels;
    else {
      this.#spread(this.#length + count);
      if (typeof levels === "number") this.#levels.fill(levels, this.#length, this.#length + count);
      else this.#levels.set(levels, this.#length);
    }
    this.#length += count;
  }

  /** Makes room for `needed` levels, each in its own byte. */
  #spread(needed: number): void {
    if (needed > this.#levels.length) {
      const grown = new Uint8Array(Math.max(needed, this.#levels.length * 2, 4096));
      if (this.#uniform === -1) grown.set(this.#levels.subarray(0, this.#length));
      this.#levels = grown;
    }
    if (this.#uniform !== -1) this.#levels.fill(this.#uniform, 0, this.#length);
    this.#uniform = -1;
  }

  /** Adds how often each level occurs to `histogram`, [max + 1]. */
  count(histogram: number[]): void {
    if (this.#uniform !== -1) {
      histogram[this.#uniform] = (histogram[this.#uniform] ?? 0) + this.#length;
      return;
    }
    const memory = this.#memory;
    const source = memory.load("source", this.#levels.subarray(0, this.#length));
    const target = memory.scratch("out", 2048);
    memory.exports.countLevels(source, this.#length, target);
    const counts = new Int32Array(memory.bytes.buffer, target, 256);
    for (let level = 0; level <= this.max; level++)
      histogram[level] = (histogram[level] ?? 0) + (counts[level] as number);
  }

  /** Appends the levels in the hybrid encoding, without a length; nothing when the only level is 0. */
  encode(out: ByteBuffer): void {
    if (this.max === 0) return;
    if (this.#uniform !== -1) {
      if (this.#length === 0) return;
      // One run, whatever its length.
      out.varint(this.#length * 2);
      out.byte(this.#uniform);
      return;
    }
    encodeHybrid(this.#levels.subarray(0, this.#length), bitWidthOf(this.max), out, this.#memory);
  }

  clear(): void {
    this.#length = 0;
    this.#uniform = 0;
  }
}

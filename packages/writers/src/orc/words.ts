import type { WordValues } from "../columns/values.ts";

/** int64 values, as pairs of words, that grow at their end. */
export class WordBuffer {
  #words: Int32Array = new Int32Array(4096);
  #length = 0;

  /** Room for `count` more values. @returns the words and the place of the first */
  extend(count: number): { words: Int32Array; at: number } {
    const at = this.#length;
    this.#length += 2 * count;
    if (this.#length > this.#words.length) {
      const grown = new Int32Array(Math.max(this.#length, this.#words.length * 2));
      grown.set(this.#words.subarray(0, at));
      this.#words = grown;
    }
    return { words: this.#words, at };
  }

  /** Adds values of one word, widened with their sign unless `unsigned`, or of two. */
  append({ words: source, perValue, count }: WordValues, unsigned: boolean): void {
    const { words, at } = this.extend(count);
    if (perValue === 2) {
      words.set(source, at);
      return;
    }
    for (let i = 0, to = at; i < count; i++) {
      const value = source[i] as number;
      words[to++] = value;
      words[to++] = unsigned ? 0 : value >> 31;
    }
  }

  /** The values gathered since the last call; stale after the next change. */
  take(): Int32Array {
    const taken = this.#words.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }
}

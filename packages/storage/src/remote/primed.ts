/** Unused answers are forgotten after so long. */
const KEPT_MS = 5_000;
const MOST = 8;

/**
 * What a probe learnt by opening an object, until the open that follows takes it: finding out what a URL names and
 * opening it is one request together.
 */
export class Primed<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly at: number }>();

  put(url: string, value: T): void {
    this.#entries.delete(url);
    this.#entries.set(url, { value, at: performance.now() });
    for (const [other, { at }] of this.#entries) {
      if (this.#entries.size <= MOST && performance.now() - at <= KEPT_MS) break;
      this.#entries.delete(other);
    }
  }

  take(url: string): T | undefined {
    const entry = this.#entries.get(url);
    this.#entries.delete(url);
    return entry === undefined || performance.now() - entry.at > KEPT_MS ? undefined : entry.value;
  }

  clear(): void {
    this.#entries.clear();
  }
}

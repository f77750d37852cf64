import type { Seal } from "./seal.ts";
import type { Windows } from "./window-loader.ts";
import type { LoadedWindow, WindowSource } from "./window-source.ts";

/** Ranks that keep pace need the newest window, and the one before for those that are a little behind. */
const KEPT = 2;

/**
 * The windows of a source for several loaders: each is read once while they keep pace, and again for one that is far
 * behind. Closing a loader's share leaves the source open.
 */
export class SharedWindows implements Windows {
  readonly digest: string;
  readonly #source: WindowSource;
  readonly #kept = new Map<number, Promise<LoadedWindow | undefined>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(source: WindowSource, digest: string) {
    this.#source = source;
    this.digest = digest;
  }

  seal(window: number): Promise<Seal | undefined> {
    return this.#source.seal(window);
  }

  load(window: number): Promise<LoadedWindow | undefined> {
    const kept = this.#kept.get(window);
    if (kept !== undefined) return kept;
    const loading = this.#turn.then(() => this.#source.load(window));
    this.#turn = loading.catch(() => undefined);
    this.#kept.set(window, loading);
    const forget = (): boolean => this.#kept.get(window) === loading && this.#kept.delete(window);
    // Another try may fare better; and what did not come yet may come later.
    loading.then((loaded) => loaded === undefined && forget(), forget);
    for (const number of [...this.#kept.keys()].sort((a, b) => a - b)) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(number);
    }
    return loading;
  }

  /** For one of several loaders: does not close the source. */
  share(): Windows {
    return {
      digest: this.digest,
      seal: (window) => this.seal(window),
      load: (window) => this.load(window),
      close: () => Promise.resolve(),
    };
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

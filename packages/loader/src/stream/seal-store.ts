import { publicUrl } from "@ingest-ts/core";
import { agreeOn, isMissing, readObject } from "@ingest-ts/storage";
import { encodeSeal, parseSeal, type Seal } from "./seal.ts";

/** The seals of a stream: objects `seal/<window>` below a folder or prefix, each created once. */
export class SealStore {
  readonly #folder: string;
  readonly #options: string;

  /** @param options digest that every seal has to have */
  constructor(folder: string, options: string) {
    this.#folder = folder.replace(/\/+$/, "");
    this.#options = options;
  }

  #url(window: number): string {
    return `${this.#folder}/seal/${String(window).padStart(10, "0")}`;
  }

  /** @throws FormatError, StateError for what is there but does not fit; SourceError */
  async read(window: number): Promise<Seal | undefined> {
    const url = this.#url(window);
    try {
      return parseSeal(new TextDecoder().decode(await readObject(url)), publicUrl(url), window, this.#options);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Seals a window, unless somebody has. @returns the seal that holds: ours, or the winner's */
  async create(seal: Omit<Seal, "options">): Promise<Seal> {
    const own: Seal = { ...seal, options: this.#options };
    const url = this.#url(seal.window);
    const agreed = await agreeOn(url, encodeSeal(own));
    return parseSeal(new TextDecoder().decode(agreed), publicUrl(url), seal.window, this.#options);
  }
}

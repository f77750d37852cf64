import { Buffer } from "node:buffer";
import type { ByteSink } from "@ingest-ts/core";

const FLUSH_CHARACTERS = 256 * 1024;

/** Gathers text into large writes. */
export class TextSink {
  readonly #sink: ByteSink;
  #parts: string[] = [];
  #characters = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** True when `flush` should be awaited before more is added. */
  get full(): boolean {
    return this.#characters >= FLUSH_CHARACTERS;
  }

  add(text: string): void {
    this.#parts.push(text);
    this.#characters += text.length;
  }

  async flush(): Promise<void> {
    if (this.#characters === 0) return;
    const text = this.#parts.join("");
    this.#parts = [];
    this.#characters = 0;
    await this.#sink.write(Buffer.from(text, "utf8"));
  }
}

import type { ByteSink, Schema, Slab } from "@ingest-ts/core";
import { jsonCell } from "./cells.ts";
import { uniqueNames } from "./names.ts";
import type { RowWriter } from "./row-writer.ts";
import { TextSink } from "./text-sink.ts";

/** One JSON object per row and line. */
export class JsonLinesWriter implements RowWriter {
  readonly #out: TextSink;
  readonly #prefixes: readonly string[];

  constructor(sink: ByteSink, schema: Schema) {
    this.#out = new TextSink(sink);
    const names = uniqueNames(schema.fields.map(({ name }) => name));
    this.#prefixes = names.map((name, i) => `${i === 0 ? "" : ","}${JSON.stringify(name)}:`);
  }

  async write(slab: Slab): Promise<void> {
    const cells = slab.columns.map(jsonCell);
    for (let row = 0; row < slab.rows; row++) {
      let line = "{";
      for (let i = 0; i < cells.length; i++) line += `${this.#prefixes[i]}${cells[i]?.(row)}`;
      this.#out.add(`${line}}\n`);
      if (this.#out.full) await this.#out.flush();
    }
    await this.#out.flush();
  }

  async finish(): Promise<void> {
    await this.#out.flush();
  }
}

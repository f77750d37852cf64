import type { ByteSink, Schema, Slab } from "@ingest-ts/core";
import { plainCell } from "./cells.ts";
import { uniqueNames } from "./names.ts";
import type { RowWriter } from "./row-writer.ts";
import { TextSink } from "./text-sink.ts";

/** Null is an empty field, the empty string a quoted one. */
function field(text: string | undefined): string {
  if (text === undefined) return "";
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180: a line of names, lines end in CRLF; nested values are JSON. */
export class CsvWriter implements RowWriter {
  readonly #out: TextSink;

  constructor(sink: ByteSink, schema: Schema) {
    this.#out = new TextSink(sink);
    const names = uniqueNames(schema.fields.map(({ name }) => name));
    this.#out.add(`${names.map(field).join(",")}\r\n`);
  }

  async write(slab: Slab): Promise<void> {
    const cells = slab.columns.map(plainCell);
    for (let row = 0; row < slab.rows; row++) {
      let line = "";
      for (let i = 0; i < cells.length; i++) line += `${i === 0 ? "" : ","}${field(cells[i]?.(row))}`;
      this.#out.add(`${line}\r\n`);
      if (this.#out.full) await this.#out.flush();
    }
    await this.#out.flush();
  }

  async finish(): Promise<void> {
    await this.#out.flush();
  }
}

import type { ByteSink, Schema, Slab } from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { RecordBatchStreamWriter, type Schema as ArrowSchema } from "apache-arrow";
import type { RowWriter } from "./row-writer.ts";

/** apache-arrow's encoder, whose output is taken message by message instead of being queued without bound. */
class MessageWriter extends RecordBatchStreamWriter {
  #chunks: Uint8Array[] = [];

  /** Bytes encoded since the last call. */
  take(): Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  protected override _write(chunk: ArrayBufferView): this {
    if (this._started && chunk.byteLength > 0) {
      this.#chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      this._position += chunk.byteLength;
    }
    return this;
  }
}

/** An Arrow IPC stream. */
export class ArrowWriter implements RowWriter {
  readonly #sink: ByteSink;
  readonly #schema: ArrowSchema;
  readonly #writer: MessageWriter = new MessageWriter();

  constructor(sink: ByteSink, schema: Schema) {
    this.#sink = sink;
    this.#schema = toArrowSchema(schema);
    this.#writer.reset(undefined, this.#schema);
  }

  async write(slab: Slab): Promise<void> {
    this.#writer.write(toRecordBatch(slab, this.#schema));
    await this.#drain();
  }

  async finish(): Promise<void> {
    this.#writer.finish();
    await this.#drain();
  }

  /** Readers take the end of the bytes for the end of the stream, unless a message begins there: so one does. */
  async cut(): Promise<void> {
    await this.#sink.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff)).catch(() => {});
  }

  async #drain(): Promise<void> {
    for (const chunk of this.#writer.take()) await this.#sink.write(chunk);
  }
}

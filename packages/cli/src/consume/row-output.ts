import { type ByteSink, OptionsError, type Schema, type Slab } from "@ingest-ts/core";
import type { TopicPartition } from "@ingest-ts/kafka";
import type { RowWriter } from "../output/row-writer.ts";
import { createRowWriter, type RowFormat } from "../output/rows-out.ts";
import type { DecodedSlab } from "@ingest-ts/kafka/payload";
import type { ConsumeOutput, SafePlace } from "./output.ts";

/** Rows of all partitions as one stream: a table, JSON lines or Arrow. A row is safe when it was written. */
export class RowOutput implements ConsumeOutput {
  readonly dueAt = undefined;
  readonly #format: RowFormat;
  readonly #sink: ByteSink;
  #writer: RowWriter | undefined;
  #schema: Schema | undefined;

  constructor(format: RowFormat, sink: ByteSink) {
    this.#format = format;
    this.#sink = sink;
  }

  async write({ schema, columns, topic, partition, endOffset, epoch }: DecodedSlab): Promise<readonly SafePlace[]> {
    if (columns.rows > 0) {
      this.#writer ??= await createRowWriter(this.#format, this.#sink, schema);
      this.#schema ??= schema;
      if (this.#schema !== schema) throw new OptionsError("the columns changed within one stream");
      await this.#writer.write({ schema, rows: columns.rows, columns: columns.columns } satisfies Slab);
    }
    return [{ topic, partition, endOffset, epoch }];
  }

  endDue(): Promise<readonly SafePlace[]> {
    return Promise.resolve([]);
  }

  flush(): Promise<readonly SafePlace[]> {
    return Promise.resolve([]);
  }

  async abort(partitions?: readonly TopicPartition[]): Promise<void> {
    // Of a partition that went away everything was written.
    if (partitions !== undefined) return;
    await this.#writer?.cut?.();
    await this.#sink.abort();
  }

  async finish(): Promise<void> {
    await this.#writer?.finish();
    await this.#sink.close();
  }
}

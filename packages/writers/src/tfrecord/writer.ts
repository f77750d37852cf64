import { addWhere, type ByteSink, type Column, type Columns, OptionsError, type Schema } from "@ingest-ts/core";
import { acquireKernels } from "@ingest-ts/kernels";
import { compress, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { checkColumns } from "../check-columns.ts";
import type { TableWriter, Written } from "../writer.ts";
import { ExampleEncoder } from "./encoder.ts";
import { type FeaturePlan, planFeatures } from "./features.ts";
import { type ResolvedOptions, resolveOptions, type TFRecordWriterOptions } from "./options.ts";
import { type FlatColumn, flattenColumn } from "./values.ts";

/** Records are handed to the sink, or made a gzip member, when so many bytes are there. */
const FLUSH_BYTES = 4 * 1024 * 1024;

/**
 * Writes TFRecord: each row one tf.train.Example, its features in byte order of their names, lists packed; a null is an
 * absent feature, an empty list a feature with an empty list. The same rows give the same bytes, however they are
 * divided into calls (gzip: unless the calls are small).
 *
 * The types of the columns are not in the file: put `tfrecordSchemaJson(schema)` beside it.
 *
 * @throws UnsupportedError naming column and type that TFRecord cannot hold, OptionsError for bad options; in both cases
 *   nothing was written and the sink is still the caller's to abort.
 */
export async function createTFRecordWriter(
  sink: ByteSink,
  schema: Schema,
  options: TFRecordWriterOptions = {},
): Promise<TableWriter> {
  const resolved = resolveOptions(options);
  const plans = planFeatures(schema, resolved);
  await prepareCodecs(resolved.codec === "none" ? [] : [resolved.codec], "write");
  return new TFRecordWriter(sink, schema, plans, resolved);
}

class TFRecordWriter implements TableWriter {
  readonly #sink: ByteSink;
  readonly #schema: Schema;
  /** Of columns that are written: not those of nothing but nulls. */
  readonly #plans: readonly FeaturePlan[];
  readonly #options: ResolvedOptions;
  readonly #encoder: ExampleEncoder;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #rows = 0;
  #sizeBytes = 0;
  #state: "open" | "failed" | "ended" = "open";

  constructor(sink: ByteSink, schema: Schema, plans: readonly FeaturePlan[], options: ResolvedOptions) {
    this.#sink = sink;
    this.#schema = schema;
    this.#plans = plans.filter(({ dtype }) => dtype !== null);
    this.#options = options;
    this.#encoder = new ExampleEncoder(acquireKernels(), this.#plans);
  }

  async write(columns: Columns): Promise<void> {
    await this.#guard(async () => {
      checkColumns(columns, this.#schema);
      const flat = this.#plans.map((plan): FlatColumn => {
        try {
          return flattenColumn(columns.columns[plan.index] as Column, plan);
        } catch (error) {
          throw addWhere(error, { column: plan.name });
        }
      });
      for (const bytes of this.#encoder.encode(flat, columns.rows)) {
        this.#pending.push(bytes);
        this.#pendingBytes += bytes.length;
        if (this.#pendingBytes >= FLUSH_BYTES) await this.#flush();
      }
      this.#rows += columns.rows;
    });
  }

  async #flush(): Promise<void> {
    const [first, ...rest] = this.#pending;
    if (first === undefined) return;
    let bytes = first;
    if (rest.length > 0) {
      bytes = new Uint8Array(this.#pendingBytes);
      let at = 0;
      for (const part of this.#pending) {
        bytes.set(part, at);
        at += part.length;
      }
    }
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#put(bytes);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    const { codec, level } = this.#options;
    const out = codec === "none" ? bytes : compress(codec, bytes, level);
    await this.#sink.write(out);
    this.#sizeBytes += out.length;
  }

  async finish(): Promise<Written> {
    return await this.#guard(async () => {
      await this.#flush();
      // No rows at all: an empty gzip stream, not an empty file.
      if (this.#sizeBytes === 0 && this.#options.codec !== "none") await this.#put(new Uint8Array(0));
      await this.#sink.close();
      this.#encoder.release();
      this.#state = "ended";
      return { rows: this.#rows, sizeBytes: this.#sizeBytes };
    });
  }

  async abort(): Promise<void> {
    this.#encoder.release();
    if (this.#state === "ended") return;
    this.#state = "ended";
    await this.#sink.abort();
  }

  async #guard<T>(body: () => Promise<T>): Promise<T> {
    if (this.#state !== "open") {
      const why = this.#state === "failed" ? "after an error" : "once it has ended";
      throw new OptionsError(`a TFRecord writer cannot go on ${why}`, { remedy: "Abort it and create a new one." });
    }
    try {
      return await body();
    } catch (error) {
      this.#state = "failed";
      throw error;
    }
  }
}

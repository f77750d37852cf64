import { type ByteSink, type Columns, OptionsError, type Schema, sliceRows } from "@ingest-ts/core";
import { prepareCodecs } from "@ingest-ts/kernels/codecs";
import { checkColumns } from "../check-columns.ts";
import { ByteBuffer } from "../columns/byte-buffer.ts";
import { rowsWithin } from "../columns/row-ranges.ts";
import type { TableWriter, Written } from "../writer.ts";
import { rowEncoder } from "./encode-nested.ts";
import type { Encoded } from "./encoder.ts";
import { fileBlock, fileHeader } from "./file.ts";
import { type AvroWriterOptions, codecs, type ResolvedOptions, resolveOptions } from "./options.ts";
import { avroSchema } from "./schema.ts";

/** Rows that are encoded at once: few enough for their places to stay in the processor's cache. */
const PIECE_ROWS = 4096;
/** Bytes of Arrow data that are encoded at once, unless one row has more. */
const PIECE_BYTES = 8 * 1024 * 1024;
/** A block of rows without bytes (nulls alone) ends all the same. */
const BLOCK_ROWS = 65_536;
/** Blocks are handed to the sink when so many bytes are there. */
const FLUSH_BYTES = 1024 * 1024;

/**
 * Writes an Avro object container file: each row one record. The same rows give the same bytes, however they are divided
 * into calls.
 *
 * @param schema is stored in the file, so that our reader restores types which Avro lacks; values of its metadata may be
 *   replaced until `finish` by others of as many bytes, when the sink can be patched or the file is small
 * @throws UnsupportedError naming column and type that Avro cannot hold, OptionsError for bad options; in both cases
 *   nothing was written and the sink is still the caller's to abort.
 */
export async function createAvroWriter(
  sink: ByteSink,
  schema: Schema,
  options: AvroWriterOptions = {},
): Promise<TableWriter> {
  const resolved = resolveOptions(options);
  const avro = avroSchema(schema);
  const codec = codecs[resolved.codec];
  await prepareCodecs(codec === undefined ? [] : [codec], "write");
  return new AvroWriter(sink, schema, fileHeader(schema, avro, resolved), resolved);
}

class AvroWriter implements TableWriter {
  readonly #sink: ByteSink;
  readonly #schema: Schema;
  readonly #options: ResolvedOptions;
  readonly #header: { readonly bytes: Uint8Array; readonly sync: Uint8Array };
  readonly #encode: (columns: Columns) => Encoded;
  /** The rows of the block that is being filled. */
  readonly #block = new ByteBuffer(256 * 1024);
  #blockRows = 0;
  readonly #pending = new ByteBuffer(FLUSH_BYTES);
  #rows = 0;
  #sizeBytes = 0;
  #state: "open" | "failed" | "ended" = "open";

  constructor(
    sink: ByteSink,
    schema: Schema,
    header: { readonly bytes: Uint8Array; readonly sync: Uint8Array },
    options: ResolvedOptions,
  ) {
    this.#sink = sink;
    this.#schema = schema;
    this.#header = header;
    this.#options = options;
    this.#encode = rowEncoder(schema.fields);
    this.#pending.append(header.bytes);
  }

  async write(columns: Columns): Promise<void> {
    await this.#guard(async () => {
      checkColumns(columns, this.#schema);
      for (let from = 0; from < columns.rows; ) {
        const to = rowsWithin(columns, from, Math.min(columns.rows, from + PIECE_ROWS), PIECE_BYTES);
        this.#append(sliceRows(columns, from, to));
        from = to;
        if (this.#pending.length >= FLUSH_BYTES) await this.#flush();
      }
      this.#rows += columns.rows;
    });
  }

  /** Encodes rows behind those of the block, and takes away every block that is full. */
  #append(columns: Columns): void {
    const encoded = this.#encode(columns);
    const block = this.#block;
    const { sizes } = encoded;
    const at = new Int32Array(columns.rows);
    let end = block.length;
    for (let i = 0; i < at.length; i++) {
      at[i] = end;
      end += typeof sizes === "number" ? sizes : (sizes[i] as number);
    }
    block.reserve(end - block.length);
    encoded.write(block.bytes, at);
    // Every place is now the end of its row.
    let start = 0;
    for (let i = 0; i < at.length; i++) {
      this.#blockRows++;
      const rowEnd = at[i] as number;
      if (rowEnd - start < this.#options.blockBytes && this.#blockRows < BLOCK_ROWS) continue;
      this.#endBlock(block.bytes.subarray(start, rowEnd));
      start = rowEnd;
    }
    block.bytes.copyWithin(0, start, end);
    block.length = end - start;
  }

  #endBlock(content: Uint8Array): void {
    if (this.#blockRows === 0) return;
    this.#pending.append(fileBlock(this.#blockRows, content, this.#options, this.#header.sync));
    this.#blockRows = 0;
  }

  async #flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    await this.#sink.write(this.#pending.view());
    this.#sizeBytes += this.#pending.length;
    this.#pending.clear();
  }

  /** The schema's metadata may have got other values since, as long as before. */
  async #renewHeader(): Promise<void> {
    const old = this.#header.bytes;
    const { bytes } = fileHeader(this.#schema, avroSchema(this.#schema), { ...this.#options, sync: this.#header.sync });
    if (bytes.length === old.length && bytes.every((byte, i) => byte === old[i])) return;
    if (bytes.length !== old.length) {
      throw new OptionsError("the schema's metadata changed its size while an Avro file was written", {
        remedy: "Its header is at the beginning: replace values by others of as many bytes only.",
      });
    }
    if (this.#sizeBytes === 0) this.#pending.bytes.set(bytes, 0);
    else if (this.#sink.patch !== undefined) await this.#sink.patch(0, bytes);
    else throw new OptionsError("the header of an Avro file was written to a sink that cannot replace it");
  }

  async finish(): Promise<Written> {
    return await this.#guard(async () => {
      this.#endBlock(this.#block.view());
      await this.#renewHeader();
      await this.#flush();
      await this.#sink.close();
      this.#state = "ended";
      return { rows: this.#rows, sizeBytes: this.#sizeBytes };
    });
  }

  async abort(): Promise<void> {
    if (this.#state === "ended") return;
    this.#state = "ended";
    await this.#sink.abort();
  }

  async #guard<T>(body: () => Promise<T>): Promise<T> {
    if (this.#state !== "open") {
      const why = this.#state === "failed" ? "after an error" : "once it has ended";
      throw new OptionsError(`an Avro writer cannot go on ${why}`, { remedy: "Abort it and create a new one." });
    }
    try {
      return await body();
    } catch (error) {
      this.#state = "failed";
      throw error;
    }
  }
}

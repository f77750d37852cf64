import { type ByteSink, type Column, type Columns, OptionsError, type Schema } from "@ingest-ts/core";
import { addWhere } from "@ingest-ts/core";
import { MAGIC, OUR_NAME } from "@ingest-ts/readers/parquet/spec";
import { checkColumns } from "../check-columns.ts";
import type { TableWriter, Written } from "../writer.ts";
import { keyValuesOf } from "../arrow-schema.ts";
import { ColumnWriter } from "./column-writer.ts";
import { createCompressor } from "./compression.ts";
import { type ChunkMetadata, encodeFileMetadata, type RowGroupMetadata } from "./footer.ts";
import { codecNumbers, type ParquetWriterOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { PageEncoder } from "./page.ts";
import { rowBytes, rowsWithin } from "../columns/row-ranges.ts";
import { pieceEnd } from "./row-ranges.ts";
import { type Leaf, type ParquetSchema, toParquetSchema } from "./schema.ts";
import { shred } from "./shred.ts";
import { WorkMemory } from "../columns/work-memory.ts";

/** In every footer; the version is that of this package. */
export const CREATED_BY: string = `${OUR_NAME} version 0.1.0`;

const magic = new TextEncoder().encode(MAGIC);

/**
 * Writes Parquet: rows are encoded as they come, and a row group goes to the sink when it is full, so that at most one,
 * in encoded form, is held in memory. The same rows in the same calls give the same bytes.
 *
 * @param schema is stored in the file, so that readers restore types which Parquet lacks
 * @throws UnsupportedError naming column and type that Parquet cannot hold, OptionsError for bad options; in both cases
 *   nothing was written and the sink is still the caller's to abort.
 */
export async function createParquetWriter(
  sink: ByteSink,
  schema: Schema,
  options: ParquetWriterOptions = {},
): Promise<TableWriter> {
  const resolved = resolveOptions(options, schema);
  const parquetSchema = toParquetSchema(schema);
  const compressor = await createCompressor(resolved.codec, resolved.level);
  const encoder = new PageEncoder(compressor, resolved.pageCrc, resolved.dataPageVersion);
  return new ParquetWriter(sink, schema, parquetSchema, encoder, resolved);
}

class ParquetWriter implements TableWriter {
  readonly #sink: ByteSink;
  readonly #schema: Schema;
  readonly #parquetSchema: ParquetSchema;
  readonly #options: ResolvedOptions;
  readonly #columns: readonly ColumnWriter[];
  readonly #rowGroups: RowGroupMetadata[] = [];
  #groupRows = 0;
  #groupBytes = 0;
  #rows = 0;
  /** Bytes given to the sink. */
  #position = 0;
  #state: "open" | "failed" | "ended" = "open";

  constructor(
    sink: ByteSink,
    schema: Schema,
    parquetSchema: ParquetSchema,
    encoder: PageEncoder,
    options: ResolvedOptions,
  ) {
    this.#sink = sink;
    this.#schema = schema;
    this.#parquetSchema = parquetSchema;
    this.#options = options;
    const memory = new WorkMemory();
    this.#columns = parquetSchema.leaves.map((leaf) => {
      const dictionary = usesDictionary(leaf, schema, options.dictionary);
      return new ColumnWriter(leaf, encoder, memory, { ...options, dictionary });
    });
  }

  async write(columns: Columns): Promise<void> {
    await this.#guard(async () => {
      checkColumns(columns, this.#schema);
      for (let from = 0; from < columns.rows; ) {
        const { rowGroupRows, rowGroupBytes } = this.#options;
        const last = Math.min(columns.rows, from + rowGroupRows - this.#groupRows);
        const to = rowsWithin(columns, from, last, rowGroupBytes - this.#groupBytes);
        this.#encode(columns, from, to);
        this.#groupRows += to - from;
        this.#groupBytes += rowBytes(columns, from, to);
        from = to;
        if (this.#groupRows >= rowGroupRows || this.#groupBytes >= rowGroupBytes || to < last)
          await this.#endRowGroup();
      }
    });
  }

  #encode(columns: Columns, from: number, to: number): void {
    const { leaves } = this.#parquetSchema;
    // A quarter of a page: small enough for pages to end near their size.
    const pieceBytes = this.#options.pageBytes / 4;
    leaves.forEach((leaf, i) => {
      const root = columns.columns[leaf.root] as Column;
      const writer = this.#columns[i] as ColumnWriter;
      for (let row = from; row < to; ) {
        const end = pieceEnd(root, leaf.steps, row, to, pieceBytes);
        writer.append(shredLeaf(root, leaf, row, end), end - row);
        row = end;
      }
    });
  }

  async #endRowGroup(): Promise<void> {
    if (this.#groupRows === 0) return;
    await this.#begin();
    const fileOffset = this.#position;
    const chunks: ChunkMetadata[] = [];
    for (const column of this.#columns) {
      const { pages, dictionaryPageBytes, metadata } = column.finish();
      const start = this.#position;
      for (const page of pages) await this.#put(page);
      chunks.push({
        ...metadata,
        codec: codecNumbers[this.#options.codec],
        dataPageOffset: start + dictionaryPageBytes,
        dictionaryPageOffset: dictionaryPageBytes > 0 ? start : undefined,
      });
    }
    this.#rowGroups.push({ rows: this.#groupRows, fileOffset, chunks });
    this.#rows += this.#groupRows;
    this.#groupRows = 0;
    this.#groupBytes = 0;
  }

  async #begin(): Promise<void> {
    if (this.#position === 0) await this.#put(magic);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    await this.#sink.write(bytes);
    this.#position += bytes.length;
  }

  async finish(): Promise<Written> {
    return await this.#guard(async () => {
      await this.#endRowGroup();
      await this.#begin();
      const footer = encodeFileMetadata({
        version: this.#options.dataPageVersion,
        elements: this.#parquetSchema.elements,
        rows: this.#rows,
        rowGroups: this.#rowGroups,
        keyValues: keyValuesOf(this.#schema),
        createdBy: CREATED_BY,
        leaves: this.#parquetSchema.leaves.length,
      });
      const tail = new Uint8Array(footer.length + 8);
      tail.set(footer);
      new DataView(tail.buffer).setUint32(footer.length, footer.length, true);
      tail.set(magic, footer.length + 4);
      await this.#put(tail);
      await this.#sink.close();
      this.#state = "ended";
      return { rows: this.#rows, sizeBytes: this.#position };
    });
  }

  async abort(): Promise<void> {
    if (this.#state === "ended") return;
    this.#state = "ended";
    await this.#sink.abort();
  }

  /** After a failure the rows held are no longer whole: nothing but `abort` may follow. */
  async #guard<T>(body: () => Promise<T>): Promise<T> {
    if (this.#state !== "open") {
      const why = this.#state === "failed" ? "after an error" : "once it has ended";
      throw new OptionsError(`a Parquet writer cannot go on ${why}`, { remedy: "Abort it and create a new one." });
    }
    try {
      return await body();
    } catch (error) {
      this.#state = "failed";
      throw error;
    }
  }
}

function shredLeaf(root: Column, leaf: Leaf, from: number, to: number): ReturnType<typeof shred> {
  try {
    return shred(root, leaf.steps, from, to);
  } catch (error) {
    throw addWhere(error, { column: leaf.name });
  }
}

function usesDictionary(leaf: Leaf, schema: Schema, choice: boolean | readonly string[]): boolean {
  if (typeof choice === "boolean") return choice;
  return choice.includes(leaf.name) || choice.includes(schema.fields[leaf.root]?.name as string);
}

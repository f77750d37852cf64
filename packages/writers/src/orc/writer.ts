import { type ByteSink, type Column, type Columns, OptionsError, type Schema } from "@ingest-ts/core";
import { prepareCodecs } from "@ingest-ts/kernels/codecs";
import { MAGIC, type StripeInformation } from "@ingest-ts/readers/orc/spec";
import { checkColumns } from "../check-columns.ts";
import { rowBytes, rowsWithin } from "../columns/row-ranges.ts";
import { WorkMemory } from "../columns/work-memory.ts";
import type { TableWriter, Written } from "../writer.ts";
import type { ColumnEncoder } from "./column.ts";
import { createColumn } from "./column-nested.ts";
import { fileTail } from "./footer.ts";
import { codecs, type ORCWriterOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { ColumnStatistics } from "./statistics.ts";
import { encodeStripe } from "./stripe.ts";
import { allNodes, type OrcNode, orcTree } from "./types.ts";

/** Bytes of Arrow data that are encoded at once, unless one row has more. */
const PIECE_BYTES = 8 * 1024 * 1024;

/**
 * Writes ORC: rows are encoded as they come, and a stripe goes to the sink when it is full, so that at most one, in encoded
 * form, is held in memory. The same rows in the same calls give the same bytes.
 *
 * @param schema is stored in the file, so that our reader restores types which ORC lacks
 * @throws UnsupportedError naming column and type that ORC cannot hold, OptionsError for bad options; in both cases
 *   nothing was written and the sink is still the caller's to abort.
 */
export async function createORCWriter(
  sink: ByteSink,
  schema: Schema,
  options: ORCWriterOptions = {},
): Promise<TableWriter> {
  const resolved = resolveOptions(options);
  const tree = orcTree(schema);
  const codec = codecs[resolved.codec];
  await prepareCodecs(codec === undefined ? [] : [codec], "write");
  return new ORCWriter(sink, schema, tree, resolved);
}

class ORCWriter implements TableWriter {
  readonly #sink: ByteSink;
  readonly #schema: Schema;
  readonly #tree: OrcNode;
  readonly #options: ResolvedOptions;
  readonly #root: ColumnEncoder;
  readonly #stripes: StripeInformation[] = [];
  readonly #statistics: (readonly ColumnStatistics[])[] = [];
  #stripeRows = 0;
  #stripeBytes = 0;
  #groupRows = 0;
  #rows = 0;
  /** Bytes given to the sink. */
  #position = 0;
  #state: "open" | "failed" | "ended" = "open";

  constructor(sink: ByteSink, schema: Schema, tree: OrcNode, options: ResolvedOptions) {
    this.#sink = sink;
    this.#schema = schema;
    this.#tree = tree;
    this.#options = options;
    this.#root = createColumn(tree, new WorkMemory(), options.dictionary);
  }

  async write(columns: Columns): Promise<void> {
    await this.#guard(async () => {
      checkColumns(columns, this.#schema);
      for (let from = 0; from < columns.rows; ) from = await this.#append(columns, from);
    });
  }

  /** Encodes rows from `from` on as far as stripe and row group go. @returns where the next ones begin */
  async #append(columns: Columns, from: number): Promise<number> {
    const { stripeRows, stripeBytes, rowIndexStride } = this.#options;
    const left = Math.min(stripeRows - this.#stripeRows, rowIndexStride - this.#groupRows);
    const last = Math.min(columns.rows, from + left);
    const to = rowsWithin(columns, from, last, Math.min(stripeBytes - this.#stripeBytes, PIECE_BYTES));
    if (this.#groupRows === 0) this.#root.beginGroup();
    this.#root.append(this.#rootColumn(columns), { start: from, length: to - from, indices: null });
    this.#groupRows += to - from;
    this.#stripeRows += to - from;
    this.#stripeBytes += rowBytes(columns, from, to);
    if (this.#groupRows === rowIndexStride) this.#endGroup();
    if (this.#stripeRows >= stripeRows || this.#stripeBytes >= stripeBytes) await this.#endStripe();
    return to;
  }

  #rootColumn({ columns, rows }: Columns): Column {
    const nothing = { validity: null, offsets: null, data: null, dictionary: null };
    return { type: this.#tree.type, length: rows, nullCount: 0, ...nothing, children: columns };
  }

  #endGroup(): void {
    if (this.#groupRows === 0) return;
    this.#root.endGroup();
    this.#groupRows = 0;
  }

  async #endStripe(): Promise<void> {
    if (this.#stripeRows === 0) return;
    this.#endGroup();
    await this.#begin();
    const { parts, statistics, indexBytes, dataBytes, footerBytes } = encodeStripe(this.#root.finish(), this.#options);
    this.#stripes.push({ offset: this.#position, indexBytes, dataBytes, footerBytes, rows: this.#stripeRows });
    this.#statistics.push(statistics);
    for (const part of parts) if (part.length > 0) await this.#put(part);
    this.#rows += this.#stripeRows;
    this.#stripeRows = 0;
    this.#stripeBytes = 0;
  }

  async #begin(): Promise<void> {
    if (this.#position === 0) await this.#put(new TextEncoder().encode(MAGIC));
  }

  async #put(bytes: Uint8Array): Promise<void> {
    await this.#sink.write(bytes);
    this.#position += bytes.length;
  }

  async finish(): Promise<Written> {
    return await this.#guard(async () => {
      await this.#endStripe();
      await this.#begin();
      const facts = {
        schema: this.#schema,
        tree: this.#tree,
        rows: this.#rows,
        contentBytes: this.#position,
        stripes: this.#stripes,
        statistics: this.#statistics,
        none: allNodes(this.#tree).map(() => new ColumnStatistics(undefined)),
      };
      await this.#put(fileTail(facts, this.#options));
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
      throw new OptionsError(`an ORC writer cannot go on ${why}`, { remedy: "Abort it and create a new one." });
    }
    try {
      return await body();
    } catch (error) {
      this.#state = "failed";
      throw error;
    }
  }
}

import {
  childFields,
  type Columns,
  type Field,
  OptionsError,
  type Schema,
  sliceRows,
  typeName,
  UnsupportedError,
} from "@ingest-ts/core";
import type { Reader } from "@ingest-ts/readers";
import type { TableWriter } from "@ingest-ts/writers";
import { breathe } from "../process/signals.ts";
import { planLossy } from "./lossy.ts";
import { Output } from "./output.ts";
import { sortKeys, sortRows } from "./sort.ts";
import type { Target, TargetOptions } from "./targets.ts";

/** One conversion, everything decided. */
export interface Conversion {
  readonly target: Target;
  readonly options: TargetOptions;
  /** Of the only file, or of a shard by its number. */
  readonly urlOf: (shard: number) => string;
  /** undefined: one file. */
  readonly shardRows: number | undefined;
  readonly lossy: boolean;
  /** As on the command line. */
  readonly sort: string | undefined;
  readonly sortBytes: number;
  readonly signal: AbortSignal;
  /** Hears what `--lossy` changes, before anything is written. */
  readonly onLossy: (changes: readonly string[]) => void;
  /** Hears how many rows are held so far, before they are sorted. */
  readonly onHeld: (rows: number) => void;
  /** Hears how many rows are written so far. */
  readonly onRows: (rows: number) => void;
}

/** What was written. */
export interface Converted {
  readonly rows: number;
  readonly files: number;
  readonly sizeBytes: number;
}

/** Writes all rows of `reader`; files are visible when all are complete, and none is left behind on an error. */
export async function convertRows(reader: Reader, conversion: Conversion): Promise<Converted> {
  const { target, options, sort, sortBytes, signal, onHeld } = conversion;
  const keys = sort === undefined ? undefined : sortKeys(sort, reader.schema);
  const lossy = conversion.lossy ? await planLossy(reader.schema, target, options) : undefined;
  if (lossy !== undefined) conversion.onLossy(lossy.changes);
  const shards = new Shards(lossy?.schema ?? reader.schema, conversion);
  try {
    await shards.begin();
    const slabs = reader.slabs({ signal });
    const rows: AsyncIterable<Columns> =
      keys === undefined ? slabs : sortRows(slabs, { keys, maxBytes: sortBytes, onHeld });
    for await (const slab of rows) {
      await shards.write(lossy === undefined ? slab : lossy.map(slab));
      await breathe();
      signal.throwIfAborted();
    }
    return await shards.finish();
  } catch (error) {
    await shards.abort();
    throw explained(error, lossy?.schema ?? reader.schema, conversion);
  }
}

/** What a writer refused, with the type of the column, and what `convert` has for it. */
function explained(error: unknown, schema: Schema, { target, lossy }: Conversion): unknown {
  const refused = error instanceof UnsupportedError || error instanceof OptionsError;
  const column = refused ? error.where.column : undefined;
  if (!refused || column === undefined || error.where.url !== undefined) return error;
  const type = typeAt(schema.fields, column);
  const others = target.format === "tfrecord" ? ", write float64 with --float64 bits" : "";
  const change = lossy ? "." : `${others}, or let --lossy change it (--help says how).`;
  return new UnsupportedError(`${error.what}${error.what.includes(type) ? "" : `, in ${type}`}`, {
    where: error.where,
    remedy: `Leave the column out with --columns${change}`,
    cause: error,
  });
}

/** The type of a dotted path, "" where there is none. */
function typeAt(fields: readonly Field[], path: string): string {
  const field = fields.find(({ name }) => name === path || path.startsWith(`${name}.`));
  if (field === undefined) return "";
  return field.name === path
    ? typeName(field.type)
    : typeAt(childFields(field.type), path.slice(field.name.length + 1));
}

/** The files of a conversion, one after the other. */
class Shards {
  readonly #schema: Schema;
  readonly #conversion: Conversion;
  readonly #output: Output;
  #writer: TableWriter | undefined;
  #shardRows = 0;
  #files = 0;
  #rows = 0;
  #sizeBytes = 0;

  constructor(schema: Schema, conversion: Conversion) {
    this.#schema = schema;
    this.#conversion = conversion;
    this.#output = new Output(conversion.signal);
  }

  /** Opens the first file, so that what the format cannot hold is known before a row is read. */
  async begin(): Promise<void> {
    await this.#next();
  }

  async write(columns: Columns): Promise<void> {
    const limit = this.#conversion.shardRows ?? Infinity;
    for (let from = 0; from < columns.rows; ) {
      if (this.#shardRows === limit) {
        await this.#endShard();
        await this.#next();
      }
      const end = Math.min(columns.rows, from + limit - this.#shardRows);
      const part = from === 0 && end === columns.rows ? columns : sliceRows(columns, from, end);
      await (this.#writer as TableWriter).write(part);
      this.#shardRows += end - from;
      this.#rows += end - from;
      from = end;
      this.#conversion.onRows(this.#rows);
    }
  }

  async finish(): Promise<Converted> {
    await this.#endShard();
    this.#conversion.signal.throwIfAborted();
    await this.#output.close();
    return { rows: this.#rows, files: this.#files, sizeBytes: this.#sizeBytes };
  }

  async abort(): Promise<void> {
    await this.#writer?.abort();
    await this.#output.abort();
  }

  async #next(): Promise<void> {
    const { target, options, urlOf } = this.#conversion;
    const url = urlOf(this.#files);
    const { beside } = target;
    if (beside !== undefined) {
      const text = await beside.text(this.#schema);
      const sink = await this.#output.add(`${url}${beside.suffix}`);
      await sink.write(new TextEncoder().encode(text));
    }
    this.#writer = await target.create(await this.#output.add(url), this.#schema, options);
    this.#files++;
    this.#shardRows = 0;
  }

  async #endShard(): Promise<void> {
    const written = await this.#writer?.finish();
    this.#sizeBytes += written?.sizeBytes ?? 0;
  }
}

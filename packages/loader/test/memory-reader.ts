import {
  type Column,
  type Columns,
  type Field,
  type Fragment,
  type Schema,
  type Slab,
  sliceRows,
} from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { memorySource } from "@ingest-ts/core/testing";
import type { FragmentOptions, Reader } from "@ingest-ts/readers";

function int32(values: readonly number[]): Column {
  const data = new Uint8Array(Int32Array.from(values).buffer);
  const none = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
  return { ...none, type: { kind: "int", bits: 32, signed: true }, length: values.length, data };
}

function utf8(values: readonly string[]): Column {
  const parts = values.map((value) => new TextEncoder().encode(value));
  const offsets = new Int32Array(values.length + 1);
  parts.forEach((part, i) => {
    offsets[i + 1] = (offsets[i] as number) + part.length;
  });
  const data = new Uint8Array(offsets.at(-1) as number);
  parts.forEach((part, i) => data.set(part, offsets[i] as number));
  const none = { nullCount: 0, validity: null, children: [], dictionary: null };
  return { ...none, type: { kind: "utf8" }, length: values.length, offsets, data };
}

const fields: Field[] = [
  { name: "id", type: { kind: "int", bits: 32, signed: true }, nullable: false },
  { name: "name", type: { kind: "utf8" }, nullable: false },
];

export interface MemoryReaderOptions {
  readonly name?: string;
  /** Rows of each fragment. */
  readonly fragmentRows: readonly number[];
  /** `id` of the first row. */
  readonly firstId?: number;
  readonly slabRows?: number;
}

/** A reader of rows (id, name) that come from nowhere, and what was read of it. */
export class MemoryReader implements Reader {
  readonly url: string;
  readonly source: Reader["source"];
  readonly format = "parquet" as const;
  readonly schema: Schema = { fields, metadata: {} };
  readonly arrowSchema: Reader["arrowSchema"] = toArrowSchema(this.schema);
  readonly fragments: readonly Fragment[];
  readonly rows: number;
  /** `fragment:from-to` of every read, in order. */
  readonly reads: string[] = [];
  open = 0;
  closed = 0;
  readonly #slabRows: number;
  readonly #firstIds: number[];

  constructor({ name = "memory.parquet", fragmentRows, firstId = 0, slabRows = 7 }: MemoryReaderOptions) {
    this.url = name;
    this.source = memorySource(new TextEncoder().encode(JSON.stringify([fragmentRows, firstId])), name);
    this.fragments = fragmentRows.map((rows, ordinal) => ({
      url: name,
      ordinal,
      rows,
      sizeBytes: rows * 10,
      plan: null,
    }));
    this.rows = fragmentRows.reduce((sum, rows) => sum + rows, 0);
    this.#slabRows = slabRows;
    let id = firstId;
    this.#firstIds = fragmentRows.map((rows) => {
      id += rows;
      return id - rows;
    });
  }

  async *fragmentSlabs(fragment: Fragment, options: FragmentOptions = {}): AsyncGenerator<Slab, void, undefined> {
    const [from, to] = options.rows ?? [0, fragment.rows as number];
    this.reads.push(`${fragment.ordinal}:${from}-${to}`);
    this.open++;
    try {
      const first = this.#firstIds[fragment.ordinal] as number;
      const all = this.#columns(first + from, to - from);
      for (let at = 0; at < all.rows; at += this.#slabRows) {
        await Promise.resolve();
        options.signal?.throwIfAborted();
        yield { schema: this.schema, ...sliceRows(all, at, Math.min(all.rows, at + this.#slabRows)) };
      }
    } finally {
      this.open--;
    }
  }

  #columns(first: number, rows: number): Columns {
    const ids = Array.from({ length: rows }, (_, i) => first + i);
    return { rows, columns: [int32(ids), utf8(ids.map((id) => `row ${id}`))] };
  }

  async *slabs(): AsyncGenerator<Slab, void, undefined> {
    for (const fragment of this.fragments) yield* this.fragmentSlabs(fragment);
  }

  async *[Symbol.asyncIterator](): ReturnType<Reader[typeof Symbol.asyncIterator]> {
    for await (const slab of this.slabs()) yield toRecordBatch(slab, this.arrowSchema);
  }

  buildIndex(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

/** The ids of a batch's rows. */
export function idsOf(columns: Columns): number[] {
  const { data } = columns.columns[0] as Column & { data: Uint8Array };
  return [...new Int32Array(data.buffer, data.byteOffset, columns.rows)];
}

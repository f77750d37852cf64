import {
  type BoundPredicate,
  type ByteSource,
  type Columns,
  evaluate,
  type FormatName,
  type Fragment,
  type ObjectIndex,
  projectColumns,
  type Projection,
  type ReadOptions,
  type Schema,
  type Slab,
  takeRows,
} from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import type { RecordBatch, Schema as ArrowSchema } from "apache-arrow";
import { passing } from "../passing.ts";
import type { FragmentOptions, Reader } from "../reader.ts";
import type { Adapter } from "./adapt.ts";

/** What a reader of one file of a data set is made of. */
export interface UnitedParts {
  /** Reads the file's own columns. */
  readonly inner: Reader;
  /** To the columns of `schema`; undefined: they are the same. */
  readonly adapt: Adapter | undefined;
  readonly schema: Schema;
  /** What of `schema` is handed on; undefined: all. */
  readonly output: Projection | undefined;
  /** Bound to `schema`; what `inner` does not test exactly. */
  readonly where: BoundPredicate | undefined;
  /** "none": no row can pass. */
  readonly rows: "some" | "none";
}

/** One file in the columns of its data set. */
export class UnitedReader implements Reader {
  readonly url: string;
  readonly source: ByteSource;
  readonly format: FormatName;
  readonly schema: Schema;
  readonly arrowSchema: ArrowSchema;
  readonly fragments: readonly Fragment[];
  readonly rows: number | undefined;
  readonly #parts: UnitedParts;

  constructor(parts: UnitedParts) {
    const { inner, output, schema, where, rows } = parts;
    this.#parts = parts;
    this.url = inner.url;
    this.source = inner.source;
    this.format = inner.format;
    this.schema = output?.schema ?? schema;
    this.arrowSchema = toArrowSchema(this.schema);
    this.fragments = inner.fragments;
    this.rows = rows === "none" ? 0 : where === undefined ? inner.rows : undefined;
  }

  async *slabs(options: ReadOptions = {}): AsyncGenerator<Slab, void, undefined> {
    if (this.#parts.rows === "none") return;
    for await (const slab of this.#parts.inner.slabs(options)) yield* this.#united(slab, true);
  }

  async *fragmentSlabs(fragment: Fragment, options: FragmentOptions = {}): AsyncGenerator<Slab, void, undefined> {
    const filter = options.filter !== false;
    if (filter && this.#parts.rows === "none") return;
    for await (const slab of this.#parts.inner.fragmentSlabs(fragment, options)) yield* this.#united(slab, filter);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    for await (const slab of this.slabs()) yield toRecordBatch(slab, this.arrowSchema);
  }

  buildIndex(options: ReadOptions = {}): Promise<ObjectIndex | undefined> {
    return this.#parts.inner.buildIndex(options);
  }

  close(): Promise<void> {
    return this.#parts.inner.close();
  }

  *#united(slab: Slab, filter: boolean): Generator<Slab, void, undefined> {
    const { adapt, output, where } = this.#parts;
    const columns: Columns = adapt === undefined ? slab : adapt(slab);
    const handed = output === undefined ? columns : projectColumns(columns, output);
    if (where === undefined || !filter) {
      yield { schema: this.schema, rows: handed.rows, columns: handed.columns };
      return;
    }
    const indices = passing(evaluate(where, columns));
    if (indices.length === 0) return;
    const kept = indices.length === handed.rows ? handed : takeRows(handed, indices);
    yield { schema: this.schema, rows: kept.rows, columns: kept.columns };
  }
}

import {
  type ByteSource,
  type FormatName,
  type Fragment,
  type ObjectIndex,
  OptionsError,
  type Predicate,
  type ReadOptions,
  type Schema,
  type Slab,
} from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import type { RecordBatch, Schema as ArrowSchema } from "apache-arrow";
import type { DatasetInfo, FragmentOptions, Reader } from "../reader.ts";
import { datasetSource } from "./dataset-source.ts";
import type { FilePool } from "./file-pool.ts";
import type { ListedFile } from "./listing.ts";

/** What is known of a file once its metadata was read; the metadata itself is let go. */
export interface SurveyedFile {
  readonly file: ListedFile;
  readonly format: FormatName;
  readonly schema: Schema;
  readonly fragments: readonly Fragment<undefined>[];
}

/** What a reader of a data set is made of. */
export interface DatasetParts {
  readonly root: string;
  /** Those that are read. */
  readonly files: readonly SurveyedFile[];
  readonly first: SurveyedFile;
  readonly schema: Schema;
  readonly dataset: DatasetInfo;
  readonly pool: FilePool;
  readonly where: Predicate | undefined;
  readonly signal: AbortSignal | undefined;
}

/** All files of a data set, one after the other. Files are opened when their turn comes, the next one ahead of it. */
export class DatasetReader implements Reader {
  readonly url: string;
  readonly source: ByteSource;
  readonly format: FormatName;
  readonly schema: Schema;
  readonly arrowSchema: ArrowSchema;
  readonly fragments: readonly Fragment[];
  readonly rows: number | undefined;
  readonly dataset: DatasetInfo;
  readonly #parts: DatasetParts;
  readonly #fileOf = new Map<Fragment, ListedFile>();

  constructor(parts: DatasetParts) {
    this.#parts = parts;
    this.url = parts.root;
    this.source = datasetSource(parts.root);
    this.format = parts.first.format;
    this.schema = parts.schema;
    this.arrowSchema = toArrowSchema(parts.schema);
    this.dataset = parts.dataset;
    for (const { file, fragments } of parts.files) {
      for (const fragment of fragments) this.#fileOf.set(fragment, file);
    }
    this.fragments = [...this.#fileOf.keys()];
    const known = parts.where === undefined && this.fragments.every(({ rows }) => rows !== undefined);
    this.rows = known ? this.fragments.reduce((sum, { rows }) => sum + (rows as number), 0) : undefined;
  }

  async *slabs(options: ReadOptions = {}): AsyncGenerator<Slab, void, undefined> {
    const { files, pool, signal } = this.#parts;
    /** Acquired and not released yet: this one and the one after it. */
    const held: ListedFile[] = [];
    const acquire = (at: number): Promise<Reader> | undefined => {
      const file = files[at]?.file;
      if (file === undefined) return undefined;
      held.push(file);
      const reader = pool.acquire(file);
      // Awaited in its turn; until then a failure must not count as unhandled.
      reader.catch(() => {});
      return reader;
    };
    let next = acquire(0);
    try {
      for (let i = 0; next !== undefined; i++) {
        signal?.throwIfAborted();
        options.signal?.throwIfAborted();
        const current: Promise<Reader> = next;
        next = acquire(i + 1);
        for await (const slab of (await current).slabs(options)) yield { ...slab, schema: this.schema };
        await pool.release(held.shift() as ListedFile);
      }
    } finally {
      for (const file of held) await pool.release(file);
    }
  }

  async *fragmentSlabs(fragment: Fragment, options: FragmentOptions = {}): AsyncGenerator<Slab, void, undefined> {
    const file = this.#fileOf.get(fragment);
    if (file === undefined) throw new OptionsError("the fragment is not of this data set");
    const { pool } = this.#parts;
    try {
      const reader = await pool.acquire(file);
      const own = reader.fragments.find(({ ordinal }) => ordinal === fragment.ordinal);
      // The condition, or the folders, rule out every row of it.
      if (own === undefined) {
        if (options.filter !== false) return;
        throw new OptionsError("the fragment has no row that can pass, and is not planned", {
          where: { url: fragment.url, fragment: fragment.ordinal },
          remedy: "Open the data set without where to read all rows.",
        });
      }
      for await (const slab of reader.fragmentSlabs(own, options)) yield { ...slab, schema: this.schema };
    } finally {
      await pool.release(file);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    for await (const slab of this.slabs()) yield toRecordBatch(slab, this.arrowSchema);
  }

  buildIndex(): Promise<ObjectIndex | undefined> {
    const what = "an index is of one file, and this is a data set";
    return Promise.reject(new OptionsError(what, { where: { url: this.url }, remedy: "Index its files one by one." }));
  }

  close(): Promise<void> {
    return this.#parts.pool.close();
  }
}

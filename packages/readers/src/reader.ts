import {
  type BoundPredicate,
  type ByteSource,
  channels,
  type Columns,
  type DecodeOptions,
  evaluate,
  type Field,
  type Format,
  FormatError,
  type FormatName,
  type Fragment,
  type ObjectIndex,
  OptionsError,
  projectColumns,
  type Projection,
  type ReadOptions,
  type Schema,
  type Select,
  type Slab,
  takeRows,
} from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import type { RecordBatch, Schema as ArrowSchema } from "apache-arrow";
import type { ListedFile, Listing } from "./dataset/listing.ts";
import type { SchemaDifference } from "./dataset/unite.ts";
import { FragmentRun } from "./fragment-run.ts";
import { passing } from "./passing.ts";
import { valueCheck } from "./value-check.ts";

/** The next fragment's bytes are fetched ahead only when they are few. */
const PREFETCH_BYTES = 32 * 1024 * 1024;

export interface FragmentOptions extends ReadOptions {
  /** Rows [from, to) of the fragment, counted before `where`. */
  readonly rows?: readonly [from: number, to: number] | undefined;
  /** False: rows that fail `where` too. */
  readonly filter?: boolean | undefined;
}

/** What `open` found out about a folder, pattern or list. */
export interface DatasetInfo {
  readonly listing: Listing;
  /** Those that are read, in order, each with its share of the reader's fragments. */
  readonly files: readonly DatasetFile[];
  /** Files whose metadata was read: those that the values of their folders do not rule out, and what the schema takes. */
  readonly opened: number;
  readonly partitionFields: readonly Field[];
  /** How files differ from the schema of all. */
  readonly differences: readonly SchemaDifference[];
  readonly formats: readonly FormatName[];
}

/** One file of an open data set. */
export interface DatasetFile {
  readonly file: ListedFile;
  readonly format: FormatName;
  readonly fragments: readonly Fragment[];
}

/** One open object of a known format, or all files of a data set. Every slab has the columns of `schema`, in its order. */
export interface Reader {
  readonly url: string;
  /** The object itself, closed with the reader. That of a data set has no bytes. */
  readonly source: ByteSource;
  /** Of a data set: that of its first file. */
  readonly format: FormatName;
  readonly schema: Schema;
  readonly arrowSchema: ArrowSchema;
  /** In the order of the rows. With `where`, those that cannot have a passing row may be missing. */
  readonly fragments: readonly Fragment[];
  /** Rows that `slabs` yields, when that is known without reading: undefined with `where`, or without an index. */
  readonly rows: number | undefined;
  /** All rows that pass `where`. Ending the loop early stops reading. */
  slabs(options?: ReadOptions): AsyncGenerator<Slab, void, undefined>;
  /** The rows of one fragment. */
  fragmentSlabs(fragment: Fragment, options?: FragmentOptions): AsyncGenerator<Slab, void, undefined>;
  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined>;
  /** Reads the whole object once and says where fragments lie; undefined for formats that know without. */
  buildIndex(options?: ReadOptions): Promise<ObjectIndex | undefined>;
  /** Closes the source, unless the caller gave it. */
  close(): Promise<void>;
  /** Of a data set. */
  readonly dataset?: DatasetInfo | undefined;
}

/** What `open` found out; all that a reader needs. */
export interface ReaderParts {
  readonly source: ByteSource;
  readonly format: Format<unknown, unknown>;
  readonly metadata: unknown;
  /** Asks for the columns of the output and those that `where` needs. */
  readonly select: Select;
  /** The schema of what is decoded, and what of it is handed on (undefined: all). */
  readonly readSchema: Schema;
  readonly output: Projection | undefined;
  readonly where: BoundPredicate | undefined;
  readonly fragments: readonly Fragment[];
  readonly batchRows: number;
  readonly batchBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly close: () => Promise<void>;
}

/** A reader over the parts that `open` prepared. */
export function createReader(parts: ReaderParts): Reader {
  return new ObjectReader(parts);
}

class ObjectReader implements Reader {
  readonly url: string;
  readonly source: ByteSource;
  readonly format: FormatName;
  readonly schema: Schema;
  readonly arrowSchema: ArrowSchema;
  readonly fragments: readonly Fragment[];
  readonly rows: number | undefined;
  readonly #parts: ReaderParts;
  readonly #valueCheck: ReturnType<typeof valueCheck>;
  #prepared: Promise<void> | undefined;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#valueCheck = valueCheck(parts.readSchema.fields);
    this.url = parts.source.url;
    this.source = parts.source;
    this.format = parts.format.name;
    this.schema = parts.output?.schema ?? parts.readSchema;
    this.arrowSchema = toArrowSchema(this.schema);
    this.fragments = parts.fragments;
    const known = parts.where === undefined && parts.fragments.every(({ rows }) => rows !== undefined);
    this.rows = known ? parts.fragments.reduce((sum, { rows }) => sum + (rows as number), 0) : undefined;
  }

  slabs(options: ReadOptions = {}): AsyncGenerator<Slab, void, undefined> {
    return this.#read(this.fragments, options);
  }

  fragmentSlabs(fragment: Fragment, options: FragmentOptions = {}): AsyncGenerator<Slab, void, undefined> {
    const { rows } = options;
    if (rows !== undefined) {
      const [from, to] = rows;
      const whole = Number.isSafeInteger(from) && Number.isSafeInteger(to);
      if (!whole || from < 0 || from > to || to > (fragment.rows ?? Infinity)) {
        throw new OptionsError(`rows ${from} to ${to} of a fragment of ${fragment.rows ?? "unknown"} rows`, {
          where: { url: this.url, fragment: fragment.ordinal },
        });
      }
    }
    return this.#read([fragment], options);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    for await (const slab of this.slabs()) yield toRecordBatch(slab, this.arrowSchema);
  }

  async buildIndex(options: ReadOptions = {}): Promise<ObjectIndex | undefined> {
    const { format, source, metadata, select } = this.#parts;
    if (format.buildIndex === undefined) return undefined;
    await this.#prepare();
    return format.buildIndex(source, metadata, select, options);
  }

  close(): Promise<void> {
    return this.#parts.close();
  }

  #prepare(): Promise<void> {
    this.#prepared ??= this.#parts.format.prepare(this.#parts.metadata);
    return this.#prepared;
  }

  /** Decodes one fragment while the first bytes of the next are fetched. */
  async *#read(fragments: readonly Fragment[], options: FragmentOptions): AsyncGenerator<Slab, void, undefined> {
    const signal = joinSignals(this.#parts.signal, options.signal);
    signal?.throwIfAborted();
    await this.#prepare();
    const { bytesInFlight } = this.#parts.select.limits;
    let current: FragmentRun | undefined;
    let next: FragmentRun | undefined;
    try {
      for (const [i, fragment] of fragments.entries()) {
        current = next ?? this.#start(fragment, options, signal);
        const following = fragments[i + 1];
        next = following === undefined ? undefined : this.#start(following, options, signal);
        yield* this.#slabsOf(fragment, current, next, options, signal);
        await current.close();
        next?.prefetch(Math.min(PREFETCH_BYTES, bytesInFlight));
      }
    } finally {
      await current?.close();
      await next?.close();
    }
  }

  async *#slabsOf(
    fragment: Fragment,
    current: FragmentRun,
    next: FragmentRun | undefined,
    options: FragmentOptions,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Slab, void, undefined> {
    const { bytesInFlight } = this.#parts.select.limits;
    const startedAt = performance.now();
    const expected = options.rows === undefined ? fragment.rows : options.rows[1] - options.rows[0];
    let rows = 0;
    let rowsPassed = 0;
    const makeRoom = (bytes: number): void => {
      if ((next?.heldBytes ?? 0) + bytes > bytesInFlight) next?.drop();
    };
    for (;;) {
      const columns = await current.next(makeRoom);
      signal?.throwIfAborted();
      if (columns === undefined) break;
      const isPassed = "passedRows" in columns;
      if (!isPassed) {
        this.#checkShape(columns, fragment);
        this.#checkValues(columns, fragment, (options.rows?.[0] ?? 0) + rows);
      }
      rows += isPassed ? columns.passedRows : columns.rows;
      if (expected !== undefined && rows > expected) throw this.#wrongRows(fragment, expected, `at least ${rows}`);
      next?.prefetch(Math.min(PREFETCH_BYTES, bytesInFlight - current.heldBytes));
      if (isPassed) continue;
      const kept = this.#keep(columns, options.filter !== false);
      if (kept.rows === 0) continue;
      rowsPassed += kept.rows;
      yield { schema: this.schema, rows: kept.rows, columns: kept.columns };
    }
    if (expected !== undefined && rows !== expected && (fragment.rows !== undefined || rows > expected)) {
      throw this.#wrongRows(fragment, expected, `${rows}`);
    }
    if (channels.fragmentRead.hasSubscribers) {
      const durationMs = performance.now() - startedAt;
      const { fetchedBytes } = current;
      channels.fragmentRead.publish({
        url: this.url,
        fragment: fragment.ordinal,
        rows,
        rowsPassed,
        fetchedBytes,
        durationMs,
      });
    }
  }

  #start(fragment: Fragment, options: FragmentOptions, signal: AbortSignal | undefined): FragmentRun {
    const { format, source, metadata, select, batchRows, batchBytes } = this.#parts;
    const decodeOptions: DecodeOptions = {
      select: options.filter === false ? { ...select, where: undefined } : select,
      rows: options.rows,
      batchRows,
      batchBytes,
      nearby: source.nearby,
    };
    const decoder = format.decode(fragment, metadata, decodeOptions);
    return new FragmentRun(decoder, source, fragment.ordinal, select.limits, signal);
  }

  #keep(columns: Columns, filter: boolean): Columns {
    const { where, output } = this.#parts;
    const handed = output === undefined ? columns : projectColumns(columns, output);
    if (where === undefined || !filter) return handed;
    const indices = passing(evaluate(where, columns));
    return indices.length === columns.rows ? handed : takeRows(handed, indices);
  }

  #checkShape(columns: Columns, fragment: Fragment): void {
    const { fields } = this.#parts.readSchema;
    const fits =
      columns.columns.length === fields.length && columns.columns.every(({ length }) => length === columns.rows);
    if (fits) return;
    const lengths = columns.columns.map(({ length }) => length).slice(0, 20);
    throw new FormatError(`columns of ${lengths.join(", ")} values where each should have ${columns.rows}`, {
      where: { url: this.url, fragment: fragment.ordinal },
    });
  }

  #checkValues({ columns }: Columns, fragment: Fragment, firstRow: number): void {
    const fault = this.#valueCheck?.(columns);
    if (fault === undefined) return;
    throw new FormatError(`row ${firstRow + fault.row}: ${fault.problem}`, {
      where: { url: this.url, fragment: fragment.ordinal, column: fault.path.join(".") },
    });
  }

  #wrongRows(fragment: Fragment, expected: number, got: string): FormatError {
    return new FormatError(`${got} rows where the metadata says ${expected}`, {
      where: { url: this.url, fragment: fragment.ordinal },
      remedy: "The object is corrupt.",
    });
  }
}

function joinSignals(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  if (a === undefined || b === undefined || a === b) return a ?? b;
  return AbortSignal.any([a, b]);
}

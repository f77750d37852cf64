import type { Column, Columns, DataType, Limits, Select } from "@ingest-ts/core";
import type { Kernels } from "@ingest-ts/kernels";
import { type AppendOptions, appendBytes, appendValue, ColumnError } from "./append.ts";
import { ColumnTable, type TableKey } from "./column-table.ts";
import { type FeatureMap, type FeatureValue, parseExample, parseSequenceExample, type Wanted } from "./example.ts";
import { assembleColumn } from "./assemble.ts";
import { allStoredFeatures, type FeatureSpec } from "./feature.ts";
import { finishColumn } from "./finish.ts";
import type { TFRecordMetadata } from "./metadata.ts";
import type { Source } from "./schema.ts";

/** Where records become columns. Rows and bytes count from the last `begin`. */
export interface RecordSink {
  readonly rows: number;
  readonly sizeBytes: number;
  begin(): void;
  /** Bytes of the values that are held where they were fetched. */
  readonly heldBytes: number;
  /** Rows since `begin`, as columns of their own memory; `window` may become a part of it (see `finishColumn`). */
  finish(window?: Uint8Array): Columns;
  release(): void;
  /** Decodes one record's data in any form. @throws ColumnError, WireError, UnsupportedError */
  append(bytes: Uint8Array, start: number, end: number, options: AppendOptions): void;
  /** Decodes many records by one kernel call; undefined where there is none for their type. */
  readonly table: ColumnTable | undefined;
}

function namesOf(features: readonly FeatureSpec[]): ReadonlyMap<string, unknown> {
  return new Map(features.map((feature) => [feature.name, feature]));
}

/** Names all features so that the decoder knows those it leaves out. */
function tableKeys(all: readonly FeatureSpec[], columns: readonly FeatureSpec[]): TableKey[] {
  const positions = new Map(columns.map(({ name }, i) => [name, i]));
  return all.map(({ name }) => ({ name, column: positions.get(name) ?? -1 }));
}

function checkNames(features: Iterable<string>, known: ReadonlyMap<string, unknown>, inferredFrom: number): void {
  for (const name of features) {
    if (known.has(name)) continue;
    throw new ColumnError(
      name,
      `feature "${name}" is not in the first ${inferredFrom} records, from which the columns were made`,
      true,
    );
  }
}

/** The columns of the rows in `table` that `features` ask for. */
function finishFeatures(
  table: ColumnTable,
  features: readonly FeatureSpec[],
  limits: Limits,
  window?: Uint8Array,
): Column[] {
  const places = new Map(table.columns.map(({ name }, i) => [name, i]));
  const finished = new Map<string, Column>();
  const stored = (name: string): Column => {
    const column = finished.get(name) ?? finishColumn(table, places.get(name) as number, window);
    finished.set(name, column);
    return column;
  };
  return features.map((feature) =>
    feature.assembly === undefined ? stored(feature.name) : assembleColumn(feature, feature.assembly, stored, limits),
  );
}

const absent: FeatureValue = { kind: 0, spans: [] };

/** Appends one row of features to a table of their columns. */
function appendFeatures(table: ColumnTable, bytes: Uint8Array, features: FeatureMap, options: AppendOptions): void {
  table.ensureRow();
  table.columns.forEach(({ name }, i) => appendValue(table, i, bytes, features.get(name) ?? absent, options));
  table.commitRow();
}

/** Examples. */
export class ExampleSink implements RecordSink {
  readonly table: ColumnTable;
  /** Known features, where others are errors. */
  readonly #known: ReadonlyMap<string, unknown> | undefined;
  readonly #wanted: Wanted;
  readonly #inferredFrom: number;
  readonly #features: readonly FeatureSpec[];
  readonly #limits: Limits;

  constructor(
    kernels: Kernels,
    m: TFRecordMetadata,
    sources: readonly Source[],
    { columns: selected, limits }: Select,
    largeRecordBytes: number,
  ) {
    const all = selected === undefined;
    this.#limits = limits;
    this.#features = sources.flatMap((source) => (source.kind === "feature" ? [source.feature] : []));
    const columns = allStoredFeatures(this.#features);
    // Who names the columns asks for no others; who does not would miss a feature that appears late.
    const strict = all && m.inferredFrom !== undefined;
    this.#known = strict ? namesOf(m.features) : undefined;
    this.#wanted = strict ? undefined : namesOf(columns);
    this.#inferredFrom = m.inferredFrom ?? 0;
    const keys = tableKeys(allStoredFeatures(m.features), columns);
    this.table = new ColumnTable(kernels, columns, keys, { strict, raw: false, largeRecordBytes });
  }

  get rows(): number {
    return this.table.rows;
  }

  get sizeBytes(): number {
    return this.table.outBytes;
  }

  begin(): void {
    this.table.begin();
  }

  append(bytes: Uint8Array, start: number, end: number, options: AppendOptions): void {
    const features = parseExample(bytes, start, end, this.#wanted);
    if (this.#known !== undefined) checkNames(features.keys(), this.#known, this.#inferredFrom);
    appendFeatures(this.table, bytes, features, options);
  }

  get heldBytes(): number {
    return this.table.heldBytes;
  }

  finish(window?: Uint8Array): Columns {
    const { table } = this;
    // One column's values moved together would overwrite another's.
    const holding = table.held.filter((values) => values.length > 0).length;
    const own = holding === 1 ? window : undefined;
    return { rows: this.rows, columns: finishFeatures(table, this.#features, this.#limits, own) };
  }

  release(): void {
    this.table.release();
  }
}

/** Records as they are. */
export class RawSink implements RecordSink {
  readonly table: ColumnTable;
  readonly #wanted: boolean;

  constructor(kernels: Kernels, record: FeatureSpec, wanted: boolean, largeRecordBytes: number) {
    this.#wanted = wanted;
    this.table = new ColumnTable(kernels, [record], [], { strict: false, raw: true, largeRecordBytes });
  }

  get rows(): number {
    return this.table.rows;
  }

  get sizeBytes(): number {
    return this.table.outBytes;
  }

  begin(): void {
    this.table.begin();
  }

  append(bytes: Uint8Array, start: number, end: number, options: AppendOptions): void {
    const { table } = this;
    table.ensureRow();
    table.ensureValues(0, table.rows + 1);
    appendBytes(table, 0, table.rows, bytes.subarray(start, end), options.hold);
    table.addOutBytes(end - start + 4);
    table.commitRow();
  }

  get heldBytes(): number {
    return this.table.heldBytes;
  }

  finish(window?: Uint8Array): Columns {
    return { rows: this.rows, columns: this.#wanted ? [finishColumn(this.table, 0, window)] : [] };
  }

  release(): void {
    this.table.release();
  }
}

/** One feature list: a table whose rows are the steps of all records, and where each record's steps end. */
class StepsTable {
  readonly name: string;
  readonly table: ColumnTable;
  readonly #type: DataType;
  #ends: number[] = [0];
  #present: boolean[] = [];

  constructor(kernels: Kernels, list: FeatureSpec, type: DataType) {
    this.name = list.name;
    this.#type = type;
    this.table = new ColumnTable(kernels, [list], [], { strict: false, raw: false, largeRecordBytes: 0 });
  }

  begin(): void {
    this.table.begin();
    this.#ends = [0];
    this.#present = [];
  }

  append(bytes: Uint8Array, steps: readonly FeatureValue[] | undefined, options: AppendOptions): void {
    for (const step of steps ?? []) {
      this.table.ensureRow();
      appendValue(this.table, 0, bytes, step, options);
      this.table.commitRow();
    }
    this.#ends.push(this.table.rows);
    this.#present.push(steps !== undefined);
  }

  get sizeBytes(): number {
    return this.table.outBytes + this.table.rows * 4;
  }

  finish(): Column {
    const length = this.#present.length;
    const validity = new Uint8Array((length + 7) >> 3);
    let nullCount = 0;
    this.#present.forEach((present, i) => {
      if (present) validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
      else nullCount++;
    });
    return {
      type: this.#type,
      length,
      nullCount,
      validity: nullCount === 0 ? null : validity,
      offsets: Int32Array.from(this.#ends),
      data: null,
      children: [finishColumn(this.table, 0)],
      dictionary: null,
    };
  }
}

/** SequenceExamples: the context as Examples are, and a struct of feature lists. */
export class SequenceSink implements RecordSink {
  /** Records go one by one. */
  readonly table: undefined;
  readonly #context: ColumnTable;
  readonly #lists: StepsTable[] = [];
  readonly #sources: readonly Source[];
  readonly #m: TFRecordMetadata;
  /** Where features that appear late would be missed, undefined: all are looked at. */
  readonly #wantedContext: Wanted;
  readonly #wantedLists: Wanted;
  readonly #contextNames: ReadonlyMap<string, unknown>;
  readonly #listNames: ReadonlyMap<string, unknown>;
  readonly #features: readonly FeatureSpec[];
  readonly #limits: Limits;

  constructor(
    kernels: Kernels,
    m: TFRecordMetadata,
    sources: readonly Source[],
    { columns: selected, limits }: Select,
  ) {
    const all = selected === undefined;
    this.#limits = limits;
    this.#m = m;
    this.#sources = sources;
    const lists = sources.flatMap((source) => (source.kind === "lists" ? source.lists : []));
    this.#features = sources.flatMap((source) => (source.kind === "feature" ? [source.feature] : []));
    const columns = allStoredFeatures(this.#features);
    this.#contextNames = namesOf(m.features);
    this.#listNames = namesOf(m.lists);
    this.#wantedContext = all && m.inferredFrom !== undefined ? undefined : namesOf(columns);
    this.#wantedLists = all && m.listsInferredFrom !== undefined ? undefined : namesOf(lists);
    this.#context = new ColumnTable(kernels, columns, [], { strict: false, raw: false, largeRecordBytes: 0 });
    try {
      for (const source of sources) {
        if (source.kind !== "lists") continue;
        const { type } = source;
        const children = type.kind === "struct" ? type.children : [];
        source.lists.forEach((list, i) => {
          this.#lists.push(new StepsTable(kernels, list, (children[i] as { type: DataType }).type));
        });
      }
    } catch (error) {
      this.release();
      throw error;
    }
  }

  get rows(): number {
    return this.#context.rows;
  }

  get sizeBytes(): number {
    return this.#lists.reduce((sum, list) => sum + list.sizeBytes, this.#context.outBytes);
  }

  get heldBytes(): number {
    return this.#lists.reduce((sum, { table }) => sum + table.heldBytes, this.#context.heldBytes);
  }

  begin(): void {
    this.#context.begin();
    for (const list of this.#lists) list.begin();
  }

  append(bytes: Uint8Array, start: number, end: number, options: AppendOptions): void {
    const { context, lists } = parseSequenceExample(bytes, start, end, this.#wantedContext, this.#wantedLists);
    const { inferredFrom = 0, listsInferredFrom = 0 } = this.#m;
    if (this.#wantedContext === undefined) checkNames(context.keys(), this.#contextNames, inferredFrom);
    if (this.#wantedLists === undefined) checkNames(lists.keys(), this.#listNames, listsInferredFrom);
    for (const list of this.#lists) list.append(bytes, lists.get(list.name), options);
    appendFeatures(this.#context, bytes, context, options);
  }

  finish(): Columns {
    const { rows } = this;
    const context = finishFeatures(this.#context, this.#features, this.#limits).values();
    const columns = this.#sources.map((source): Column => {
      if (source.kind === "feature") return context.next().value as Column;
      const children = this.#lists.map((list) => list.finish());
      const none = { nullCount: 0, validity: null, offsets: null, data: null, dictionary: null };
      return { type: source.type, length: rows, ...none, children };
    });
    return { rows, columns };
  }

  release(): void {
    this.#context.release();
    for (const { table } of this.#lists) table.release();
  }
}

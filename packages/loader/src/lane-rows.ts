import { type Columns, evaluate, projectColumns, type Slab } from "@ingest-ts/core";
import { nullColumn } from "@ingest-ts/readers";
import type { FragmentSpan } from "@ingest-ts/sharder";
import type { LaneRows } from "@ingest-ts/shuffler";
import type { Dataset } from "./dataset.ts";
import type { DatasetObject, FragmentReader } from "./dataset-object.ts";
import { SLAB_ROWS } from "./memory.ts";

/** The rows of one lane, fragment by fragment; with a predicate, one more column of bytes says which rows pass. */
export class FragmentRows implements LaneRows {
  readonly #dataset: Dataset;
  readonly #spans: readonly FragmentSpan[];
  readonly #signal: AbortSignal;
  #next = 0;
  #slabs: AsyncGenerator<Slab, void, undefined> | undefined;
  #closed = false;

  constructor(dataset: Dataset, spans: readonly FragmentSpan[], signal: AbortSignal) {
    this.#dataset = dataset;
    this.#spans = spans;
    this.#signal = signal;
  }

  async next(): Promise<Columns | undefined> {
    while (!this.#closed) {
      this.#slabs ??= this.#open();
      if (this.#slabs === undefined) return undefined;
      const { value } = await this.#slabs.next();
      if (value !== undefined) return withMask(this.#dataset, value);
      this.#slabs = undefined;
    }
    return undefined;
  }

  #open(): AsyncGenerator<Slab, void, undefined> | undefined {
    const span = this.#spans[this.#next++];
    return span === undefined ? undefined : readSpan(this.#dataset, span, this.#signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#slabs?.return();
  }
}

async function* readSpan(
  dataset: Dataset,
  span: FragmentSpan,
  signal: AbortSignal,
): AsyncGenerator<Slab, void, undefined> {
  const object = dataset.objects[span.fragment.object] as DatasetObject;
  if (!object.mayPass) return yield* failingRows(dataset, span);
  try {
    const reader = await object.acquire();
    const slabs = slabsOf(reader, span, signal);
    // The condition rules out every row of it: places count, values do not.
    yield* slabs ?? failingRows(dataset, span);
  } finally {
    await object.release();
  }
}

function slabsOf(
  reader: FragmentReader,
  { fragment, from, to }: FragmentSpan,
  signal: AbortSignal,
): AsyncGenerator<Slab, void, undefined> | undefined {
  const target = reader.fragments.find(({ ordinal }) => ordinal === fragment.ordinal);
  if (target === undefined) return undefined;
  const whole = from === 0 && to === fragment.rows;
  return reader.fragmentSlabs(target, { rows: whole ? undefined : [from, to], filter: false, signal });
}

/** Rows that nobody will see, in place of those that cannot pass. */
function* failingRows({ readSchema }: Dataset, { from, to }: FragmentSpan): Generator<Slab, void, undefined> {
  for (let at = from; at < to; at += SLAB_ROWS) {
    const rows = Math.min(SLAB_ROWS, to - at);
    yield { schema: readSchema, rows, columns: readSchema.fields.map(({ type }) => nullColumn(type, rows)) };
  }
}

/** A slab's columns for batches, and behind them, when there is a predicate, one byte a row: 1 for rows that pass. */
function withMask({ output, where }: Dataset, slab: Columns): Columns {
  const { rows, columns } = output === undefined ? slab : projectColumns(slab, output);
  if (where === undefined) return { rows, columns };
  const mask = {
    type: { kind: "int", bits: 8, signed: false },
    length: rows,
    nullCount: 0,
    validity: null,
    offsets: null,
    data: evaluate(where, slab),
    children: [],
    dictionary: null,
  } as const;
  return { rows, columns: [...columns, mask] };
}

/** One row of one fragment, without the mask. */
export async function readRow(
  dataset: Dataset,
  fragment: FragmentSpan["fragment"],
  row: number,
  signal: AbortSignal,
): Promise<Columns> {
  const object = dataset.objects[fragment.object] as DatasetObject;
  const reader = await object.openWhole();
  try {
    const slabs = slabsOf(reader, { fragment, from: row, to: row + 1 }, signal);
    try {
      const value = (await slabs?.next())?.value;
      if (value === undefined) throw new Error(`row ${row} of a fragment of ${fragment.rows} was not there`);
      return dataset.output === undefined ? value : projectColumns(value, dataset.output);
    } finally {
      await slabs?.return();
    }
  } finally {
    await object.closeWhole(reader);
  }
}

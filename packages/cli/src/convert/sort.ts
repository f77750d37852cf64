import {
  type Column,
  columnBytes,
  type Columns,
  concatRows,
  OptionsError,
  type Schema,
  takeRows,
  typeName,
} from "@ingest-ts/core";
import { collectColumns } from "../input/options.ts";
import { sizeText } from "../output/quantities.ts";
import { breathe } from "../process/signals.ts";
import { type Compare, compareOf, inTurn, isOrdered } from "./compare.ts";

/** One of the columns that rows are sorted by, and which way. */
export interface SortKey {
  /** Place in the schema. */
  readonly index: number;
  readonly descending: boolean;
}

export interface SortOptions {
  readonly keys: readonly SortKey[];
  /** Most that the rows may take in memory. */
  readonly maxBytes: number;
  /** Hears how many rows are held so far. */
  readonly onHeld: (rows: number) => void;
}

/** Rows of one sorted slab. */
const SLAB_ROWS = 65_536;

/**
 * `--sort`: names of columns, separated by commas as in `--columns`, each with `-` before it for descending; the first
 * decides before the second. @throws OptionsError
 */
export function sortKeys(text: string, schema: Schema): readonly SortKey[] {
  const paths = schema.fields.some(({ name }) => name === text) ? [[text]] : collectColumns(text);
  const keys = paths.map((path) => sortKey(typeof path === "string" ? path : path.join("."), schema));
  if (keys.length > 0) return keys;
  throw new OptionsError("--sort names no column", { remedy: "Name at least one." });
}

function sortKey(text: string, schema: Schema): SortKey {
  const exact = schema.fields.findIndex(({ name }) => name === text);
  const descending = exact < 0 && text.startsWith("-");
  const name = descending ? text.slice(1) : text;
  const index = schema.fields.findIndex((field) => field.name === name);
  const type = schema.fields[index]?.type;
  if (type === undefined) {
    throw new OptionsError(`--sort: there is no column "${name}"`, {
      remedy: `Choose from: ${schema.fields.map((field) => field.name).join(", ")}.`,
    });
  }
  if (!isOrdered(type)) {
    throw new OptionsError(`--sort: values of type ${typeName(type)} have no order here`, {
      where: { column: name },
      remedy: "Sort by numbers, times, text or bytes.",
    });
  }
  return { index, descending };
}

/**
 * All rows of `slabs` in the order of `keys`, nulls last, equal ones in their own order. NaN is above every number, text
 * and bytes go by their bytes.
 *
 * @throws OptionsError as soon as the rows take more than `maxBytes` in memory
 */
export async function* sortRows(
  slabs: AsyncIterable<Columns>,
  { keys, maxBytes, onHeld }: SortOptions,
): AsyncGenerator<Columns, void> {
  const held: Columns[] = [];
  let bytes = 0;
  let rows = 0;
  for await (const slab of slabs) {
    if (slab.rows === 0) continue;
    bytes += columnBytes(slab);
    if (bytes > maxBytes) {
      throw new OptionsError(`--sort holds all rows in memory, and these take more than ${sizeText(maxBytes)}`, {
        remedy: "Raise --sort-memory (about twice as much is used), or sort parts chosen with --where.",
      });
    }
    held.push({ rows: slab.rows, columns: slab.columns });
    rows += slab.rows;
    onHeld(rows);
    await breathe();
  }
  if (held.length === 0) return;
  const all = concatRows(held);
  held.length = 0;
  const order = await sortedRows(all, keys);
  for (let from = 0; from < all.rows; from += SLAB_ROWS) yield takeRows(all, order.subarray(from, from + SLAB_ROWS));
}

/** The places of the rows in their order. Takes breath now and then, so that Ctrl-C is heard. */
async function sortedRows({ rows, columns }: Columns, keys: readonly SortKey[]): Promise<Int32Array> {
  const compare = inTurn(keys.map(({ index, descending }) => compareOf(columns[index] as Column, descending)));
  let order = Int32Array.from({ length: rows }, (_, row) => row);
  for (let from = 0; from < rows; from += SLAB_ROWS) {
    order.subarray(from, from + SLAB_ROWS).sort(compare);
    await breathe();
  }
  let other = new Int32Array(rows);
  for (let run = SLAB_ROWS; run < rows; run *= 2) {
    for (let from = 0; from < rows; from += 2 * run) {
      await mergeRuns(order, other, [from, Math.min(rows, from + run), Math.min(rows, from + 2 * run)], compare);
    }
    [order, other] = [other, order];
  }
  return order;
}

/** Merges two sorted runs that lie side by side in `from` into the same places of `to`. */
async function mergeRuns(
  from: Int32Array,
  to: Int32Array,
  [start, middle, end]: readonly [number, number, number],
  compare: Compare,
): Promise<void> {
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const takesLeft = right === end || (left < middle && compare(from[left] as number, from[right] as number) <= 0);
    to[at] = from[takesLeft ? left++ : right++] as number;
    if (at % SLAB_ROWS === 0) await breathe();
  }
}

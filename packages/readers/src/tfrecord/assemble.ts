import type { Column, DataType, Limits } from "@ingest-ts/core";
import type { Assembly, FeatureSpec, Partition, PartitionKind } from "./feature.ts";

/** A record whose features do not go together. Plain: the decoder adds the place. */
export class RowError extends Error {
  readonly column: string;
  /** Within the rows of the slab. */
  readonly row: number;
  /** Legal, but over a limit. */
  readonly isLimit: boolean;

  constructor(column: string, row: number, what: string, isLimit = false) {
    super(what);
    this.name = "RowError";
    this.column = column;
    this.row = row;
    this.isLimit = isLimit;
  }
}

/** The lists of a feature of integers, whose values are small: others are wrong here. */
class Numbers {
  readonly #offsets: Int32Array;
  readonly #words: Int32Array;

  constructor({ offsets, children }: Column) {
    const { data } = children[0] as Column;
    this.#offsets = offsets as Int32Array;
    this.#words = new Int32Array((data as Uint8Array).buffer, (data as Uint8Array).byteOffset);
  }

  /** Of row `row`; numbers outside of 0 … 2^31 − 1 are −1. */
  of(row: number): number[] {
    const out: number[] = [];
    for (let i = this.#offsets[row] as number; i < (this.#offsets[row + 1] as number); i++) {
      const low = this.#words[2 * i] as number;
      out.push(low >= 0 && this.#words[2 * i + 1] === 0 ? low : -1);
    }
    return out;
  }
}

/** Where rows end, or what is wrong with them. */
type Ends = readonly number[] | string | TooManyRows;

/** Legal, but more rows than a limit allows. */
interface TooManyRows {
  readonly rows: number;
}

function rising(numbers: readonly number[], count: number): boolean {
  return numbers.every((end, i) => end >= (i === 0 ? 0 : (numbers[i - 1] as number)) && end <= count);
}

function endsOfLengths(lengths: readonly number[], count: number): Ends {
  let end = 0;
  if (lengths.some((length) => length < 0)) return "have a length below 0 or over 2^31";
  const ends = lengths.map((length) => (end += length));
  return end === count ? ends : `add up to ${end} of ${count} items`;
}

/** Where the rows end, within the record's `count` items; as in tf.io, nothing at all stands for no rows. */
function endsOf(kind: PartitionKind, numbers: readonly number[], count: number, mostRows: number): Ends {
  if (numbers.length === 0) return count === 0 ? [] : `are missing for ${count} items`;
  switch (kind) {
    case "rowLengths":
      return endsOfLengths(numbers, count);
    case "rowSplits":
      if (numbers[0] !== 0 || numbers.at(-1) !== count || !rising(numbers, count)) {
        return `do not rise from 0 to ${count}`;
      }
      return numbers.slice(1);
    case "rowStarts":
      if (numbers[0] !== 0 || !rising(numbers, count)) return `do not rise from 0 to at most ${count}`;
      return [...numbers.slice(1), count];
    case "rowLimits":
      return numbers.at(-1) === count && rising(numbers, count) ? numbers : `do not rise to ${count}`;
    case "valueRowIds":
      return endsOfRowIds(numbers, count, mostRows);
  }
}

function endsOfRowIds(ids: readonly number[], count: number, mostRows: number): Ends {
  if (ids.length !== count || !rising(ids, Number.POSITIVE_INFINITY))
    return `are not one rising number for each of ${count} items`;
  const rows = (ids.at(-1) as number) + 1;
  if (rows > mostRows) return { rows };
  const ends = new Array<number>(rows).fill(0);
  for (const id of ids) ends[id] = (ends[id] as number) + 1;
  let end = 0;
  return ends.map((length) => (end += length));
}

/** A level of lists: how many there are up to each row, and the lists. */
interface Level {
  /** [rows + 1], from 0. */
  readonly counts: Int32Array;
  readonly column: Column;
}

const valid = { nullCount: 0, validity: null, dictionary: null } as const;

function uniform(level: Level, length: number, type: DataType, name: string): Level {
  const counts = level.counts.map((count, row) => {
    if (count % length === 0) return count / length;
    const items = count - (level.counts[row - 1] as number);
    throw new RowError(name, row - 1, `${items} items are not divided by the row length ${length}`);
  });
  const column: Column = {
    type,
    length: counts.at(-1) as number,
    ...valid,
    offsets: null,
    data: null,
    children: [level.column],
  };
  return { counts, column };
}

function cut(level: Level, kind: PartitionKind, numbers: Numbers, type: DataType, name: string, limits: Limits): Level {
  const rows = level.counts.length - 1;
  const counts = new Int32Array(rows + 1);
  const offsets: number[] = [0];
  // Row ids can ask for any number of empty rows.
  let free = limits.zeroLengthItems;
  for (let row = 0; row < rows; row++) {
    const from = level.counts[row] as number;
    const count = (level.counts[row + 1] as number) - from;
    const ends = endsOf(kind, numbers.of(row), count, free + count);
    if (typeof ends === "string") throw new RowError(name, row, `the ${kind} ${ends}`);
    if ("rows" in ends) {
      const what = `${kind} that make ${ends.rows} rows of ${count} items pass limits.zeroLengthItems`;
      throw new RowError(name, row, `${what} = ${limits.zeroLengthItems}`, true);
    }
    for (const end of ends) offsets.push(from + end);
    free -= Math.max(0, ends.length - count);
    counts[row + 1] = offsets.length - 1;
  }
  const column = { type, length: offsets.length - 1, ...valid, offsets: Int32Array.from(offsets), data: null };
  return { counts, column: { ...column, children: [level.column] } };
}

/** The types of the levels from the innermost lists out. */
function levelTypes(type: DataType): DataType[] {
  const types: DataType[] = [];
  for (let at = type; at.kind === "list" || at.kind === "fixedSizeList"; at = at.child.type) types.unshift(at);
  return types;
}

/**
 * A column of lists of lists from the features that hold its values and say where rows end; `stored` gives those. As in
 * tf.io.RaggedFeature (validated): what a record lacks is empty.
 *
 * @throws RowError for a record whose features contradict each other
 */
export function assembleColumn(
  { name, type }: FeatureSpec,
  { valueKey, partitions }: Assembly,
  stored: (name: string) => Column,
  limits: Limits,
): Column {
  const values = stored(valueKey);
  const types = levelTypes(type);
  let level: Level = { counts: values.offsets as Int32Array, column: values.children[0] as Column };
  partitions.toReversed().forEach((partition: Partition, i) => {
    const levelType = types[i] as DataType;
    level =
      partition.kind === "uniformRowLength"
        ? uniform(level, partition.length, levelType, name)
        : cut(level, partition.kind, new Numbers(stored(partition.key)), levelType, name, limits);
  });
  const { counts, column } = level;
  return { type, length: values.length, ...valid, offsets: counts, data: null, children: [column] };
}

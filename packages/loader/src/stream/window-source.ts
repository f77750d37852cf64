import { columnBytes, type Columns, concatRows, type Schema, sliceRows, StateError } from "@ingest-ts/core";
import type { Seal, SealedRange } from "./seal.ts";
import type { SealStore } from "./seal-store.ts";

/** Rows of consecutive offsets of one partition, decoded. */
export interface StreamSlab {
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  readonly rows: Columns;
  /** Of each row, rising, within [startOffset, endOffset). */
  readonly rowOffsets: readonly number[] | Float64Array;
}

/** Where partitions stand. */
export interface PartitionPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A span of each partition, to be read whole. */
export interface PartitionSpan extends PartitionPlace {
  readonly endOffset: number;
}

/** Slabs of a stream until nothing follows. */
export interface SlabReader {
  /** undefined: everything up to the end that was asked for was returned. */
  next(): Promise<StreamSlab | undefined>;
  close(): Promise<void>;
}

/** A stream that can be read from any place, as often as wanted, and gives the same rows each time. */
export interface SlabStream {
  /** For errors. */
  readonly url: string;
  /** Of what decides how rows are decoded and counted. */
  readonly digest: string;
  readonly schema: Schema;
  /** Where the first window begins, for every partition that there is. */
  begin(): Promise<readonly PartitionPlace[]>;
  /** From these places on, new partitions from their beginning; ends where the stream is to end, if it is. */
  follow(from: readonly PartitionPlace[]): Promise<SlabReader>;
  /** Exactly these offsets. */
  replay(spans: readonly PartitionSpan[]): Promise<SlabReader>;
}

/** A window whose rows are in memory. */
export interface LoadedWindow {
  readonly seal: Seal;
  /** By `ranges` with rows, in their order. */
  readonly parts: readonly Columns[];
}

/** When a window is closed. */
export interface WindowSize {
  /** At so many rows … */
  readonly rows: number;
  /** … or so long after its first row. */
  readonly ageMs: number;
  /** … or with the run of records that brings it to so many decoded bytes: a window is held in memory. */
  readonly sizeBytes: number;
}

const keyOf = ({ topic, partition }: { topic: string; partition: number }): string => `${topic}/${partition}`;

/** One partition's part of a window that is being filled. */
class Filling {
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  endOffset: number;
  rows = 0;
  readonly #slabs: Columns[] = [];

  constructor({ topic, partition, offset }: PartitionPlace) {
    this.topic = topic;
    this.partition = partition;
    this.startOffset = offset;
    this.endOffset = offset;
  }

  add({ rows, endOffset }: StreamSlab): void {
    this.endOffset = endOffset;
    if (rows.rows === 0) return;
    this.#slabs.push(rows);
    this.rows += rows.rows;
  }

  get range(): SealedRange {
    const { topic, partition, startOffset, endOffset, rows } = this;
    return { topic, partition, startOffset, endOffset, rows };
  }

  columns(): Columns {
    const [only] = this.#slabs;
    return this.#slabs.length === 1 && only !== undefined ? only : concatRows(this.#slabs);
  }
}

function byPartition(a: PartitionPlace | SealedRange, b: PartitionPlace | SealedRange): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition;
}

/** A slab cut in two behind `rows` rows: what is behind begins at the next row. */
function cutSlab(slab: StreamSlab, rows: number): readonly [StreamSlab, StreamSlab | undefined] {
  if (rows >= slab.rows.rows) return [slab, undefined];
  const at = slab.rowOffsets[rows] as number;
  const { topic, partition, startOffset, endOffset, rowOffsets } = slab;
  const before = { rows: sliceRows(slab.rows, 0, rows), rowOffsets: rowOffsets.slice(0, rows) };
  const behind = { rows: sliceRows(slab.rows, rows, slab.rows.rows), rowOffsets: rowOffsets.slice(rows) };
  return [
    { topic, partition, startOffset, endOffset: at, ...before },
    { topic, partition, startOffset: at, endOffset, ...behind },
  ];
}

/** Reads the offsets of a seal again. @throws StateError when they do not hold the rows that they held */
async function loadSealed(stream: SlabStream, seal: Seal): Promise<LoadedWindow> {
  const ranges = seal.ranges.filter(({ rows }) => rows > 0);
  const reader = await stream.replay(ranges.map((range) => ({ ...range, offset: range.startOffset })));
  const parts = new Map(ranges.map((range) => [keyOf(range), new Filling({ ...range, offset: range.startOffset })]));
  try {
    for (let slab = await reader.next(); slab !== undefined; slab = await reader.next()) {
      parts.get(keyOf(slab))?.add(slab);
    }
  } finally {
    await reader.close();
  }
  for (const { topic, partition, startOffset, endOffset, rows } of ranges) {
    const found = parts.get(keyOf({ topic, partition }))?.rows ?? 0;
    if (found === rows) continue;
    throw new StateError(
      `offsets ${startOffset} to ${endOffset} of ${topic}, partition ${partition}, hold ${found} rows; sealed were ${rows}`,
      {
        where: { url: stream.url },
        remedy: "Records were removed since (retention, compaction): start a new run, with another folder for seals.",
      },
    );
  }
  return { seal, parts: ranges.map((range) => (parts.get(keyOf(range)) as Filling).columns()) };
}

/**
 * Windows of a stream, one after the other: those that are sealed as their seals say, and behind them new ones, filled from
 * the stream and sealed. Whoever seals a window first decides it for all.
 */
export class WindowSource {
  readonly #stream: SlabStream;
  readonly #store: SealStore;
  readonly #size: WindowSize;
  /** Of the window that is filled next, and where it continues the one before. */
  #live: { readonly window: number; readonly reader: SlabReader; held: StreamSlab[] } | undefined;
  #pending: Promise<StreamSlab | undefined> | undefined;

  constructor(stream: SlabStream, store: SealStore, size: WindowSize) {
    this.#stream = stream;
    this.#store = store;
    this.#size = size;
  }

  /** The seal of a window if there is one. */
  seal(window: number): Promise<Seal | undefined> {
    return this.#store.read(window);
  }

  /** Window `window`; undefined: the stream ended before it. Waits until there is one. Calls come one at a time. */
  async load(window: number): Promise<LoadedWindow | undefined> {
    const sealed = await this.#store.read(window);
    if (sealed !== undefined) return loadSealed(this.#stream, sealed);
    const before = window === 0 ? undefined : await this.#store.read(window - 1);
    if (window > 0 && before === undefined) {
      throw new StateError(`window ${window - 1} is not sealed, but ${window} is asked for`, {
        where: { url: this.#stream.url },
        remedy: "Restore the folder of seals, or start a new run.",
      });
    }
    if (before?.last === true) return undefined;
    return this.#fill(window, before);
  }

  async #fill(window: number, before: Seal | undefined): Promise<LoadedWindow | undefined> {
    const places =
      before === undefined
        ? await this.#stream.begin()
        : before.ranges.map(({ topic, partition, endOffset }) => ({ topic, partition, offset: endOffset }));
    const live = await this.#follow(window, places);
    const parts = new Map(places.map((place) => [keyOf(place), new Filling(place)]));
    const last = await this.#read(live, parts);
    const filled = [...parts.values()].sort((a, b) => byPartition(a.range, b.range));
    const ranges = filled.map(({ range }) => range);
    const rows = ranges.reduce((sum, range) => sum + range.rows, 0);
    const own = { version: 1, window, ranges, rows, last } as const;
    const seal = await this.#store.create(own);
    if (JSON.stringify(seal.ranges) !== JSON.stringify(ranges) || seal.last !== last) {
      // Somebody else closed this window elsewhere: theirs holds, and what was read behind it is read again.
      await this.#stop();
      return loadSealed(this.#stream, seal);
    }
    this.#live = { ...live, window: window + 1 };
    return { seal, parts: filled.filter((part) => part.rows > 0).map((part) => part.columns()) };
  }

  async #follow(window: number, places: readonly PartitionPlace[]) {
    if (this.#live?.window === window) return this.#live;
    await this.#stop();
    this.#live = { window, reader: await this.#stream.follow(places), held: [] };
    return this.#live;
  }

  /** Fills a window. @returns whether the stream ended */
  async #read(
    live: { readonly reader: SlabReader; held: StreamSlab[] },
    parts: Map<string, Filling>,
  ): Promise<boolean> {
    let missing = this.#size.rows;
    let sizeBytes = 0;
    let deadline: number | undefined;
    while (missing > 0 && sizeBytes < this.#size.sizeBytes) {
      const slab = live.held.shift() ?? (await this.#next(live.reader, deadline));
      if (slab === "late") return false;
      if (slab === undefined) return true;
      const [now, later] = cutSlab(slab, missing);
      if (later !== undefined) live.held.unshift(later);
      const key = keyOf(now);
      let part = parts.get(key);
      if (part === undefined) {
        part = new Filling({ ...now, offset: now.startOffset });
        parts.set(key, part);
      }
      part.add(now);
      missing -= now.rows.rows;
      sizeBytes += columnBytes(now.rows);
      if (now.rows.rows > 0) deadline ??= Date.now() + this.#size.ageMs;
    }
    return false;
  }

  /** The next slab; "late" when the window has to be closed before it comes. */
  async #next(reader: SlabReader, deadline: number | undefined): Promise<StreamSlab | undefined | "late"> {
    this.#pending ??= reader.next();
    const pending = this.#pending;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      if (deadline === undefined) return;
      timer = setTimeout(() => resolve("late"), Math.max(0, deadline - Date.now()));
    });
    try {
      const first = await Promise.race([pending, late]);
      if (first !== "late") this.#pending = undefined;
      return first;
    } catch (error) {
      this.#pending = undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #stop(): Promise<void> {
    const live = this.#live;
    this.#live = undefined;
    this.#pending?.catch(() => undefined);
    this.#pending = undefined;
    await live?.reader.close();
  }

  async close(): Promise<void> {
    await this.#stop();
  }
}

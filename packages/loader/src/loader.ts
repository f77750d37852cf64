import { type Columns, type Schema, type Stage, type StateDict, StateError } from "@ingest-ts/core";
import {
  checkFingerprint,
  checkWorldSize,
  type Fingerprint,
  fingerprintOf,
  parseStateDict,
  positionsOfRank,
  type Segment,
  SegmentOrder,
  toStateDict,
} from "@ingest-ts/sharder";
import type { Skipped } from "@ingest-ts/readers";
import { acquireShuffleMemory, releaseShuffleMemory } from "@ingest-ts/shuffler";
import type { Schema as ArrowSchema } from "apache-arrow";
import { Batch, BatchContext } from "./batch.ts";
import type { Dataset } from "./dataset.ts";
import { type BlockRows, EpochRows } from "./epoch.ts";
import { Finisher } from "./finish.ts";
import { readRow } from "./lane-rows.ts";
import { type LedgerEntry, ledgerEntry, LedgerWriter } from "./ledger/index.ts";
import { checkMemory, estimateMemory, type MemoryEstimate } from "./memory.ts";
import type { OrderSettings, Settings } from "./options.ts";
import { paddedSchema } from "./pad.ts";
import { RecordBatchMaker } from "./record-batches.ts";
import { settingsFromState } from "./resume.ts";

/** What a run reads, and how: worth printing before it starts. */
export interface LoadPlan extends OrderSettings {
  readonly rows: number;
  readonly segments: number;
  readonly fragments: number;
  /** Names of a folder that were passed over: those that begin with `_` or `.`, and empty files. */
  readonly skipped: Skipped;
  readonly rank: number;
  readonly worldSize: number;
  readonly batchSize: number;
  readonly epochs: number;
  /** Estimated, for this rank. */
  readonly memoryBytes: number;
}

/** What a loader is a part of. */
export interface LoaderFrame {
  /** Members of every state beside the order's own. */
  readonly also?: StateDict;
  /** Written to, but neither opened nor closed here. */
  readonly ledger?: LedgerWriter | undefined;
}

/** All that follows from the order settings, and changes when a state brings others. */
interface Run {
  readonly order: OrderSettings;
  readonly memory: MemoryEstimate;
  readonly context: BatchContext;
  readonly finisher: Finisher;
}

function runOf(dataset: Dataset, settings: Settings, order: OrderSettings): Run {
  const { worldSize } = settings.world;
  const memory = estimateMemory(dataset, order, worldSize, settings.batchSize);
  checkMemory(memory, order, worldSize, settings.memoryBytes);
  const padded = order.ends === "pad";
  const schema = padded ? paddedSchema(dataset.schema) : dataset.schema;
  return {
    order,
    memory,
    context: new BatchContext(schema, new RecordBatchMaker(schema)),
    finisher: new Finisher({ filtered: dataset.where !== undefined, padded }),
  };
}

/**
 * Batches of one rank, in order, with a place that can be saved and restored (§5 of the architecture).
 *
 * A batch counts as consumed once it is returned; what a process used after the state that it was restored from is undone.
 */
export class Loader implements Stage<Batch> {
  readonly #dataset: Dataset;
  readonly #settings: Settings;
  readonly #fingerprint: Fingerprint;
  readonly #signal: AbortSignal | undefined;
  /** Members of every state beside the order's own. */
  readonly #also: StateDict;
  /** Kept from epoch to epoch. */
  readonly #memory = acquireShuffleMemory();
  readonly #abort = new AbortController();
  /** Ends every read: when the loader is closed, or the caller's signal says so. */
  readonly #reading: AbortSignal;
  #run: Run;
  /** The place after the last batch: positions [0, position) of the epoch are consumed by all ranks together. */
  #epoch = 0;
  #position = 0;
  #rows: EpochRows | undefined;
  #lastRow: Columns | undefined;
  #droppedRows = 0;
  #ledger: LedgerWriter | undefined;
  readonly #ownsLedger: boolean;
  /** Of the batch that is on its way to the caller. */
  #entry: LedgerEntry | undefined;
  #started = false;
  #closing: Promise<void> | undefined;
  /** Calls of `next` run one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws OptionsError when the estimate is above the memory limit. */
  constructor(dataset: Dataset, settings: Settings, signal?: AbortSignal, frame: LoaderFrame = {}) {
    this.#dataset = dataset;
    this.#settings = settings;
    this.#fingerprint = fingerprintOf(dataset.manifest);
    this.#signal = signal;
    this.#also = frame.also ?? {};
    this.#ledger = frame.ledger;
    this.#ownsLedger = frame.ledger === undefined;
    this.#reading = signal === undefined ? this.#abort.signal : AbortSignal.any([this.#abort.signal, signal]);
    this.#run = runOf(dataset, settings, settings.order);
  }

  /** What batches have. */
  get schema(): Schema {
    return this.#run.context.schema;
  }

  get arrowSchema(): ArrowSchema {
    return this.#run.context.records.schema;
  }

  get plan(): LoadPlan {
    const { manifest, skipped } = this.#dataset;
    const { world, batchSize, epochs } = this.#settings;
    return {
      ...this.#run.order,
      rows: manifest.rows,
      segments: manifest.segments.length,
      fragments: manifest.segments.reduce((sum, { fragments }) => sum + fragments.length, 0),
      skipped,
      rank: world.rank,
      worldSize: world.worldSize,
      batchSize,
      epochs,
      memoryBytes: this.#run.memory.totalBytes,
    };
  }

  /** Rows of this rank that `ends: "drop"` left out so far. */
  get droppedRows(): number {
    return this.#droppedRows;
  }

  /** The place after the last batch that was returned; the same for every rank after as many batches. */
  stateDict(): StateDict {
    return this.#stateAt(this.#epoch, this.#position);
  }

  #stateAt(epoch: number, position: number): StateDict {
    const { seed, lanes, windowRows, ends } = this.#run.order;
    const fingerprint = this.#fingerprint;
    const where = this.#settings.whereDigest;
    const place = toStateDict({ fingerprint, seed, epoch, position, lanes, windowRows, ends, where });
    return { ...place, ...this.#also };
  }

  /**
   * Goes on where a state was taken, also of a run with another number of ranks (one that divides its lanes), another
   * batch size or other columns. Seed, lanes, window and ends that were not given are the state's.
   *
   * @throws StateError naming what does not fit; OptionsError when lanes and ranks or memory do not.
   */
  loadStateDict(dict: StateDict): void {
    if (this.#started || this.#closing !== undefined) {
      throw new StateError("a state cannot be restored once batches were asked for", {
        remedy: "Call load() again and restore the state first.",
      });
    }
    const state = parseStateDict(dict);
    const order = settingsFromState(state, this.#settings);
    checkFingerprint(state, this.#dataset.manifest);
    checkWorldSize(order.lanes, this.#settings.world.worldSize);
    this.#run = runOf(this.#dataset, this.#settings, order);
    this.#epoch = state.epoch;
    this.#position = state.position;
  }

  next(): Promise<IteratorResult<Batch, undefined>> {
    this.#started = true;
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => {});
    return result;
  }

  #openLedger(target: string): LedgerWriter {
    const { manifest } = this.#dataset;
    const { batchSize, whereDigest: where } = this.#settings;
    const { rank, worldSize } = this.#settings.world;
    const place = { epoch: this.#epoch, position: this.#position };
    const start = { rank, worldSize, batchSize, ...place, schema: this.schema };
    return new LedgerWriter(target, { manifest, order: this.#run.order, where }, start);
  }

  async #next(): Promise<IteratorResult<Batch, undefined>> {
    if (this.#closing !== undefined) return { done: true, value: undefined };
    const [epoch, position] = [this.#epoch, this.#position];
    try {
      this.#signal?.throwIfAborted();
      const { ledger } = this.#settings;
      if (ledger !== undefined) this.#ledger ??= this.#openLedger(ledger);
      const value = await this.#produce();
      if (this.#closing === undefined) {
        // Before the caller has it: a rank that dies with a batch cannot say any more that it had it.
        if (this.#entry !== undefined) this.#ledger?.append(this.#entry);
        this.#entry = undefined;
        if (value === undefined) await this.close();
        return value === undefined ? { done: true, value } : { done: false, value };
      }
      this.#return(epoch, position);
    } catch (error) {
      this.#return(epoch, position);
      const failed = this.#closing === undefined;
      await this.close().catch(() => {});
      if (failed) throw error;
    }
    // Closed while a batch was on its way: an end, not a failure, and the batch was not delivered.
    await this.close();
    return { done: true, value: undefined };
  }

  /** Goes back to the place before a batch that was not delivered. */
  #return(epoch: number, position: number): void {
    this.#entry = undefined;
    this.#epoch = epoch;
    this.#position = position;
  }

  async #produce(): Promise<Batch | undefined> {
    const { batchSize, epochs, world } = this.#settings;
    const { rows: total } = this.#dataset.manifest;
    const stepPositions = batchSize * world.worldSize;
    while (this.#epoch < epochs) {
      const from = this.#position;
      const to = from + stepPositions;
      const own = positionsOfRank(from, Math.min(to, total), world.rank, world.worldSize);
      if (this.#ended(from, to, own)) {
        await this.#nextEpoch(from);
        // An epoch without any batch would be followed by others like it, for ever.
        if (from === 0) return undefined;
        continue;
      }
      const epoch = this.#epoch;
      const taken = await this.#take(own, from);
      const missing = this.#run.order.ends === "pad" ? batchSize - own : 0;
      const last = missing > 0 ? await this.#readLastRow() : undefined;
      const { block, from: start, to: stop } = this.#run.finisher.finish(taken, missing, last);
      const step = Math.floor(from / stepPositions);
      await this.#advance(to, total, stepPositions);
      const state = this.#stateAt(this.#epoch, this.#position);
      const place = { epoch, step, from, to: Math.min(to, total) };
      this.#entry = this.#ledger === undefined ? undefined : ledgerEntry(block, place, start, stop);
      const positions = [from, place.to] as const;
      return new Batch({
        context: this.#run.context,
        block,
        from: start,
        to: stop,
        epoch,
        step,
        positions,
        state,
      });
    }
    return undefined;
  }

  /** Whether no batch begins at `from`: no positions are left, or not enough, or none of this rank. */
  #ended(from: number, to: number, own: number): boolean {
    const { rows: total } = this.#dataset.manifest;
    if (from >= total) return true;
    const { ends } = this.#run.order;
    return ends === "drop" ? to > total : ends === "uneven" && own === 0;
  }

  /** Rows of the epoch from `from` on: of which this rank has `own` in this step. */
  async #take(own: number, from: number): Promise<BlockRows> {
    this.#rows ??= this.#openEpoch(from);
    if (own > 0) return this.#rows.take(own);
    // Only when padding: this rank's batch is copies of the last row alone.
    const last = await this.#readLastRow();
    return { block: last, from: 0, to: 0 };
  }

  #openEpoch(from: number): EpochRows {
    return new EpochRows({
      dataset: this.#dataset,
      order: this.#run.order,
      world: this.#settings.world,
      epoch: this.#epoch,
      from,
      blockRows: this.#run.memory.blockRows,
      memory: this.#memory,
      signal: this.#reading,
    });
  }

  /** After the last batch of an epoch the place is the beginning of the next. */
  async #advance(to: number, total: number, stepPositions: number): Promise<void> {
    const isLast = to >= total || (this.#run.order.ends === "drop" && to + stepPositions > total);
    if (isLast) await this.#nextEpoch(to);
    else this.#position = to;
  }

  async #nextEpoch(from: number): Promise<void> {
    const { world } = this.#settings;
    const { rows: total } = this.#dataset.manifest;
    if (this.#run.order.ends === "drop") {
      this.#droppedRows += positionsOfRank(Math.min(from, total), total, world.rank, world.worldSize);
    }
    await this.#rows?.close();
    this.#rows = undefined;
    this.#lastRow = undefined;
    this.#epoch++;
    this.#position = 0;
  }

  /** The row at the epoch's last position, which fills up the last batches of all ranks. */
  async #readLastRow(): Promise<Columns> {
    if (this.#lastRow === undefined) {
      const { manifest } = this.#dataset;
      const index = manifest.segments.findLastIndex(({ rows }) => rows > 0);
      const order = new SegmentOrder(manifest, index, this.#epoch, this.#run.order);
      const { fragment, row } = order.rowAt((manifest.segments[index] as Segment).rows - 1);
      this.#lastRow = await readRow(this.#dataset, fragment, row, this.#reading);
    }
    return this.#lastRow;
  }

  /** Stops reading and closes what `load` opened. Harmless when repeated. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    await this.#rows?.close();
    this.#rows = undefined;
    releaseShuffleMemory(this.#memory);
    try {
      if (this.#ownsLedger) this.#ledger?.close();
    } finally {
      await this.#dataset.close();
    }
  }

  async return(): Promise<IteratorResult<Batch, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Batch, undefined>> {
    await this.close();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

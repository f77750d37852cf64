import { type Schema, type Stage, type StateDict, StateError } from "@ingest-ts/core";
import { toArrowSchema } from "@ingest-ts/core/arrow";
import {
  buildManifest,
  checkWorldSize,
  fingerprintOf,
  type OrderState,
  parseStateDict,
  toStateDict,
} from "@ingest-ts/sharder";
import type { Schema as ArrowSchema } from "apache-arrow";
import type { Batch } from "../batch.ts";
import type { Dataset } from "../dataset.ts";
import { type LedgerRun, LedgerWriter } from "../ledger/index.ts";
import { Loader } from "../loader.ts";
import type { OrderSettings, Settings } from "../options.ts";
import { paddedSchema } from "../pad.ts";
import { settingsFromState } from "../resume.ts";
import { manifestOfSeal, type Seal } from "./seal.ts";
import type { LoadedWindow } from "./window-source.ts";

/** Windows as a loader asks for them: by number, again after a resume. */
export interface Windows {
  /** Of what decides rows: states are of one stream. */
  readonly digest: string;
  seal(window: number): Promise<Seal | undefined>;
  load(window: number): Promise<LoadedWindow | undefined>;
  close(): Promise<void>;
}

/** How windows become batches. */
export interface WindowLoaderOptions {
  readonly windows: Windows;
  readonly settings: Settings;
  /** What batches have, before `ingest_valid`. */
  readonly schema: Schema;
  readonly datasetOf: (window: LoadedWindow) => Dataset;
  readonly signal?: AbortSignal | undefined;
  /** Told of every window before its first batch. */
  readonly onWindow?: ((seal: Seal) => void) | undefined;
}

const NOTHING = buildManifest([]);
const NO_FINGERPRINT = fingerprintOf(NOTHING);

/**
 * Batches of one rank from the sealed windows of a stream, one window after the other: each is a segment of its own of the
 * order contract (§5), in which `epoch` is the number of the window. No batch crosses windows.
 *
 * The state is that of `Loader` with the stream's digest. Whether its window is the one that it was made in is found out
 * with the first batch.
 */
export class WindowLoader implements Stage<Batch> {
  readonly schema: Schema;
  readonly arrowSchema: ArrowSchema;
  readonly #options: WindowLoaderOptions;
  readonly #also: StateDict;
  #order: OrderSettings;
  #window = 0;
  #position = 0;
  /** To be checked before the first batch. */
  #restored: OrderState | undefined;
  #inner: Loader | undefined;
  #ledger: LedgerWriter | undefined;
  /** The place after the last batch that was returned. */
  #state: StateDict;
  #droppedRows = 0;
  #started = false;
  #closing: Promise<void> | undefined;
  /** Resolves when it is closed: whoever waits for records does not wait any more. */
  readonly #closed: Promise<void>;
  #tellClosed: () => void = () => {};
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: WindowLoaderOptions) {
    const { settings, windows, schema } = options;
    this.#options = options;
    this.#closed = new Promise((resolve) => (this.#tellClosed = resolve));
    this.#order = settings.order;
    this.#also = { stream: { version: 1, digest: windows.digest } };
    this.schema = settings.order.ends === "pad" ? paddedSchema(schema) : schema;
    this.arrowSchema = toArrowSchema(this.schema);
    this.#state = this.#stateAt(0, 0);
  }

  /** Rows of this rank that `ends: "drop"` left out so far. */
  get droppedRows(): number {
    return this.#droppedRows + (this.#inner?.droppedRows ?? 0);
  }

  stateDict(): StateDict {
    return this.#state;
  }

  #stateAt(epoch: number, position: number, fingerprint = NO_FINGERPRINT): StateDict {
    const where = this.#options.settings.whereDigest;
    return { ...toStateDict({ fingerprint, ...this.#order, epoch, position, where }), ...this.#also };
  }

  /**
   * Goes on where a state was taken, also with another number of ranks that divides its lanes.
   *
   * @throws StateError for a state of another stream or other settings; OptionsError when lanes and ranks do not fit
   */
  loadStateDict(dict: StateDict): void {
    if (this.#started) {
      throw new StateError("a state cannot be restored once batches were asked for", {
        remedy: "Call load() again and restore the state first.",
      });
    }
    const state = parseStateDict(dict);
    if (JSON.stringify(dict["stream"]) !== JSON.stringify(this.#also["stream"])) {
      throw new StateError("the state is of another stream, or of files", {
        remedy: "Restore one of the same topics, payloads, isolation and window.",
      });
    }
    const { settings } = this.#options;
    const order = settingsFromState(state, settings);
    if ((order.ends === "pad") !== (this.#order.ends === "pad")) {
      throw new StateError(`the state has ends "${order.ends}", these options "${this.#order.ends}"`, {
        remedy: "Give the ends that the run began with.",
      });
    }
    checkWorldSize(order.lanes, settings.world.worldSize);
    this.#order = order;
    this.#window = state.epoch;
    this.#position = state.position;
    this.#restored = state;
    this.#state = dict;
  }

  next(): Promise<IteratorResult<Batch, undefined>> {
    this.#started = true;
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => {});
    return result;
  }

  async #next(): Promise<IteratorResult<Batch, undefined>> {
    try {
      this.#ledger ??= this.#openLedger();
      while (this.#closing === undefined && this.#window < this.#options.settings.epochs) {
        this.#inner ??= await this.#open();
        if (this.#inner === undefined) break;
        const result = await this.#inner.next();
        if (this.#closing !== undefined) break;
        if (result.done !== true) {
          this.#state = result.value.state;
          return result;
        }
        this.#droppedRows += this.#inner.droppedRows;
        this.#inner = undefined;
        this.#window++;
        this.#position = 0;
      }
    } catch (error) {
      await this.close().catch(() => {});
      throw error;
    }
    await this.close();
    return { done: true, value: undefined };
  }

  /** What the ledgers of this stream have in common. */
  get ledgerRun(): LedgerRun {
    const { settings, windows } = this.#options;
    return { manifest: NOTHING, order: this.#order, where: settings.whereDigest, stream: windows.digest };
  }

  #openLedger(): LedgerWriter | undefined {
    const { ledger, world, batchSize } = this.#options.settings;
    if (ledger === undefined || this.#closing !== undefined) return undefined;
    const place = { epoch: this.#window, position: this.#position };
    return new LedgerWriter(ledger, this.ledgerRun, { ...world, batchSize, ...place, schema: this.schema });
  }

  /** A loader of the window that is next; undefined: there is none, and will be none. */
  async #open(): Promise<Loader | undefined> {
    const { windows, settings, datasetOf, signal } = this.#options;
    await this.#checkRestored();
    for (;;) {
      if (this.#window >= settings.epochs) return undefined;
      const window = await Promise.race([windows.load(this.#window), this.#closed]);
      if (window === undefined || this.#closing !== undefined) return undefined;
      this.#ledger?.window(window.seal);
      this.#options.onWindow?.(window.seal);
      if (window.seal.rows === 0) {
        this.#window++;
        continue;
      }
      const dataset = datasetOf(window);
      const inner = new Loader(dataset, { ...settings, order: this.#order, epochs: this.#window + 1 }, signal, {
        also: this.#also,
        ledger: this.#ledger,
      });
      inner.loadStateDict(this.#stateAt(this.#window, this.#position, fingerprintOf(dataset.manifest)));
      return inner;
    }
  }

  /** A state at the beginning of a window is of the one before it. */
  async #checkRestored(): Promise<void> {
    const state = this.#restored;
    this.#restored = undefined;
    if (state === undefined || state.fingerprint.digest === NO_FINGERPRINT.digest) return;
    const window = state.position === 0 ? state.epoch - 1 : state.epoch;
    const seal = await this.#options.windows.seal(window);
    if (seal !== undefined && fingerprintOf(manifestOfSeal(seal)).digest === state.fingerprint.digest) return;
    throw new StateError(
      seal === undefined
        ? `window ${window} is not sealed`
        : `window ${window} is not the state's: it holds other offsets`,
      { remedy: "Restore the folder of seals that the run had, or start a new run." },
    );
  }

  /** Stops reading. Harmless when repeated. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#tellClosed();
      try {
        await this.#inner?.close();
        this.#ledger?.close();
      } finally {
        await this.#options.windows.close();
      }
    })();
    return this.#closing;
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
